"""A judge of recorded histories: what each watcher saw against what Kafka holds. It does no I/O and has no clock.

The rules, each the name that a violation carries:

    scope       a frame is of a resource that is in the log and that the watch asks for
    truth       a put or delete is a record of the log, with its data
    order       versions of one resource strictly increase on a connection
    covered     no event at or before a cursor arrives after it
    backwards   a cursor is never behind an earlier one of the same connection
    loss        at a cursor, the watcher knows the newest state that it covers; in log mode it saw every record
    silence     puts and deletes elided between two bookmarks are counted as `skipped`; in log mode there are none
    divergence  with no further writes, the watcher ends with the newest state of everything in scope
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.support.client_ask import Ask
from tests.support.oracle_log import Positions, Record, TruthLog
from tests.support.recording import DATA_EVENTS, Entry, Frame

ReadCursor = Callable[[str], Positions]


class Violation(NamedTuple):
    """One broken rule."""

    rule: str
    watcher: str
    detail: str


@dataclass(frozen=True)
class Connection:
    """One connection of a watcher: what it asked for, and what came."""

    ask: Ask
    entries: Sequence[Entry]


@dataclass(frozen=True)
class History:
    """All connections of one watcher, oldest first; `mode` is what they ask for."""

    watcher: str
    mode: str
    connections: Sequence[Connection]


class Known(NamedTuple):
    """What a watcher holds of a resource: `record` is None for an absence without a version (short poll)."""

    record: Record | None


@dataclass
class Report:
    """What was found, and over how many events."""

    violations: list[Violation] = field(default_factory=list)
    events: int = 0
    connections: int = 0

    def by_rule(self) -> Mapping[str, int]:
        """How often each broken rule was broken."""
        return Counter(violation.rule for violation in self.violations)


def judge(histories: Iterable[History], truth: TruthLog, read_cursor: ReadCursor, *, settled: bool) -> Report:
    """Check every history; `settled` says that each watcher was given the time to see the last write."""
    report = Report()
    for history in histories:
        judgement = _Judgement(history, truth, read_cursor, report)
        for connection in history.connections:
            judgement.follow(connection)
        if settled:
            judgement.end()
    return report


def converged(history: History, truth: TruthLog) -> bool:
    """Whether that watcher, by what it was told, holds the newest state: the last rule alone."""
    judgement = _Judgement(history, truth, lambda _: {}, Report())
    for connection in history.connections:
        judgement.hear(connection)
    return not judgement.behind()


class _Judgement:
    """The state of one watcher while its history is read again."""

    def __init__(self, history: History, truth: TruthLog, read_cursor: ReadCursor, report: Report) -> None:
        self.history = history
        self.truth = truth
        self.read_cursor = read_cursor
        self.report = report
        self.known: dict[str, Known] = {}
        self.connection: _Progress = _Progress({}, live=False)
        self.scope: frozenset[str] = frozenset()

    def hear(self, connection: Connection) -> None:
        """Take what one connection told, and judge nothing of its cursors."""
        self._begin(connection.ask)
        for entry in connection.entries:
            self._tell(entry.frame)

    def follow(self, connection: Connection) -> None:
        """Read one connection."""
        self.report.connections += 1
        self._begin(connection.ask)
        promised = self.read_cursor(connection.ask.at_least) if connection.ask.at_least else None
        for entry in connection.entries:
            self._entry(entry)
            if promised and entry.cursor is not None:
                self._check_promise(promised)
                promised = {}

    def behind(self) -> list[str]:
        """The resources of which the watcher doesn't hold the newest state."""
        return [resource for resource in self.scope if not self._holds(resource, self.truth.newest(resource))]

    def end(self) -> None:
        """Check what the watcher is left with."""
        for resource in self.behind():
            newest = self.truth.newest(resource)
            self._broken("divergence", f"{resource}: {self.known.get(resource)}, the newest is {newest}")

    def _begin(self, ask: Ask) -> None:
        self.scope = frozenset(filter(ask.covers, self.truth.resources()))
        if ask.cursor is None:
            self.known = {}
        start = self.read_cursor(ask.cursor) if ask.cursor is not None else {}
        self.connection = _Progress(start, live=ask.cursor is not None)

    def _entry(self, entry: Entry) -> None:
        self._tell(entry.frame)
        if entry.cursor is not None:
            self._cursor(entry.cursor, entry.frame)

    def _tell(self, frame: Frame | None) -> None:
        if frame is not None and frame["event"] in DATA_EVENTS:
            self.report.events += 1
            self._data(frame)
        elif frame is not None and frame["event"] == "reset":
            self.known = {}
            self.connection = _Progress({}, live=False)

    def _data(self, frame: Frame) -> None:
        resource = frame["resource"]
        if resource not in self.scope:
            self._broken("scope", resource)
            return
        if "version" not in frame:
            self.known[resource] = Known(None)
            self.connection.told.add(resource)
            return
        record = self.truth.told_by(frame)
        if record is None or not record.matches(frame):
            self._broken("truth", f"{frame} is not {record}")
            return
        self._order(record)
        self.connection.seen(record)
        held = self.known.get(resource)
        if held is None or held.record is None or record.newer_than(held.record):
            self.known[resource] = Known(record)

    def _order(self, record: Record) -> None:
        last = self.connection.last.get(record.resource)
        if last is not None and not record.newer_than(last):
            self._broken("order", f"{record} after {last}")
        if record.offset < self.connection.floor.get(record.partition, 0):
            floor = self.connection.floor[record.partition]
            self._broken("covered", f"{record.resource} at {record.partition}@{record.offset}, cursor at {floor}")

    def _cursor(self, cursor: str, frame: Frame | None) -> None:
        positions = self.read_cursor(cursor)
        progress = self.connection
        for partition, position in progress.floor.items():
            if positions.get(partition, position) < position:
                self._broken("backwards", f"partition {partition} from {position} to {positions[partition]}")
        self._check_state(positions)
        if self.history.mode == "log" and progress.live:
            self._check_log(progress, positions)
        self._count(progress, positions, frame)
        progress.floor |= positions
        if progress.counted_to is None and frame is not None and frame["event"] == "synced":
            progress.counted_to = dict(positions)
        progress.live = progress.live or frame is None or frame["event"] not in DATA_EVENTS

    def _check_state(self, positions: Positions) -> None:
        for resource in self._due(positions):
            newest = self.truth.newest(resource, positions)
            if not self._holds(resource, newest):
                self._broken("loss", f"{resource}: {self.known.get(resource)}, the cursor covers {newest}")

    def _due(self, positions: Positions) -> Iterable[str]:
        """The resources of which this cursor may say more than the one before it: the others were checked there."""
        progress = self.connection
        if progress.checked is None or positions.keys() - progress.checked.keys():
            due: Iterable[str] = self.scope
        else:
            moved = {record.resource for record in self.truth.between(progress.checked, positions)}
            due = self.scope & (moved | progress.told)
        progress.checked, progress.told = dict(positions), set()
        return due

    def _check_promise(self, positions: Positions) -> None:
        for resource in self.scope:
            newest = self.truth.newest(resource, positions)
            # The state may well be newer than what was asked for: then a resource may be gone again.
            gone = resource not in self.known and newest is not None and self.truth.deleted_since(newest)
            if not gone and not self._holds(resource, newest):
                self._broken("loss", f"{resource}: {self.known.get(resource)}, `at_least` covers {newest}")

    def _holds(self, resource: str, record: Record | None) -> bool:
        if record is None:
            return True
        held = self.known.get(resource)
        if held is not None and held.record is not None:
            return not record.newer_than(held.record)
        return record.deleted or (held is not None and self.truth.deleted_since(record))

    def _check_log(self, progress: "_Progress", positions: Positions) -> None:
        for record in self.truth.between(progress.floor, positions):
            if record.resource in self.scope and (record.partition, record.offset) not in progress.records:
                self._broken("loss", f"{record} is covered by the cursor, and was not delivered")

    def _count(self, progress: "_Progress", positions: Positions, frame: Frame | None) -> None:
        if frame is None or frame["event"] != "bookmark" or progress.counted_to is None:
            return
        progress.skipped += frame.get("skipped", 0)
        due = (r for r in self.truth.between(progress.counted_to, positions) if r.resource in self.scope)
        progress.missing += sum((r.partition, r.offset) not in progress.records for r in due)
        progress.counted_to = dict(positions)
        if progress.missing > progress.skipped or (self.history.mode == "log" and progress.skipped):
            self._broken("silence", f"{progress.missing} elided, {progress.skipped} counted")

    def _broken(self, rule: str, detail: str) -> None:
        self.report.violations.append(Violation(rule, self.history.watcher, detail))


class _Progress:
    """How far one connection has come since its last `reset`."""

    def __init__(self, floor: Positions, *, live: bool) -> None:
        self.floor: dict[int, int] = dict(floor)
        self.live = live
        self.last: dict[str, Record] = {}
        self.checked: dict[int, int] | None = None
        self.told: set[str] = set()
        self.records: set[tuple[int, int]] = set()
        self.counted_to: dict[int, int] | None = None
        self.missing = 0
        self.skipped = 0

    def seen(self, record: Record) -> None:
        """Note a delivered record."""
        last = self.last.get(record.resource)
        if last is None or record.newer_than(last):
            self.last[record.resource] = record
        self.told.add(record.resource)
        self.records.add((record.partition, record.offset))
