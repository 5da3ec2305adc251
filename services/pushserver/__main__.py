"""Run a push server: `python -m services.pushserver`."""

import sys

import uvloop

from services.pushserver.app import serve
from services.pushserver.settings import Settings
from shared.errors import ConfigurationError, WatchrouteError
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
    except (ConfigurationError, WatchrouteError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
