"""The transport that holds nothing open: GET again and again."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from load.users.caller import Caller
from load.users.http import NOT_FOUND, NOT_MODIFIED, OK, Answer, Refused
from load.users.watcher import Watcher

_EPOCH_OVER = 400


class ShortPollUser(Watcher):
    """Asks for one resource with the ETag and the cursor that it has, then thinks for a while.

    It is the cursor that makes a state that goes back a broken promise: a bare GET promises only what its server has.
    """

    transport: ClassVar[str] = "short poll"
    wide: ClassVar[bool] = False
    thorough: ClassVar[bool] = False

    def frames(self) -> Iterator[Mapping[str, Any]]:
        """Until its life is over, or it is refused."""
        caller = Caller(self.connect, self.scene.endpoint.host)
        etag = ""
        while True:
            asked = time.perf_counter()
            answer, body = caller.ask("GET", self._target(), self.fields | ({"If-None-Match": etag} if etag else {}))
            if answer.status not in {OK, NOT_MODIFIED, NOT_FOUND}:
                yield from self._refused(answer, body)
                etag = ""
                continue
            self.row("GET", (time.perf_counter() - asked) * 1000, len(body))
            self.on_answer(answer)
            if answer.status == OK:
                etag = answer.fields["etag"]
                yield {"event": "put", "resource": self.watch, "version": _version(etag), "data": json.loads(body)}
            yield {"event": "synced", "cursor": answer.fields.get("watch-cursor")}
            self._think()

    def _refused(self, answer: Answer, body: bytes) -> Iterator[Mapping[str, Any]]:
        """A cursor of a log that is no more is of no use; everything else is for the caller."""
        if answer.status != _EPOCH_OVER or self.view.cursor is None:
            raise Refused(answer, body)
        yield {"event": "reset", "reason": "epoch"}

    def _target(self) -> str:
        known = {"at_least": self.view.cursor} if self.view.cursor else {}
        return f"/v1/{quote(self.watch)}{'?' if known else ''}{urlencode(known)}"

    def _think(self) -> None:
        """Wait for a while; nobody thinks through the whole of the settling."""
        options, quiet = self.scene.options, self.scene.quiet
        pause_s = self.scene.random.expovariate(1 / options.think) if options.think else 0.0
        if quiet.is_set():
            time.sleep(min(pause_s, options.settle / 4))
        else:
            quiet.wait(pause_s)


def _version(etag: str) -> str:
    return etag.strip('"').partition("-")[0]
