"""Watch resources over WebSocket, Server-Sent Events or long poll, and write them: the client of Watchroute."""

from watchroute_client.change import Change
from watchroute_client.client import WatchClient
from watchroute_client.problem import WatchError
from watchroute_client.state import State, Status
from watchroute_client.store import Store
from watchroute_client.watch import Watch

__all__ = ["Change", "State", "Status", "Store", "Watch", "WatchClient", "WatchError"]
