"""Records from Kafka, whoever wrote them: an event that every wire can tell, or one of the declared reasons."""

from random import Random
from typing import Final, NamedTuple, get_args

import msgpack
import orjson

from services.pushserver.close import CLIENT_CLOSED
from services.pushserver.wire import WS_JSON, WS_MSGPACK
from shared.event import Event, decode_record, encode_headers, format_time
from shared.resource import id_mistake
from shared.value import ValueFormat
from tests.hostile.fuzz.mutation import Mutator
from tests.support.core_client import Client, broadcast, hub_of

_MOST_BYTES: Final = 5000
_REASONS: Final = frozenset({"key", "too_large", "syntax", "depth", "number"})
_VALUES: Final = (
    {"price": 1.5, "tags": ["a", None, True], "deep": [[[{}]]]},
    "café",
    12345678901234567890,
    None,
    [1e300],
)
_JSON: Final = (*map(orjson.dumps, _VALUES), b'{\n"a": 1,\r\n"b": 2}', b"1e400", b"-0.0")
_MSGPACK: Final = (*map(msgpack.packb, _VALUES), b"\xd6\xff\x00\x00\x00\x01", b"\xc4\x01a")
_HEADERS: Final = tuple(value for _, value in encode_headers("a", 1_800_000_000_123, {}, collection="stocks"))
_NAMES: Final = ("ce_id", "ce_source", "ce_type", "ce_time", "ce_specversion", "content-type", "")
_FORMATS: Final = get_args(ValueFormat)
_AT_ONCE: Final = 2000


class Record(NamedTuple):
    """What Kafka has of one."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp_ms: int
    value_format: ValueFormat


class Records:
    """Inputs are records."""

    name = "records"

    def __init__(self) -> None:
        self._told = 0
        self._hub = hub_of()

    def make(self, random: Random) -> Record:
        """One whose parts are nearly right."""
        value_format: ValueFormat = random.choice(_FORMATS)
        values, attributes = Mutator(random, _JSON if value_format == "json" else _MSGPACK), Mutator(random, _HEADERS)
        names = _NAMES if random.random() < 0.5 else ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "")
        headers = [(name, attributes.make()) for name in names] if random.random() < 0.7 else []
        return Record(
            Mutator(random, (b"AAPL", "café".encode(), b"a/b", b"..")).make() if random.random() < 0.95 else None,
            values.make() if random.random() < 0.95 else None,
            [*headers[: random.randrange(8)]],
            random.choice((-1, 0, 1_800_000_000_000, 1 << 53, (1 << 63) - 1)),
            value_format,
        )

    def run(self, data: Record) -> bool:
        """Whether it is an event."""
        self._told += 1
        if self._told % _AT_ONCE == 0:
            self._hub = hub_of()
        offset, made = self._told, Record(*data)
        event = decode_record(
            made.key, made.value, made.headers, 0, offset, made.timestamp_ms, made.value_format, _MOST_BYTES
        )
        if not isinstance(event, Event):
            assert event in _REASONS, event
            return False
        _check(event)
        self._tell(event)
        return True

    def _tell(self, event: Event) -> None:
        watchers = [Client(self._hub, wire["json"], limit_bytes=1 << 20) for wire in (WS_JSON, WS_MSGPACK)]
        for watcher in watchers:
            watcher.watch("stocks?prefix=~never~", snapshot=False)
            watcher.watch("stocks", snapshot=False)
            watcher.frames()
        broadcast(self._hub, event)
        for watcher in watchers:
            assert [frame.get("version") for frame in watcher.frames()][-1:] == [str(event.offset)]
            watcher.subscriber.end(CLIENT_CLOSED)
            self._hub.leave(watcher.subscriber)


def _check(event: Event) -> None:
    assert id_mistake(event.id) is None
    if event.data is not None:
        assert b"\n" not in event.data, "an event is one line"
        assert b"\r" not in event.data, "an event is one line"
        orjson.loads(event.data)
    for text in (event.type, event.source, event.event_id):
        assert text is None or len(text.encode()) <= 1024
    format_time(event.occurred_ms)
