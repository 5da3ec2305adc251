"""Fresh topics on the broker, and the configuration that serves them."""

import json
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.support.broker import Broker
from tests.support.fleet import create_topics

_PARTITIONS: Final = 12
_OPEN: Final = ('mode = "none"',)


class Ground:
    """Collections with topics of their own, and the file that names both.

    `server_core` is where a server of them runs, alone; None: on any core. `auth` has the lines of its `[auth]` table;
    everybody may watch all the same.
    """

    def __init__(
        self,
        broker: Broker,
        folder: Path,
        collections: Iterable[str],
        server_core: int | None,
        *,
        auth: Sequence[str] = _OPEN,
    ) -> None:
        self.broker = broker
        self.folder = folder
        self.server_core = server_core
        self._auth = auth
        self._suffix = secrets.token_hex(4)
        self._tables = {name: self._table(name) for name in collections}
        self.config = folder / f"bench-{self._suffix}.toml"

    def topic(self, collection: str) -> str:
        """The topic of a collection."""
        return f"{collection}-{self._suffix}"

    async def make(self) -> None:
        """Create the topics and write the file."""
        await create_topics(self.broker, self._tables.values())
        lines = ["[auth]", *self._auth, "[kafka]", f"bootstrap = {json.dumps(self.broker.bootstrap)}"]
        if not self.broker.real:
            # The embedded broker sleeps the whole of it.
            lines.append("quiet_fetch_wait_ms = 10")
        for name, table in self._tables.items():
            lines += [f"[collections.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        self.config.write_text("\n".join(lines) + "\n")

    def _table(self, name: str) -> dict[str, object]:
        # History costs memory and time for each record: only what is watched in log mode has it.
        modes = ["state", "log"] if name == "feed" else ["state"]
        return {"topic": self.topic(name), "partitions": _PARTITIONS, "modes": modes, "public": True}
