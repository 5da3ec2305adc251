"""The polling transports: long poll, and short poll of the bare URLs."""

import asyncio
import contextlib
import json
from typing import Any, ClassVar, Final

import aiohttp

from tests.support.client_ask import Ask
from tests.support.client_http import Answer, Http
from tests.support.client_watcher import Refused, Watcher
from tests.support.recording import DEADLINE_S, End, Frame, Recording
from tests.support.witness import witnessed_frame

WAIT_S: Final = 1
SHORT_POLL_INTERVAL_S: Final = 0.03
RETRY: Final = 503


class PollWatcher(Watcher):
    """A loop of requests; the first one is the connect."""

    def __init__(self, url: str, ask: Ask) -> None:
        super().__init__(url, ask)
        self.http = Http(url)
        self.answers = 0

    async def _connect(self) -> None:
        if isinstance(self, ShortPollWatcher) or self.ask.cursor is None:
            await self._first()

    async def _first(self) -> None:
        try:
            await self._poll()
        except BaseException:
            await self.http.close()
            raise

    async def _receive(self) -> End:
        try:
            while True:
                await self._poll()
                await self._pause()
        except (aiohttp.ClientError, ConnectionError) as error:
            return End(1006, repr(error))
        except Refused as refusal:
            with contextlib.suppress(ValueError):
                self.recording.add({"event": "problem", **refusal.problem})
            return End(refusal.status, "refused")

    async def wait_synced(self, timeout_s: float = DEADLINE_S) -> None:
        """Return after the first answer: a resume by poll has no `synced`."""

        def answered(_: Recording) -> bool:
            return self.answers > 0

        await self.until(answered, timeout_s)

    async def _disconnect(self) -> None:
        """Nothing is open between two polls."""

    def _abort(self) -> None:
        """As above: `_settle` cancels the request that is under way."""

    async def _settle(self) -> None:
        await super()._settle()
        await self.http.close()

    async def _pause(self) -> None:
        """How long to stay away before the next poll."""

    async def _poll(self) -> None:
        raise NotImplementedError

    def _answered(self) -> None:
        self.answers += 1


class LongPollWatcher(PollWatcher):
    """`.../poll`, again and again, each time with the cursor of the last answer."""

    transport: ClassVar[str] = "longpoll"

    async def _poll(self) -> None:
        ask = self.ask if self.cursor is None else self.ask.resume(self.cursor)
        answer = await self.http.get(ask.target("/poll", extra=(("wait", str(WAIT_S)),)))
        if answer.status != 200:
            raise Refused(answer.status, answer.headers, answer.body)
        self._record(answer.json())

    def _record(self, body: dict[str, Any]) -> None:
        assert set(body) == {"frames", "cursor"}, body
        self._answered()
        for frame in body["frames"]:
            witnessed_frame(self, frame)
        *before, last = body["frames"] or [None]
        for frame in before:
            self.recording.add(frame)
        if last is None:
            self.recording.mark(body["cursor"])
        else:
            self.recording.add(last, body["cursor"])


class ShortPollWatcher(PollWatcher):
    """GET of a resource with its ETag, or the listing of a collection, compared with the one before.

    A resource that is gone becomes a `delete` without a version: a short poller can't know it.
    """

    transport: ClassVar[str] = "shortpoll"

    def __init__(self, url: str, ask: Ask) -> None:
        super().__init__(url, ask)
        self._etag: str | None = None
        self._known: dict[str, str] = {}

    @property
    def not_modified(self) -> int:
        """How many polls were answered without a body."""
        return self._not_modified

    _not_modified = 0

    async def _pause(self) -> None:
        await asyncio.sleep(SHORT_POLL_INTERVAL_S)

    async def _poll(self) -> None:
        if self.ask.one.id is not None:
            await self._poll_resource()
        else:
            await self._poll_collection()

    async def _poll_resource(self) -> None:
        headers = {"If-None-Match": self._etag} if self._etag else {}
        answer = await self.http.get(self.ask.target(), headers=headers)
        self._answered()
        if answer.status == 304:
            self._not_modified += 1
            return
        if answer.status not in {200, 404}:
            raise Refused(answer.status, answer.headers, answer.body)
        found = {} if answer.status == 404 else {self.ask.one.label: _put(self.ask.one.label, answer)}
        self._etag = answer.headers.get("ETag")
        self._compare(found, answer.headers["Watch-Cursor"])

    async def _poll_collection(self) -> None:
        found: dict[str, Frame] = {}
        cursor: str | None = None
        target: str | None = self.ask.target(extra=(("limit", "1000"),))
        while target is not None:
            answer = await self.http.get(target)
            if answer.status != 200:
                raise Refused(answer.status, answer.headers, answer.body)
            found |= {frame["resource"]: frame for frame in answer.page()}
            cursor = cursor or answer.json()["cursor"]
            target = answer.next_page()
        self._answered()
        self._compare(found, cursor)

    def _compare(self, found: dict[str, Frame], cursor: str | None) -> None:
        news = [frame for name, frame in found.items() if self._known.get(name) != frame["version"]]
        gone = [{"event": "delete", "resource": name} for name in self._known if name not in found]
        self._known = {name: frame["version"] for name, frame in found.items()}
        for frame in [*news, *gone]:
            self.recording.add(frame)
        if cursor is not None and (news or gone or self.answers == 1):
            self.recording.mark(cursor)


def _put(resource: str, answer: Answer) -> Frame:
    return {"event": "put", "resource": resource, "version": answer.version(), "data": json.loads(answer.body)}
