"""Takes samples while a test runs, in the process that knows all: the master, or the only one."""

import logging
import threading
import time
from pathlib import Path
from typing import Any, Final

from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from load.users.options import Options
from load.users.picture import picture
from load.users.scene import scene_of
from load.users.shape import course_of
from load.users.short_poll import ShortPollUser
from load.users.timeline import BUSY, Reading, Sample, as_csv, sample, too_busy

_EVERY_S: Final = 3.0
"""As often as workers report."""
_KEY: Final = "watchroute"
_log = logging.getLogger("watchroute")


class Effort:
    """The CPU that this process takes."""

    def __init__(self) -> None:
        self._at_s, self._cpu_s = time.monotonic(), time.process_time()

    def share(self) -> float:
        """Of one core, since it was last asked."""
        at_s, cpu_s = time.monotonic(), time.process_time()
        share = (cpu_s - self._cpu_s) / max(at_s - self._at_s, 1e-3)
        self._at_s, self._cpu_s = at_s, cpu_s
        return share


class Recorder:
    """Follows one test from start to stop, then writes what `--picture` and `--samples` ask for."""

    def __init__(self, environment: Environment, runner: Runner) -> None:
        self._environment = environment
        self._runner = runner
        self._effort = Effort()
        self._over = threading.Event()
        self._samples: list[Sample] = []
        self._workers: dict[str, tuple[int, float]] = {}
        environment.events.test_start.add_listener(self._start)
        # What is left in the meantime of stopping is of no interest.
        environment.events.test_stopping.add_listener(lambda **_: self._over.set())
        environment.events.test_stop.add_listener(self._stop)
        environment.events.worker_report.add_listener(self._on_report)

    def _start(self, **_: Any) -> None:
        self._over = threading.Event()
        self._samples.clear()
        self._workers.clear()
        self._effort.share()
        threading.Thread(target=self._record, args=(self._over,)).start()

    def _record(self, over: threading.Event) -> None:
        began = time.monotonic()
        before = self._reading(0.0)
        while not over.wait(_EVERY_S):
            now = self._reading(time.monotonic() - began)
            connected, busy = self._generators()
            self._samples.append(sample(before, now, users=self._runner.user_count, connected=connected, busy=busy))
            before = now

    def _reading(self, at_s: float) -> Reading:
        counts = {"deliver": 0, "PUT": 0, "connect": 0}
        latencies: dict[float, int] = {}
        for (transport, what), entry in list(self._environment.stats.entries.items()):
            counts[what] = counts.get(what, 0) + entry.num_requests
            if what == "deliver" and transport != ShortPollUser.transport:
                for ms, count in list(entry.response_times.items()):
                    latencies[ms] = latencies.get(ms, 0) + count
        failures = self._environment.stats.total.num_failures
        return Reading(at_s, counts["deliver"], counts["PUT"], counts["connect"], failures, latencies)

    def _generators(self) -> tuple[int, float]:
        """How many watchers are connected, and the share of a core that the busiest process takes."""
        if isinstance(self._runner, MasterRunner):
            told = list(self._workers.values())
            return sum(connected for connected, _ in told), max((busy for _, busy in told), default=0.0)
        return scene_of(self._environment).connected, self._effort.share()

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:
        if _KEY in data:
            self._workers[client_id] = tuple(data[_KEY])

    def _stop(self, **_: Any) -> None:
        self._say()
        options = Options.of(self._environment.parsed_options)
        if options.samples:
            _write(Path(options.samples), as_csv(self._samples))
        if options.picture:
            title = f"{options.shape}: {self._environment.host}, {options.mode} mode, {options.rate:g} changes/s"
            _write(Path(options.picture), picture(title, self._samples, course_of(self._environment).marks))

    def _say(self) -> None:
        """What the generator itself took."""
        most = max((one.busy for one in self._samples), default=0.0)
        _log.info("The busiest load generator took up to %.0f %% of a core.", most * 100)
        if hot := too_busy(self._samples):
            _log.warning(
                "It took more than %.0f %% in %d of %d samples: the latencies of then are its own. Use --processes, "
                "or more workers.", BUSY * 100, len(hot), len(self._samples),
            )  # fmt: skip


def install(environment: Environment, runner: Runner) -> None:
    """Record here, or tell the master what it has to know of this process."""
    if not isinstance(runner, WorkerRunner):
        Recorder(environment, runner)
        return
    effort = Effort()

    def report(data: dict[str, Any], **_: Any) -> None:
        data[_KEY] = (scene_of(environment).connected if environment.host else 0, effort.share())

    environment.events.report_to_master.add_listener(report)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
