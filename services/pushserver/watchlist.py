"""The watches of one connection, found by what they are about."""

from collections.abc import Iterator

from services.pushserver.channel import Channel
from services.pushserver.quota import UNLIMITED, Account
from services.pushserver.subscription import Subscription
from shared.resource import Watch


class Watchlist:
    """Subscriptions, in the order in which they were made, no two of the same watch.

    A question costs a look at each watch of more than one resource, however many there are of one. A single watch,
    which is the usual, costs no dict.
    """

    __slots__ = ("_several", "_single", "_wide", "account")

    def __init__(self) -> None:
        self._single: Subscription | None = None
        self._several: dict[Watch, Subscription] = _NONE
        self._wide: dict[Watch, Subscription] = _NONE
        self.account = UNLIMITED

    def __repr__(self) -> str:
        return f"<Watchlist {list(self)}>"

    def __len__(self) -> int:
        return len(self._several) if self._single is None else 1

    def __iter__(self) -> Iterator[Subscription]:
        return iter(tuple(self._several.values()) if self._single is None else (self._single,))

    @property
    def only(self) -> Subscription | None:
        """The one there is, None when there are none or several."""
        return self._single

    def get(self, watch: Watch) -> Subscription | None:
        """The subscription of a watch."""
        single = self._single
        if single is not None:
            return single if single.watch == watch else None
        return self._several.get(watch)

    def overlapping(self, watch: Watch) -> Iterator[Subscription]:
        """Those that have a resource in common with a watch."""
        if watch.id is None or self._single is not None:
            candidates = iter(self)
        else:
            same = self._several.get(watch)
            candidates = iter((*self._wide.values(), *([] if same is None else [same])))
        return (subscription for subscription in candidates if watch.overlaps(subscription.watch))

    def covers(self, channel: Channel, resource_id: str) -> bool:
        """Whether a resource belongs to any of them."""
        return next(self.overlapping(Watch(channel.name, resource_id)), None) is not None

    def add(self, subscription: Subscription) -> None:
        """Add one of a watch that isn't there yet."""
        self.account.watches += 1
        if not len(self):
            self._single = subscription
            return
        if self._single is not None:
            self._several, self._wide = {}, {}
            self._place(self._single)
            self._single = None
        self._place(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Take one off; nothing happens when it isn't there."""
        before = len(self)
        if self._single is subscription:
            self._single = None
        elif self._several.pop(subscription.watch, None) is not None:
            self._wide.pop(subscription.watch, None)
            if len(self._several) == 1:
                self._single = next(iter(self))
                self._several = self._wide = _NONE
        self.account.watches -= before - len(self)

    def bill(self, account: Account) -> None:
        """Count these watches, and those to come, for somebody from now on."""
        self.account.watches -= len(self)
        self.account = account
        account.watches += len(self)

    def clear(self) -> None:
        """Take all off."""
        self.account.watches -= len(self)
        self._single = None
        self._several = self._wide = _NONE

    def _place(self, subscription: Subscription) -> None:
        self._several[subscription.watch] = subscription
        if subscription.watch.id is None:
            self._wide[subscription.watch] = subscription


_NONE: dict[Watch, Subscription] = {}
"""Stands for an empty dict, which would be one more object of each connection; nothing is put into it."""
