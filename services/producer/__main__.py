"""Run a producer service: `python -m services.producer`."""

import sys

import uvloop

from services.producer.app import serve
from services.producer.settings import Settings
from shared.errors import WatchrouteError
from shared.serving import stop_requested
from shared.telemetry import configure_logs


async def _run(settings: Settings) -> None:
    await serve(settings, stop_requested())


def main() -> int:
    """Read the settings, run until SIGTERM; returns the exit status."""
    try:
        settings = Settings.load()
        configure_logs(settings.log)
        uvloop.run(_run(settings))
    except WatchrouteError as error:
        print(error, file=sys.stderr)  # noqa: T201 -- a person started it, and reads why it didn't start
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
