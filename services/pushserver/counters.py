"""What this server has done, as plain numbers that the core adds to; `metrics` shows them to Prometheus."""

from collections import Counter


class Counters:
    """Totals since the process began."""

    __slots__ = ("closed", "deliveries", "elided", "malformed", "records", "refused", "writes")

    def __init__(self) -> None:
        self.records = 0
        self.deliveries = 0
        self.writes = 0
        self.elided = 0
        self.malformed: Counter[tuple[str, str]] = Counter()
        self.closed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
