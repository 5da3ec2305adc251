"""Writes of WebSocket clients, passed on to the producer service."""

from typing import Any, Final

import aiohttp
import orjson

from services.pushserver.session import Publish
from shared.problem import KINDS, Problem
from shared.resource import path_of

_TIMEOUT_S: Final = 30.0
_MAX_ANSWER_BYTES: Final = 65_536


class Relay:
    """A client of the producer at a URL such as `http://producer:8080`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def publish(self, write: Publish) -> dict[str, str]:
        """Do a write; returns `version` and `cursor`.

        Raises Problem: the producer's own, or `unavailable`, with its `outcome`.
        """
        session = self._session = self._session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_TIMEOUT_S))
        url = self._url + path_of(write.watch.collection, write.watch.id or "")
        body = None if write.delete else orjson.dumps(write.data)
        headers = {} if body is None else {"Content-Type": "application/json"}
        if write.token is not None:
            headers["Authorization"] = f"Bearer {write.token.get_secret_value()}"
        try:
            async with session.request("DELETE" if body is None else "PUT", url, data=body, headers=headers) as answer:
                document = orjson.loads(await answer.content.read(_MAX_ANSWER_BYTES))
                ok = answer.ok
        except aiohttp.ClientConnectorError as error:
            detail = f"the producer can't be reached ({type(error).__name__}): nothing was written"
            raise Problem("unavailable", detail, outcome="not_written") from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            detail = f"the producer doesn't answer ({type(error).__name__}): the write may or may not have been done"
            raise Problem("unavailable", detail, outcome="unknown") from None
        if not ok:
            raise _problem(document)
        return {"version": document["version"], "cursor": document["cursor"]}

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()


def _problem(document: Any) -> Problem:
    code = document.get("code") if isinstance(document, dict) else None
    if not isinstance(code, str) or code not in KINDS:
        return Problem("unavailable", "the producer answered what is no problem document", outcome="unknown")
    members = {name: document[name] for name in ("errors", "limit", "outcome") if name in document}
    return Problem(code, str(document.get("detail", "")), **members)
