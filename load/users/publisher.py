"""A user that writes."""

import json
import time
import uuid
from collections import Counter

import h11
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from load.users.backoff import Backoff
from load.users.caller import Caller
from load.users.http import OK, Answer, Refused
from load.users.row import count
from load.users.scene import scene_of
from load.users.specimen import Stamp

_LATE_S = 1.0
_REST_S = 1.0
_FIELDS = {"Content-Type": "application/json"}
_OUR_MISTAKE = range(400, 429)


class Publisher(User):
    """Writes one change after the other, at random moments, its share of the rate on average.

    A write whose outcome is unknown is done again until it is acknowledged: a number is never left out, so that whoever
    misses one has lost it. The rows of a publisher that can't keep up with its rate say how `late` it is.
    """

    transport = "publisher"

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.scene = scene_of(environment)
        self._by = uuid.uuid4().hex[:12]
        self._numbers: Counter[str] = Counter()
        self._caller = Caller(self.scene.endpoint.connect, self.scene.endpoint.host)
        self._backoff = Backoff(self.scene.options.backoff, self.scene.random)
        self._next_at = time.monotonic()

    def on_stop(self) -> None:
        """Hang up."""
        self._caller.close()

    @task
    def publish(self) -> None:
        """Wait for the moment of the next change, and write it."""
        quiet = self.scene.quiet
        if quiet.is_set() or quiet.wait(self._until_next_s()):
            time.sleep(_REST_S)
            return
        options = self.scene.options
        resource = self.scene.popularity.choose(self.scene.random)
        self._numbers[resource] += 1
        stamp = Stamp(self._by, self._numbers[resource], time.time_ns())
        self.scene.publishing += 1
        try:
            self._write(f"{options.collection}/{resource}", stamp.value(options.payload))
        finally:
            self.scene.publishing -= 1

    def _until_next_s(self) -> float | None:
        """How long from now, in seconds; None: never."""
        options = self.scene.options
        if not options.rate:
            return None
        self._next_at += self.scene.random.expovariate(options.rate / options.publishers)
        left_s = self._next_at - time.monotonic()
        if left_s < -_LATE_S:
            self._row("late", -left_s * 1000)
            self._next_at = time.monotonic()
        return max(0.0, left_s)

    def _write(self, resource: str, value: bytes) -> None:
        """Until it is acknowledged; raises StopUser for what no repetition would help."""
        while True:
            began = time.perf_counter()
            try:
                answer, body = self._caller.ask("PUT", f"/v1/{resource}", _FIELDS, value)
            except (OSError, h11.RemoteProtocolError):
                self._row("broken", 0)
                time.sleep(self._backoff.pause_s())
                continue
            if answer.status == OK:
                self._row("PUT", (time.perf_counter() - began) * 1000, len(value))
                self._backoff.succeeded()
                self.scene.ledger.acknowledged(resource, int(json.loads(body)["version"]))
                return
            self._refused(answer, body)

    def _refused(self, answer: Answer, body: bytes) -> None:
        refused = Refused(answer, body)
        self._row(f"refused {answer.status}", (answer.retry_after_s or 0) * 1000, 0, None if answer.later else refused)
        if answer.status in _OUR_MISTAKE:
            raise StopUser
        time.sleep(self._backoff.pause_s(answer.retry_after_s))

    def _row(self, what: str, took_ms: float, size: int = 0, exception: Exception | None = None) -> None:
        count(self.environment, what, self.transport, took_ms, size, exception)
