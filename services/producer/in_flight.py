"""How much may wait for Kafka at once."""

from services.producer.metrics import IN_FLIGHT
from services.producer.refusal import unavailable


class InFlight:
    """Counts the writes that Kafka has not answered, whether or not someone still waits for the answer."""

    def __init__(self, max_writes: int, max_bytes: int) -> None:
        self._max_writes = max_writes
        self._max_bytes = max_bytes
        self.writes = 0
        self.bytes = 0

    def take(self, size: int, writes: int = 1) -> None:
        """Count `writes` more, of `size` bytes together; raises Problem `unavailable` when that is too much."""
        if self.writes + writes > self._max_writes or self.bytes + size > self._max_bytes:
            raise unavailable("too many writes wait for Kafka; nothing was written")
        self._count(writes, size)

    def give(self, size: int, writes: int = 1) -> None:
        """They are answered."""
        self._count(-writes, -size)

    def _count(self, writes: int, size: int) -> None:
        self.writes += writes
        self.bytes += size
        IN_FLIGHT.set(self.writes)
