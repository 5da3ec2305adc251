"""What a fault must not do to a watcher, beside what no history may have.

The rules, each the name that a violation carries:

    reset   a watcher begins anew as often as the log has become another one: by `reset`, in log mode by `expired`
    repeat  in state mode a reconnect repeats at most one version of a resource that was delivered before
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.support.oracle import History, Violation
from tests.support.oracle_epochs import refusals, resets, told
from tests.support.recording import DATA_EVENTS


def judge_resets(histories: Iterable[History], expected: int) -> Iterator[Violation]:
    """Each watcher's beginnings over all epochs; a short poll is told of none, nor of any `synced`."""
    for history in histories:
        found = {"reset": resets(history), "expired": refusals(history, "expired")}
        wanted = {"reset": 0, "expired": 0}
        if told(history, "synced"):
            wanted |= {"expired" if history.mode == "log" else "reset": expected}
        if found != wanted:
            yield Violation("reset", history.watcher, f"{found}, and not {wanted}")


def judge_repeats(histories: Iterable[History]) -> Iterator[Violation]:
    """Each watcher's reconnects within one epoch."""
    for history in histories:
        if history.mode == "state":
            yield from _repeats(history)


def _repeats(history: History) -> Iterator[Violation]:
    known: set[tuple[str, str]] = set()
    for connection in history.connections:
        frames = [entry.frame for entry in connection.entries if entry.frame is not None]
        told = {(f["resource"], f["version"]) for f in frames if f["event"] in DATA_EVENTS and "version" in f}
        if connection.ask.cursor is not None:
            again = Counter(resource for resource, _ in told & known)
            for resource, count in again.items():
                if count > 1:
                    yield Violation("repeat", history.watcher, f"{count} versions of {resource} came again")
        known |= told
