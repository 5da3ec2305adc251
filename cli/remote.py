"""A server as the commands reach it: where it is, who asks, and what it refuses."""

import os
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from shared.errors import WatchrouteError
from watchroute_client import WatchClient, WatchError

DEFAULT_URL: Final = "http://127.0.0.1:8080"
TOKEN: Final = "WATCHROUTE_TOKEN"  # noqa: S105 -- the name of a variable


class Refused(WatchrouteError):
    """The server refused; the message says why."""


class Remote(NamedTuple):
    """Where to ask. A token is never an argument: other users of the machine see those."""

    url: str
    token_file: Path | None
    ca: Path | None

    def client(self, transports: Sequence[str] = ("ws", "sse", "poll"), form: str | None = None) -> WatchClient:
        """A client of it; the file of the token is read anew whenever a token is needed."""
        tls = ssl.create_default_context(cafile=self.ca) if self.ca else None
        return WatchClient(self.url, token=self._token(), transports=transports, tls=tls, form=form)

    def _token(self) -> str | Callable[[], str] | None:
        file = self.token_file
        if file is not None:
            return lambda: file.read_text(encoding="utf-8").strip()
        return os.environ.get(TOKEN) or None


def remote_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `url`, `token_file` and `ca`, which are the members of a Remote."""
    file = click.Path(path_type=Path, dir_okay=False, exists=True)
    for option in (
        click.option("--ca", type=file, help="Trust the certificates that this file vouches for."),
        click.option("--token-file", type=file, help=f"A file with the token.  [default: the variable {TOKEN}]"),
        click.option("--url", default=DEFAULT_URL, show_default=True, envvar="WATCHROUTE_URL", help="The server."),
    ):
        command = option(command)
    return command


@contextmanager
def refusals() -> Iterator[None]:
    """Let what a server refuses be one message, with every mistake that it names."""
    try:
        yield
    except WatchError as error:
        raise Refused("\n  ".join([str(error), *map(said, error.members.get("errors", []))])) from None


def said(mistake: Any) -> str:
    """One of the `errors` of a problem, for a person."""
    if not isinstance(mistake, dict):
        return str(mistake)
    return "; ".join([str(mistake.get("detail")), *map(str, mistake.get("errors", []))])
