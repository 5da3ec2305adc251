"""The process of `afternoon.py`."""

import sys
from collections.abc import Sequence

from load.bench.ground import Ground
from load.bench.peers.peer import Peer


class SocketDict(Peer):
    """Starlette, aiokafka, and a dict of sockets."""

    def __init__(self, ground: Ground, topic: str) -> None:
        super().__init__("sockets", ground, topic)

    def command(self) -> Sequence[str]:
        """The program with its arguments."""
        bootstrap = self.ground.broker.bootstrap
        return [sys.executable, "-m", "load.bench.peers.afternoon", str(self.port), bootstrap, self.topic]

    def target(self, resource_id: str) -> str:
        """By its id."""
        return f"/{resource_id}"
