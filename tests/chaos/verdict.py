"""What the oracle says of a trial."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from tests.chaos.trial import Evidence
from tests.support.oracle import Connection, History, Report, Violation, judge
from tests.support.oracle_calm import judge_repeats, judge_resets
from tests.support.oracle_epochs import by_epoch
from tests.support.oracle_gap import Gap, longest_gap
from tests.support.oracle_log import Record, TruthLog
from tests.support.oracle_reading import cursor_reader, epoch_reader
from tests.support.oracle_writes import judge_writes


@dataclass(frozen=True)
class Verdict:
    """What was found, over how much."""

    violations: Sequence[Violation]
    events: int
    writes: int
    reconnects: int
    gap: Gap


def verdict(evidence: Evidence, *, new_epochs: int) -> Verdict:
    """Judge all of it; `new_epochs` is how often the log has become another one."""
    violations = [Violation("failure", *failure.split(": ", 1)) for failure in evidence.failures]
    report = Report(violations)
    for epoch, histories in _sorted(evidence).items():
        if epoch not in evidence.logs:
            violations.append(Violation("truth", histories[0].watcher, f"a cursor of an unknown epoch, {epoch.hex()}"))
            continue
        _judge_epoch(report, evidence, epoch, histories)
    violations += judge_resets(evidence.histories, new_epochs)
    violations += judge_writes(evidence.writes, _records(evidence))
    reconnects = sum(len(history.connections) - 1 for history in evidence.histories)
    gap = longest_gap(evidence.histories, evidence.writes)
    return Verdict(violations, report.events, len(evidence.writes), reconnects, gap)


def _judge_epoch(report: Report, evidence: Evidence, epoch: bytes, histories: Sequence[History]) -> None:
    newest = epoch == list(evidence.logs)[-1]
    judged = judge(histories, TruthLog(evidence.logs[epoch]), cursor_reader(evidence.collection), settled=newest)
    report.events += judged.events
    report.violations += judged.violations
    report.violations += judge_repeats(histories)


def _sorted(evidence: Evidence) -> dict[bytes, Sequence[History]]:
    """The histories by epoch; whoever saw nothing of the newest one has an empty history of it."""
    found = dict(by_epoch(evidence.histories, epoch_reader(evidence.collection)))
    newest = list(evidence.logs)[-1]
    there = {history.watcher for history in found.get(newest, ())}
    absent = [replace(each, connections=_nothing(each)) for each in evidence.histories if each.watcher not in there]
    found[newest] = [*found.get(newest, ()), *absent]
    return found


def _nothing(history: History) -> list[Connection]:
    return [Connection(replace(each.ask, cursor=None, at_least=None), ()) for each in history.connections[:1]]


def _records(evidence: Evidence) -> list[Record]:
    """The records of all epochs, each once: a log that has grown is the same one under two names."""
    logs = {id(log): log for log in evidence.logs.values()}
    return list(chain.from_iterable(logs.values()))
