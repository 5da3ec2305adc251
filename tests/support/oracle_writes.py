"""What became of writes, against what Kafka holds: an acknowledged one is there, an unanswered one may be.

The rules, each the name that a violation carries:

    acknowledged  a write that was acknowledged is a record of the log, at the version that the answer named
    refused       a write that was answered with `not_written` is no record of the log
    twice         no write is in the log more than once
    invented      every record is one of the writes
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.oracle import Violation
from tests.support.oracle_log import Record, TruthLog

WRITER = "writer"


@dataclass(frozen=True)
class Written:
    """One write as its writer knows it: `data` is unique, and None for a delete; times are of the monotonic clock.

    `outcome` is `written`, with the version and the cursor of the answer, or what the problem said, or `unknown`.
    """

    resource: str
    data: Any
    sent_s: float
    answered_s: float
    outcome: str
    version: int | None = None
    cursor: str | None = None

    def is_in(self, record: Record) -> bool:
        """Whether a record could be this write."""
        if record.resource != self.resource or record.deleted is not (self.data is None):
            return False
        return record.deleted or bool(record.data == self.data)


def judge_writes(writes: Sequence[Written], truth: Sequence[Record]) -> Iterator[Violation]:
    """Check every write against the records of all epochs."""
    log = TruthLog(truth)
    yield from _acknowledged(writes, truth)
    copies = Counter(repr(record.data) for record in log if not record.deleted)
    for write in writes:
        if write.data is None:
            continue
        count = copies.pop(repr(write.data), 0)
        if write.outcome == "not_written" and count:
            yield Violation("refused", WRITER, f"{write} is in the log")
        if count > 1:
            yield Violation("twice", WRITER, f"{write} is in the log {count} times")
    for data in copies:
        yield Violation("invented", WRITER, f"nobody wrote {data}")


def _acknowledged(writes: Iterable[Written], truth: Iterable[Record]) -> Iterator[Violation]:
    places: dict[tuple[str, int], list[Record]] = {}
    for record in truth:
        places.setdefault((record.resource, record.offset), []).append(record)
    for write in writes:
        if write.version is None:
            continue
        if not any(write.is_in(record) for record in places.get((write.resource, write.version), [])):
            yield Violation("acknowledged", WRITER, f"{write} is not in the log")
