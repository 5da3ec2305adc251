"""A user that watches: connects, is told, is cut off or hangs up, and comes back."""

import json
import logging
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

import h11
from locust import User, task
from locust.env import Environment
from wsproto.utilities import RemoteProtocolError

from load.users.account import Account
from load.users.backoff import Backoff
from load.users.http import Answer, Refused
from load.users.line import LifeOver, Line
from load.users.row import count
from load.users.scene import scene_of
from load.users.view import Finding, View

FAILURES: Final = {
    "lost": "a change was never told",
    "duplicate": "a version was told twice on one connection",
    "regress": "an older version was told after a newer one",
    "behind": "the newest acknowledged state was not there when the test ended",
    "away": "the newest acknowledged state was not there when the test ended, nor was the watcher connected",
}
"""The rows that are failures, whatever else is in order."""
_BROKEN: Final = (OSError, h11.RemoteProtocolError, RemoteProtocolError)
_EXPIRED: Final = 410
_log = logging.getLogger("watchroute")


class Watcher(User):
    """One watch over all its connections. `transport` names its rows."""

    abstract = True
    transport: ClassVar[str]
    suffix: ClassVar[str] = ""
    wide: ClassVar[bool] = True
    """Whether it can watch a collection."""
    thorough: ClassVar[bool] = True
    """Whether it is told every change in `log` mode."""
    obeys_goaway: ClassVar[bool] = False
    """Whether it hangs up when it is to come back, and doesn't wait for the end."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.scene = scene_of(environment)
        options = self.scene.options
        self.view = View(Account(every=options.mode == "log" and self.thorough))
        self.backoff = Backoff(options.backoff, self.scene.random)
        resource = f"{options.collection}/{self.scene.popularity.choose(self.scene.random)}"
        self.watch = options.collection if options.scope == "collection" and self.wide else resource
        self.cookie: str | None = None
        self.line: Line | None = None
        self.ended = "end"
        self._hurried = False
        self._sent_away = False
        self._connected = False

    def on_start(self) -> None:
        """It counts from now on."""
        self.scene.watchers.add(self)

    def on_stop(self) -> None:
        """It counts no more."""
        self.scene.watchers.discard(self)

    @abstractmethod
    def frames(self) -> Iterator[Mapping[str, Any]]:
        """Connect, and yield frames until the end; raises Refused, LifeOver, and what the libraries do."""

    @task
    def visit(self) -> None:
        """One connection from its beginning to its end, and the pause after it."""
        self._hurried, self._sent_away, self.ended = False, False, "end"
        self.view.connect()
        began = time.perf_counter()
        pause_s = 0.0
        try:
            self._listen(began)
            pause_s = self._after_end()
        except LifeOver:
            self._hang_up()
        except Refused as refused:
            pause_s = self._after_refusal(refused)
        except _BROKEN as error:
            pause_s = self._after_break(error)
        finally:
            self._disconnect()
        time.sleep(0.0 if self._hurried else pause_s)

    def hurry(self) -> None:
        """Hang up, and connect again without a pause."""
        self._hurried = True
        if self.line:
            self.row("storm", 0)
            self.line.cut()

    def stay(self) -> None:
        """Hang up no more: whoever comes back at the very end could not have everything."""
        if self.line:
            self.line.until = None

    def judge(self) -> None:
        """Report what was acknowledged and has not been seen."""
        ledger = self.scene.ledger
        scope = [self.watch] if "/" in self.watch else list(ledger.versions)
        for resource in self.view.account.behind(ledger.versions, scope):
            _log.warning("%s: %s is behind version %s", self.transport, resource, ledger.versions[resource])
            self.report(Finding("behind" if self._connected else "away"))

    def report(self, finding: Finding, size: int = 0) -> None:
        """Count a finding in its row."""
        age_ms = max(0.0, (time.time_ns() - finding.sent_ns) / 1e6) if finding.sent_ns is not None else 0.0
        why = FAILURES.get(finding.what)
        for _ in range(finding.times):
            self.row(finding.what, age_ms, size, AssertionError(why) if why else None)

    def row(self, what: str, took_ms: float, size: int = 0, exception: Exception | None = None) -> None:
        """Count something in a row of this transport."""
        count(self.environment, what, self.transport, took_ms, size, exception)

    def connect(self) -> Line:
        """A connection, with the life that it is to have."""
        self.line = self.scene.endpoint.connect()
        life = 0.0 if self.scene.quiet.is_set() else self.scene.options.life
        self.line.until = time.monotonic() + self.scene.random.expovariate(1 / life) if life else None
        return self.line

    def target(self, **parameters: str) -> str:
        """The path of the watch, with its parameters."""
        named = {"mode": self.scene.options.mode, **parameters}
        if self.view.cursor:
            named["cursor"] = self.view.cursor
        return f"/v1/{quote(self.watch)}{self.suffix}?{urlencode(named)}"

    @property
    def fields(self) -> dict[str, str]:
        """The fields of a request that say who it is."""
        return {"Cookie": self.cookie} if self.cookie else {}

    def on_answer(self, answer: Answer) -> None:
        """Keep the cookie."""
        if answer.cookie and self.scene.options.cookies == "keep":
            self.cookie = answer.cookie

    def _listen(self, began: float) -> None:
        for frame in self.frames():
            for finding in self.view.on_frame(frame):
                self.report(finding)
            if self.view.synced and not self._connected:
                self._connect(began)
            if frame["event"] == "goaway" and self.obeys_goaway and self.line:
                self._sent_away = True
                self.line.until = time.monotonic() + frame["reconnect_in_ms"] / 1000

    def _connect(self, began: float) -> None:
        self._connected = True
        self.scene.connected += 1
        self.backoff.succeeded()
        self.row("connect", (time.perf_counter() - began) * 1000)

    def _disconnect(self) -> None:
        self.scene.connected -= self._connected
        self._connected = False
        if self.line:
            self.line.close()
            self.line = None

    def _hang_up(self) -> None:
        self.row("left" if self._sent_away else "hang up", 0)
        if not self._sent_away and self.scene.options.come_back == "anew":
            self.view.drop_cursor()

    def _after_end(self) -> float:
        """The server has ended it."""
        if self._hurried:
            return 0.0
        self.row(f"ended {self.ended}", 0)
        return self.backoff.pause_s(None if self.view.hint_ms is None else self.view.hint_ms / 1000)

    def _after_refusal(self, refused: Refused) -> float:
        answer = refused.answer
        if answer.status == _EXPIRED:
            self.report(self.view.expired(_cursor_in(refused.body)))
            return 0.0
        self.row(f"refused {answer.status}", (answer.retry_after_s or 0) * 1000, 0, None if answer.later else refused)
        return self.backoff.pause_s(answer.retry_after_s)

    def _after_break(self, error: Exception) -> float:
        """A connection that breaks is what a watcher has to live with; one that can't be made is a failure."""
        if self._hurried:
            return 0.0
        if self._connected:
            self.row("broken", 0)
        else:
            self.row("connect", 0, 0, error)
        return self.backoff.pause_s(None if self.view.hint_ms is None else self.view.hint_ms / 1000)


def _cursor_in(problem: bytes) -> str | None:
    cursor = json.loads(problem).get("cursor")
    return cursor if isinstance(cursor, str) else None
