"""How a client is connected, in one word."""

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """What `client.state` may be."""

    CONNECTING = "connecting"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    OFFLINE = "offline"
    CLOSED = "closed"


WORST_FIRST = (State.OFFLINE, State.CONNECTING, State.CATCHING_UP, State.LIVE)


class Status(NamedTuple):
    """A state, and why it is so, where there is a reason."""

    state: State
    reason: str = ""
