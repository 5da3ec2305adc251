"""Quotas: how much one principal, and one address, may have open at once."""

from math import inf
from typing import TYPE_CHECKING, Final

from shared.problem import Problem

if TYPE_CHECKING:
    from services.pushserver.subscriber import Subscriber


class Account:
    """What somebody has open on this server. Connections are counted by the quota, watches by their watchlists."""

    __slots__ = ("connections", "most_watches", "watches")

    def __init__(self, most_watches: float) -> None:
        self.connections = 0
        self.watches = 0
        self.most_watches = most_watches

    def check_watches(self) -> None:
        """Raise Problem `too_many_watches` when there may be no more."""
        if self.watches >= self.most_watches:
            detail = f"a principal has at most {self.most_watches:g} watches on a server"
            raise Problem("too_many_watches", detail, limit="watches_per_principal")


UNLIMITED: Final = Account(inf)
"""Of all who have no name."""


class Quota:
    """Counts connections by `sub` and by address; 0: no limit. Who has no `sub`, or no address, isn't counted by it."""

    def __init__(
        self, *, connections_per_principal: int, connections_per_address: int, watches_per_principal: int
    ) -> None:
        self._per_principal = connections_per_principal or inf
        self._per_address = connections_per_address or inf
        self._watches = watches_per_principal or inf
        self._accounts: dict[str, Account] = {}
        self._addresses: dict[str, int] = {}
        self._known: dict[Subscriber, tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def check(self, sub: str, address: str) -> None:
        """Raise Problem `too_many_connections` when one more would be too many."""
        account = self._accounts.get(sub)
        if account is not None and account.connections >= self._per_principal:
            raise _too_many("principal", self._per_principal)
        if self._addresses.get(address, 0) >= self._per_address:
            raise _too_many("address", self._per_address)

    def enter(self, subscriber: "Subscriber", sub: str, address: str) -> None:
        """Count a connection in, by its principal and its address (either may be empty)."""
        address = address if self._per_address < inf else ""
        if not sub and not address:
            return
        self._known[subscriber] = (sub, address)
        if address:
            self._addresses[address] = self._addresses.get(address, 0) + 1
        if sub:
            account = self._accounts.setdefault(sub, Account(self._watches))
            account.connections += 1
            subscriber.subscriptions.bill(account)

    def leave(self, subscriber: "Subscriber") -> None:
        """Count it out; nothing happens when it isn't known. What it watches isn't billed to anybody any more."""
        sub, address = self._known.pop(subscriber, ("", ""))
        if address:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
        if sub:
            subscriber.subscriptions.bill(UNLIMITED)
            self._accounts[sub].connections -= 1
            if not self._accounts[sub].connections:
                del self._accounts[sub]

    def rename(self, subscriber: "Subscriber", sub: str) -> None:
        """It speaks for somebody from now on, who may have shown no token before."""
        known, address = self._known.get(subscriber, ("", ""))
        if known != sub:
            self.check(sub, "")
            self.leave(subscriber)
            self.enter(subscriber, sub, address)


def _too_many(whose: str, most: float) -> Problem:
    detail = f"one {whose} has at most {most:g} connections to a server"
    return Problem("too_many_connections", detail, limit=f"connections_per_{whose}")
