"""What every peer tells its readers: a record as a frame with those members of ours that the readers look at."""

from typing import Any, Final

import orjson

SYNCED: Final = '{"event":"synced"}'
"""What a reader waits for before it counts."""


def frame(record: Any) -> str:
    """A record of aiokafka's as text, made once for everybody: the least that a server can do."""
    told = {
        "event": "put",
        "resource": f"stocks/{record.key.decode()}",
        "version": str(record.offset),
        "data": orjson.loads(record.value),
    }
    return orjson.dumps(told).decode()
