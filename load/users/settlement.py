"""What master and workers tell each other: settle, what was acknowledged, and that everybody is to come back at once.

    shape: settle ──► workers: no more changes; acknowledged ──► master: all of it together ──► workers: confirmed
    shape: storm  ──► workers: every watcher connects anew

In a process alone, locust hands a message to the process itself.
"""

import threading
import time
from typing import Any

from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner, Runner, WorkerRunner

from load.users.ledger import Ledger
from load.users.scene import scene_of

_LOOK_S = 0.05


def install(environment: Environment, runner: Runner) -> None:
    """Listen to the messages that concern this process."""
    if isinstance(runner, MasterRunner):
        runner.register_message("acknowledged", _Gathering(runner))
    else:
        runner.register_message("settle", _on_settle)
        runner.register_message("storm", _on_storm)
        runner.register_message("confirmed", _on_confirmed)
        if not isinstance(runner, WorkerRunner):
            runner.register_message("acknowledged", _on_confirmed)
    environment.events.test_stopping.add_listener(_judge)


class _Gathering:
    """The master's part: told by every worker, it tells every worker the sum."""

    def __init__(self, runner: MasterRunner) -> None:
        self._runner = runner
        self._ledger = Ledger()
        self._told: set[str] = set()

    def __call__(self, *, environment: Environment, msg: Message) -> None:
        del environment
        self._ledger.merge(msg.data)
        self._told.add(msg.node_id)
        if len(self._told) == self._runner.worker_count:
            self._runner.send_message("confirmed", self._ledger.versions)
            self._told.clear()
            self._ledger = Ledger()


def _on_settle(*, environment: Environment, msg: Message) -> None:
    """The publishers are to stop. The messages that come meanwhile are not to wait for that."""
    del msg
    threading.Thread(target=_settle, args=(environment,)).start()


def _settle(environment: Environment) -> None:
    scene = scene_of(environment)
    scene.quiet.set()
    for watcher in list(scene.watchers):
        watcher.stay()
    give_up_at = time.monotonic() + scene.options.settle / 2
    while scene.publishing and time.monotonic() < give_up_at:
        time.sleep(_LOOK_S)
    if environment.runner:
        environment.runner.send_message("acknowledged", scene.ledger.versions)


def _on_confirmed(*, environment: Environment, msg: Message) -> None:
    ledger = scene_of(environment).ledger
    ledger.merge(msg.data)
    ledger.complete = True


def _on_storm(*, environment: Environment, msg: Message) -> None:
    del msg
    for watcher in list(scene_of(environment).watchers):
        watcher.hurry()


def _judge(environment: Environment, **_: Any) -> None:
    """The test stops: whoever hasn't come as far as what was acknowledged has missed it."""
    scene = scene_of(environment)
    if scene.ledger.complete:
        for watcher in list(scene.watchers):
            watcher.judge()
