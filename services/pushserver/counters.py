"""What this server has done, as plain numbers that the core adds to; `metrics` shows them to Prometheus."""

from collections import Counter

from shared.problem import Problem


class Counters:
    """Totals since the process began."""

    __slots__ = (
        "closed",
        "deliveries",
        "deprecated",
        "elided",
        "limited",
        "malformed",
        "records",
        "refused",
        "turned_away",
        "writes",
    )

    def __init__(self) -> None:
        self.records = 0
        self.deliveries = 0
        self.writes = 0
        self.elided = 0
        self.malformed: Counter[tuple[str, str]] = Counter()
        self.closed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.turned_away: Counter[str] = Counter()
        self.limited: Counter[str] = Counter()
        self.deprecated: Counter[str] = Counter()

    def refuse(self, problem: Problem) -> None:
        """Count a refusal by its code, and by the limit that was reached, if it was one."""
        self.refused[problem.code] += 1
        if (limit := problem.members.get("limit")) is not None:
            self.limited[limit] += 1
