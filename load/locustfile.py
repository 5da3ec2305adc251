"""Load for Watchroute: watchers of every transport, and publishers. How to run it, and how to read it: load/README.md.

locust -f load/locustfile.py --host https://localhost:8443 --ca .certs/ca.pem --headless --users 500 --run-time 2m
"""

import sys
from typing import Any

from locust import events
from locust.env import Environment
from locust.runners import Runner, WorkerRunner

from load.users import recorder, settlement
from load.users.limits import raise_file_limit
from load.users.options import Options, add_arguments
from load.users.publisher import Publisher
from load.users.scene import new_scene, scene_of
from load.users.shape import Shape, course_of
from load.users.short_poll import ShortPollUser
from load.users.transports import LongPollUser, SseUser, WebSocketUser

__all__ = ["LongPollUser", "Publisher", "Shape", "ShortPollUser", "SseUser", "WebSocketUser"]


def _on_init(environment: Environment, runner: Runner, **_: Any) -> None:
    raise_file_limit()
    Publisher.fixed_count = Options.of(environment.parsed_options).publishers
    settlement.install(environment, runner)
    recorder.install(environment, runner)
    if environment.host and not isinstance(runner, WorkerRunner):
        _check(environment)


def _on_start(environment: Environment, **_: Any) -> None:
    new_scene(environment)


def _check(environment: Environment) -> None:
    """Say now what would go wrong later."""
    try:
        course_of(environment)
        scene_of(environment)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}")


events.init_command_line_parser.add_listener(add_arguments)
events.init.add_listener(_on_init)
events.test_start.add_listener(_on_start)
