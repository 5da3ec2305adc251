"""The one shape class that locust finds: `--shape` says which course it follows."""

import logging
import shlex
import subprocess
import threading
import time
from typing import ClassVar

from locust import LoadTestShape
from locust.env import Environment

from load.users.course import Course, Mark
from load.users.options import Options

_USERS = 10
_RATE = 10.0
_RUN_S = 120.0
_RESTART_FAILED = 2
_log = logging.getLogger("watchroute")


def course_of(environment: Environment) -> Course:
    """The course that the options ask for; --users counts watchers, and publishers come on top. Raises ValueError."""
    options, parsed = Options.of(environment.parsed_options), environment.parsed_options
    return Course.of(
        options.shape,
        users=(getattr(parsed, "num_users", None) or _USERS) + options.publishers,
        rate=getattr(parsed, "spawn_rate", None) or _RATE,
        run_s=getattr(parsed, "run_time", None) or _RUN_S,
        settle_s=options.settle,
    )


class Shape(LoadTestShape):
    """Follows the course, and sets off what it marks."""

    use_common_options: ClassVar[bool] = True
    _began = 0.0
    _looked_s = 0.0

    def reset_time(self) -> None:
        """The test begins; locust calls this before the first tick."""
        self._began, self._looked_s = time.monotonic(), 0.0

    def tick(self) -> tuple[int, float] | None:
        """The same users throughout, or None at the end: how fast they come is a matter of the rate."""
        if self.runner is None:
            return None
        environment, now_s = self.runner.environment, time.monotonic() - self._began
        course = course_of(environment)
        for mark in course.due(self._looked_s, now_s):
            set_off(mark, environment)
        self._looked_s = now_s
        return None if course.over(now_s) else (course.users, course.rate)


def set_off(mark: Mark, environment: Environment) -> None:
    """Have happen what is marked: here, or by a message to every worker."""
    _log.info("%s, %.0f s after the start", mark.name, mark.at_s)
    if mark.name == "restart":
        threading.Thread(target=_restart, args=(environment,)).start()
    elif environment.runner:
        environment.runner.send_message(mark.name)


def _restart(environment: Environment) -> None:
    """Run the operator's command; a test in which it fails has shown nothing."""
    command = shlex.split(Options.of(environment.parsed_options).restart_command)
    if not command:
        _log.warning("Without --restart-command this is for you to do now: restart the push servers.")
        return
    try:
        subprocess.run(command, check=True)  # noqa: S603 -- whoever gives it may run it
    except (OSError, subprocess.CalledProcessError) as error:
        _log.error("the restart failed: %s", error)
        environment.process_exit_code = _RESTART_FAILED
