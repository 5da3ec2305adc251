"""The process of a service: settings in, run until a signal, exit status out."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvloop

from shared.errors import WatchrouteError
from shared.serving import stop_requested
from shared.settings import RootSettings
from shared.telemetry import configure_logs

S = TypeVar("S", bound=RootSettings)


def run_service(settings_class: type[S], serve: Callable[[S, asyncio.Event], Awaitable[None]]) -> int:
    """Read the settings and serve until SIGTERM or SIGINT; returns the exit status, 1 with the reason on stderr."""

    async def run(settings: S) -> None:
        await serve(settings, stop_requested())

    _raise_file_limit()
    try:
        settings = settings_class.load()
        configure_logs(settings.log)
        uvloop.run(run(settings))
    except WatchrouteError as error:
        print(error, file=sys.stderr)  # noqa: T201 -- a person started it, and reads why it didn't start
        return 1
    return 0


def _raise_file_limit() -> None:
    """A connection is a file: take as many as the system lets us, where the usual 1 024 is only a default."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 -- there is none on Windows

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
