"""An opening: a watch that is on its way to being live."""

from typing import Any

from services.pushserver.resume import Begin
from services.pushserver.subscription import Subscription


class Opening:
    """What is still to be told of a watch's initial state.

    `walk` is None once that is told; `live` once the hub tells the watch of changes.
    """

    __slots__ = ("live", "ref", "reset", "resumed", "subscription", "walk")

    def __init__(self, subscription: Subscription, begin: Begin, ref: object = None) -> None:
        self.subscription = subscription
        self.walk = begin.walk
        self.reset = begin.reset
        self.resumed = begin.resumed
        self.ref = ref
        self.live = False

    def reset_frame(self) -> dict[str, Any]:
        """What says that the watch starts over."""
        return {"event": "reset", "watch": self.subscription.watch.label, "reason": self.reset}

    def synced_frame(self, cursor: str | None) -> dict[str, Any]:
        """What says that the initial state is told."""
        frame = {
            "event": "synced",
            "watch": self.subscription.watch.label,
            "cursor": cursor,
            "resumed": self.resumed,
        }
        return frame if self.ref is None else {**frame, "ref": self.ref}
