"""Plays a case of `clients/cases/` against the state machine of the Python client: no network, no waiting."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from watchroute_client.change import Change
from watchroute_client.outputs import AskToken, Close, Connect, Deliver, End, Output, Send
from watchroute_client.problem import WatchError
from watchroute_client.progress import Progress
from watchroute_client.session import TRANSPORTS, Session
from watchroute_client.target import Target

Step = Mapping[str, Any]
_BACKSTOP = 10_000
_ROUNDING_S = 1e-6


class Iterator:
    """What the iterator of one watch gives, in order."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.waiting: deque[Change] = deque()
        self.ended: WatchError | None = None


class CasePlayer:
    """The server and the application of one case. Each step is a method of its name, and raises AssertionError."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        options = dict(case.get("options", {}))
        self._tokens = deque(options.get("token", ()))
        self._now = 1000.0
        self._session = Session(
            clock=lambda: self._now,
            random=lambda: float(case.get("random", 0.5)),
            transports=options.get("transports", TRANSPORTS),
            renewable="token" in options,
        )
        self._attempts: deque[Connect] = deque()
        self._made: dict[int, Connect] = {}
        self._sent: deque[Send] = deque()
        self._closed: set[int] = set()
        self._ref: Any = None
        self._iterators: dict[Progress, Iterator] = {}
        self._by_name: dict[str, Iterator] = {}
        for number, watch in enumerate(case.get("watches") or [case["watch"]]):
            self._begin(f"w{number}", dict(watch))

    def play(self, step: Step) -> None:
        """One step."""
        ((name, members),) = step.items()
        getattr(self, f"_{name}_" if name == "closed" else f"_{name}")(members)

    def _begin(self, name: str, watch: dict[str, Any]) -> None:
        progress = Progress(Target.parse(watch.pop("path")), **watch)
        self._iterators[progress] = self._by_name[name] = Iterator(progress)
        self._session.add(progress)
        self._settle()

    def _connects(self, wanted: Mapping[str, Any]) -> None:
        assert self._attempts, "no connection was attempted"
        attempt = self._attempts.popleft()
        path, _, query = attempt.address.partition("?")
        shown = {"transport": attempt.transport, "token": attempt.token}
        if attempt.transport != "ws":
            watched = path.removeprefix("/v1/").removesuffix("/stream").removesuffix("/poll")
            shown |= {"path": watched, **dict(pair.split("=", 1) for pair in query.split("&") if pair)}
        for member, value in wanted.items():
            assert shown.get(member) == value, (member, value, shown)

    def _refuses(self, answer: Mapping[str, Any]) -> None:
        members = {name: answer[name] for name in ("cursor",) if name in answer}
        code, retry_after_s = answer.get("code") or "", answer.get("retry_after_s")
        error = WatchError(code, status=answer["status"], retry_after_s=retry_after_s, members=members)
        self._session.on_lost(self._number(answer), error)
        self._settle()

    def _fails(self, step: Step) -> None:
        self._session.on_lost(self._number(step), WatchError("unreachable"))
        self._settle()

    def _opens(self, step: Step) -> None:
        self._session.on_opened(self._number(step))
        self._settle()

    def _hears(self, wanted: Mapping[str, Any]) -> None:
        number = self._number(wanted)
        found = next((sent for sent in self._sent if sent.number == number), None)
        assert found is not None, f"nothing was sent over {number}"
        self._sent.remove(found)
        self._ref = found.operation.get("ref")
        expected = {name: value for name, value in wanted.items() if name != "n"}
        assert {**found.operation, **expected} == found.operation, (expected, found.operation)

    def _says(self, frame: Mapping[str, Any]) -> None:
        number = self._number(frame)
        told = {name: self._ref if value == "$ref" else value for name, value in frame.items() if name != "n"}
        cursor, retry_ms = (told.pop(name, None) for name in ("id", "retry_ms"))
        self._session.on_bytes(number)
        if retry_ms is not None:
            self._session.on_retry(number, retry_ms / 1000)
        if told:
            self._session.on_frame(number, told)
        if cursor is not None:
            self._session.on_mark(number, cursor)
        self._settle()

    def _answers(self, answer: Mapping[str, Any]) -> None:
        self._session.on_answer(self._number(answer), answer["frames"], answer["cursor"])
        self._settle()

    def _closes(self, step: Step) -> None:
        over_socket = self._made[self._number(step)].transport == "ws"
        error = WatchError.of_close(step.get("code"), step.get("reason", "")) if over_socket else None
        self._session.on_lost(self._number(step), error or WatchError("unreachable", "the stream has ended"))
        self._settle()

    def _passes(self, step: Step) -> None:
        until = self._now + step["ms"] / 1000
        for _ in range(_BACKSTOP):
            at = self._session.deadline()
            if at is None or at > until + _ROUNDING_S:
                break
            self._now = max(self._now, at)
            self._session.on_time()
            self._settle()
        else:
            raise AssertionError("time stands still")
        self._now = max(self._now, until)

    def _closed_(self, step: Step) -> None:
        assert step["n"] in self._closed, (step, self._closed)

    def _yields(self, wanted: Mapping[str, Any]) -> None:
        iterator = self._by_name[wanted.get("of", "w0")]
        assert iterator.waiting, "nothing is yielded"
        change = iterator.waiting.popleft()
        for name, value in wanted.items():
            if name != "of":
                assert _plain(getattr(change, name)) == _plain(value), (name, value, change)

    def _quiet(self, _: Step) -> None:
        waiting = {name: list(iterator.waiting) for name, iterator in self._by_name.items() if iterator.waiting}
        assert not waiting, waiting
        assert not self._attempts, self._attempts

    def _state(self, state: str) -> None:
        assert self._session.status.state == state, self._session.status

    def _ends(self, wanted: Mapping[str, Any]) -> None:
        iterator = self._by_name[wanted.get("of", "w0")]
        assert not iterator.waiting, iterator.waiting
        assert iterator.ended is not None, "it has not ended"
        assert iterator.ended.code == wanted["code"]

    def _number(self, step: Step) -> int:
        return int(step.get("n", max(self._made)))

    def _settle(self) -> None:
        while outputs := self._session.take():
            for output in outputs:
                self._do(output)

    def _do(self, output: Output) -> None:
        match output:
            case Connect():
                self._attempts.append(output)
                self._made[output.number] = output
            case Send():
                self._sent.append(output)
            case Close(number):
                self._closed.add(number)
            case AskToken():
                self._session.on_token(self._tokens.popleft() if len(self._tokens) > 1 else self._tokens[0])
            case Deliver(watch, change):
                self._iterators[watch].waiting.append(change)
            case End(watch, error):
                self._iterators[watch].ended = error


def _plain(value: Any) -> Any:
    """Versions are numbers here and texts in frames."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
