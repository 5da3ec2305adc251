"""What a transport brings: frames, or trouble."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import aiohttp
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from shared.errors import WatchrouteError
from shared.problem import KINDS, MEDIA_TYPE

SLOW_CLOSE: Final = KINDS["slow"].close


class Arrival(NamedTuple):
    """A frame as JSON text (empty: only progress), and how far the watch has come with it, where that is said."""

    text: str
    cursor: str | None = None


class Trouble(WatchrouteError):
    """The watch has ended, or a write was refused.

    `retry` says whether trying again makes sense, `after_s` when; `problem` is the server's own account, if any.
    """

    def __init__(
        self,
        what: str,
        *,
        retry: bool = True,
        after_s: float | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        self.retry = retry
        self.after_s = after_s
        self.problem = problem or {}
        super().__init__(what)

    @property
    def cursor(self) -> str | None:
        """From where to go on, if that is another place than the last one known."""
        return self.problem.get("cursor")


def trouble_of_frame(frame: Mapping[str, Any]) -> Trouble:
    """What a `problem` frame says."""
    return Trouble(f"{frame.get('code')}: {frame.get('message')}", retry=bool(frame.get("retry")), problem=frame)


async def check_answer(answer: aiohttp.ClientResponse) -> None:
    """Raise Trouble unless the server took the request in."""
    if answer.status == 200:  # noqa: PLR2004 -- OK
        return
    raise trouble_of_answer(answer.status, answer.headers, await answer.text())


def trouble_of_answer(status: int, headers: Mapping[str, str], body: str) -> Trouble:
    """What a refusal says, be it ours or of something between."""
    if headers.get("Content-Type", "").partition(";")[0] != MEDIA_TYPE:
        return Trouble(f"HTTP {status}: {body[:200]}", retry=status >= 500)  # noqa: PLR2004 -- a failing gateway
    problem = json.loads(body)
    code = str(problem.get("code"))
    return Trouble(
        f"{code}: {problem.get('detail')}",
        retry=KINDS[code].retry if code in KINDS else status >= 500,  # noqa: PLR2004 -- the same
        after_s=_seconds(headers.get("Retry-After")),
        problem=problem,
    )


@contextmanager
def connection_errors() -> Iterator[None]:
    """Let what libraries and the system raise about a connection be Trouble."""
    try:
        yield
    except InvalidStatus as refused:
        answer = refused.response
        raise trouble_of_answer(answer.status_code, answer.headers, bytes(answer.body or b"").decode()) from None
    except ConnectionClosed as closed:
        raise _trouble_of_close(closed) from None
    except (aiohttp.ClientError, WebSocketException, OSError) as error:
        raise Trouble(f"the connection failed: {_said(error)}") from error


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__


def _trouble_of_close(closed: ConnectionClosed) -> Trouble:
    received = closed.rcvd
    if received is None:
        return Trouble("the connection was lost")
    # What the server could not write as a frame to a slow reader it says in the reason.
    problem = {"cursor": received.reason or None} if received.code == SLOW_CLOSE else {}
    return Trouble(f"closed with {received.code} {received.reason}".strip(), problem=problem)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() else None
