"""What the users of one process share: the options, the address, who is connected, what was acknowledged."""

import threading
from random import Random
from typing import Final, Protocol

from locust.env import Environment

from load.users.ledger import Ledger
from load.users.line import Endpoint
from load.users.options import Options
from load.users.popularity import Popularity


class Actor(Protocol):
    """Somebody who can be told what to do."""

    def hurry(self) -> None:
        """Hang up, and connect again without a pause."""

    def stay(self) -> None:
        """Hang up no more."""

    def judge(self) -> None:
        """Say whether the newest acknowledged state is missing."""


class Scene:
    """One test in one process. `quiet` is set when publishers have to stop; `busy` counts those under way."""

    def __init__(self, environment: Environment) -> None:
        if not environment.host:
            raise ValueError("nowhere to go: say --host https://localhost:8443")
        self.options = Options.of(environment.parsed_options)
        options = self.options
        self.endpoint = Endpoint(
            environment.host, ca=options.ca, server_name=options.server_name, sources=options.sources
        )
        self.popularity = Popularity(options.resources, options.zipf)
        self.random = Random()
        self.ledger = Ledger()
        self.watchers: set[Actor] = set()
        self.connected = 0
        self.quiet = threading.Event()
        self.publishing = 0


_SCENES: Final[dict[int, Scene]] = {}


def scene_of(environment: Environment) -> Scene:
    """The scene of the test that runs now."""
    key = id(environment)
    if key not in _SCENES:
        _SCENES[key] = Scene(environment)
    return _SCENES[key]


def new_scene(environment: Environment) -> None:
    """Another test begins."""
    _SCENES.pop(id(environment), None)
