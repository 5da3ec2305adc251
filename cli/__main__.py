"""The `watchroute` command."""

import sys
from importlib import import_module
from typing import Any, Final

import click

from shared.errors import WatchrouteError

_COMMANDS: Final = {
    "demo": "cli.demo",
    "dev": "cli.dev",
    "pages": "cli.pages",
    "tail": "cli.tail",
    "watch": "cli.watch",
    "get": "cli.get",
    "put": "cli.put",
    "revoke": "cli.revoke",
    "topics": "cli.topics",
    "token": "cli.token",
    "check-config": "cli.check_config",
    "docs": "cli.configuration_docs",
}
"""Each command, and the module that holds it under its own name: what it imports costs only who uses it."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(import_module(_COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        return found


@click.group(cls=_Commands)
@click.version_option(package_name="watchroute")
def watchroute() -> None:
    """Watch resources over WebSocket, SSE and long poll, on top of Apache Kafka."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command; returns or raises the exit status."""
    try:
        return watchroute.main(arguments, prog_name="watchroute")
    except WatchrouteError as error:
        click.echo(f"watchroute: {error}", err=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
