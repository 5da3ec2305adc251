"""Hears all that the clients of tests/support say and are told, and judges it by the documents."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tests.support.contract import frame_mistakes, operation_mistakes
from tests.support.exchange import Exchange, exchange_mistakes

_MOST: Final = 20


class Witness:
    """What was heard, by kind, and what of it isn't in the documents."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self.mistakes: list[str] = []
        self._operations: dict[tuple[int, Any], Mapping[str, Any]] = {}

    def exchange(self, exchange: Exchange) -> None:
        """A request and its answer."""
        self.heard[f"{exchange.method} {exchange.template} {exchange.status}"] += 1
        self._note(exchange_mistakes(exchange))

    def operation(self, connection: object, operation: Any) -> None:
        """An operation was sent; it is judged when it is acknowledged, as tests send wrong ones too."""
        ref = operation.get("ref") if isinstance(operation, dict) else None
        if isinstance(ref, int | str):
            self._operations[id(connection), ref] = operation

    def frame(self, connection: object, frame: Mapping[str, Any]) -> None:
        """A frame arrived."""
        self.heard[f"frame {frame.get('event')}"] += 1
        self._note(f"{str(frame)[:300]}: {mistake}" for mistake in frame_mistakes(frame))
        operation = self._operations.pop((id(connection), frame.get("ref")), None)
        if operation is not None and frame["event"] in {"ack", "pong"}:
            self.heard[f"operation {operation['op']}"] += 1
            self._note(f"{operation}: {mistake}" for mistake in operation_mistakes(operation))

    def _note(self, mistakes: Any) -> None:
        for mistake in mistakes:
            if len(self.mistakes) < _MOST:
                self.mistakes.append(mistake)


_present: Final[list[Witness]] = []


@contextmanager
def witnessing() -> Iterator[Witness]:
    """Hear all clients of this process, for a while."""
    witness = Witness()
    _present.append(witness)
    try:
        yield witness
    finally:
        _present.remove(witness)


def witnessed_exchange(exchange: Exchange) -> None:
    """Tell of a request and its answer."""
    for witness in _present:
        witness.exchange(exchange)


def witnessed_operation(connection: object, operation: Any) -> None:
    """Tell of an operation that is sent."""
    for witness in _present:
        witness.operation(connection, operation)


def witnessed_frame(connection: object, frame: Mapping[str, Any]) -> None:
    """Tell of a frame, as it arrived."""
    for witness in _present:
        witness.frame(connection, frame)
