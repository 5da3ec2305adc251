"""The event: one change of one resource, and its Kafka record form both ways.

Records are CloudEvents in binary mode: the value is the data, the attributes are headers (`ce_id`, `ce_type`, …).
Records without such headers (plain keyed JSON or msgpack of a foreign topic) are events just the same.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.resource import decode_key
from shared.value import MalformedValue, ValueFormat, json_text

_NO_NAMES: Final = (None, None)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_MAX_ATTRIBUTE_BYTES: Final = 1024
_MAX_NAMES: Final = 10_000
_MAX_SECONDS: Final = 10_000
_OURS: Final = slice(1, 5)
_TO_THE_SECOND: Final = len("2026-11-23T10:00:00.")
_MILLIS: Final = {b"%03dZ" % ms: ms for ms in range(1000)}
"""How a time of our own ends, after the second."""

Names = tuple[str | None, str | None]
Headers = Sequence[tuple[str, bytes | None]]

_names: dict[tuple[bytes | None, bytes | None], Names] = {}
"""Event types and sources repeat: each pair is kept once, so that a million events share it. Emptied when full."""
_seconds: dict[bytes, int] = {}
"""So do seconds: reading one takes three times as long as finding it here. Emptied when full."""


class Event:
    """One change of one resource; never changed once made.

    `data` is the state as JSON text without raw line breaks, or None when the resource was deleted (JSON null is
    `b"null"`). `offset` is the version. `logged_ms` is the record's own timestamp, `occurred_ms` what `ce_time` says
    (the same, where the record says nothing), both in milliseconds since 1970. `type`, `source` and `event_id` are
    the CloudEvents attributes, None where the record has none.

    A million of them are held. So there are no more than eight fields (96 bytes), `type` and `source` are one shared
    pair, `event_id` stays the bytes that it was in the record, and `occurred_ms` is kept as what it is earlier than
    `logged_ms`: Python has the numbers from -5 to 256 already, where a time would be an object of its own.
    """

    __slots__ = ("_event_id", "_lead_ms", "_names", "data", "id", "logged_ms", "offset", "partition")

    def __init__(  # noqa: PLR0913 -- as many as the fields of a record
        self,
        id: str,  # noqa: A002 -- the field's own word
        partition: int,
        offset: int,
        logged_ms: int,
        data: bytes | None,
        *,
        type: str | None = None,  # noqa: A002 -- the field's own word
        source: str | None = None,
        event_id: str | None = None,
        occurred_ms: int | None = None,
    ) -> None:
        self.id = id
        self.partition = partition
        self.offset = offset
        self.logged_ms = logged_ms
        self.data = data
        self._names: Names = (type, source)
        self._event_id = None if event_id is None else event_id.encode()
        self._lead_ms = 0 if occurred_ms is None else logged_ms - occurred_ms

    def __repr__(self) -> str:
        what = "delete" if self.data is None else f"{len(self.data)} bytes"
        return f"<Event {self.id!r} {self.partition}@{self.offset} {what}>"

    @property
    def occurred_ms(self) -> int:
        """When it happened."""
        return self.logged_ms - self._lead_ms

    @property
    def type(self) -> str | None:
        """What kind of change it is."""
        return self._names[0]

    @property
    def source(self) -> str | None:
        """Where it happened."""
        return self._names[1]

    @property
    def event_id(self) -> str | None:
        """The producer's own id of it."""
        return _text(self._event_id)


def decode_record(
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    partition: int,
    offset: int,
    timestamp_ms: int,
    value_format: ValueFormat,
    max_bytes: int,
) -> Event | str:
    """The event in a Kafka record, or the reason why there is none: `key`, `too_large`, `syntax`, `depth`, `number`.

    A header that can't be read is left out; it never makes the record malformed.
    """
    resource_id = decode_key(key)
    if resource_id is None:
        return "key"
    if value is not None:
        if len(value) > max_bytes:
            return "too_large"
        try:
            value = json_text(value, value_format)
        except MalformedValue as malformed:
            return malformed.reason
    # Without __init__, which would take longer than all the rest of this function but the JSON.
    event = Event.__new__(Event)
    event.id = resource_id
    event.partition = partition
    event.offset = offset
    event.logged_ms = timestamp_ms
    event.data = value
    if headers:
        _read_headers(event, headers)
    else:
        event._names, event._event_id, event._lead_ms = _NO_NAMES, None, 0  # noqa: SLF001 -- made here
    return event


def _read_headers(event: Event, headers: Headers) -> None:
    event_id, source, type_, time = _attributes(headers)
    event._names = _names.get((type_, source)) or _keep_names(type_, source)  # noqa: SLF001 -- made in this module
    event._event_id = _bounded(event_id)  # noqa: SLF001 -- see above
    occurred_ms = None if time is None else _read_time_ms(time)
    event._lead_ms = 0 if occurred_ms is None else event.logged_ms - occurred_ms  # noqa: SLF001 -- see above


def _attributes(headers: Headers) -> Iterable[bytes | None]:
    """The values of `ce_id`, `ce_source`, `ce_type` and `ce_time`, None for what is missing."""
    if len(headers) > _OURS.stop:
        # In the order in which `encode_headers` writes them, they are found in half the time.
        (first, event_id), (second, source), (third, type_), (fourth, time) = headers[_OURS]
        if first == "ce_id" and second == "ce_source" and third == "ce_type" and fourth == "ce_time":
            return event_id, source, type_, time
    named = dict(headers)
    return named.get("ce_id"), named.get("ce_source"), named.get("ce_type"), named.get("ce_time")


def encode_headers(
    resource_id: str,
    now_ms: int,
    attributes: Mapping[str, str],
    *,
    collection: str,
    content_type: str = "application/json",
) -> list[tuple[str, bytes]]:
    """The record headers of an event of ours.

    `attributes` are CloudEvents attributes by their own names (`type`, `source`, `id`, …) and `traceparent`; what is
    missing is filled in.
    """
    named = {
        "specversion": "1.0",
        "id": secrets.token_urlsafe(12),
        "source": f"/v1/{collection}",
        "type": "resource.changed",
        "time": format_time(now_ms),
        "subject": resource_id,
        **attributes,
    }
    traceparent = named.pop("traceparent", None)
    headers = [(f"ce_{name}", text.encode()) for name, text in named.items()]
    headers.append(("content-type", content_type.encode()))
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def format_time(ms: int) -> str:
    """Milliseconds since 1970 as RFC 3339 text in UTC."""
    try:
        moment = datetime.fromtimestamp(ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return "1970-01-01T00:00:00.000Z"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def parse_time_ms(text: str) -> int | None:
    """RFC 3339 text as milliseconds since 1970, or None; a time without a zone counts as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND


def _read_time_ms(text: bytes) -> int | None:
    second_ms, millis = _seconds.get(text[:_TO_THE_SECOND]), _MILLIS.get(text[_TO_THE_SECOND:])
    if second_ms is not None and millis is not None:
        return second_ms + millis
    time_ms = parse_time_ms(_text(text) or "") if len(text) <= _MAX_ATTRIBUTE_BYTES else None
    if time_ms is not None and millis is not None and text[_TO_THE_SECOND - 1 : _TO_THE_SECOND] == b".":
        if len(_seconds) >= _MAX_SECONDS:
            _seconds.clear()
        _seconds[text[:_TO_THE_SECOND]] = time_ms - millis
    return time_ms


def _keep_names(type_: bytes | None, source: bytes | None) -> Names:
    names = _text(_bounded(type_)), _text(_bounded(source))
    if len(_names) >= _MAX_NAMES:
        _names.clear()
    if len(type_ or b"") + len(source or b"") <= _MAX_ATTRIBUTE_BYTES:
        _names[type_, source] = names
    return names


def _bounded(raw: bytes | None) -> bytes | None:
    return None if raw is None or len(raw) > _MAX_ATTRIBUTE_BYTES else raw


def _text(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
