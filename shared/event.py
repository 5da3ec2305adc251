"""The event: one change of one resource, and its Kafka record form both ways.

Records are CloudEvents in binary mode: the value is the data, the attributes are headers (`ce_id`, `ce_type`, …).
Records without such headers (plain keyed JSON or msgpack of a foreign topic) are events just the same.
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.resource import decode_key
from shared.value import MalformedValue, ValueFormat, json_text

_names: dict[str, str] = {}
"""Event types and sources repeat: each is kept once, up to a bound, so that a million events share them."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_MAX_INTERNED: Final = 10_000
_MAX_ATTRIBUTE_BYTES: Final = 1024
_HONOURED: Final = frozenset({"ce_id", "ce_source", "ce_time", "ce_type"})
Headers = Iterable[tuple[str, bytes | None]]


class Event:
    """One change of one resource; never changed once made.

    `data` is the state as JSON text without raw line breaks, or None when the resource was deleted (JSON null is
    `b"null"`). `offset` is the version. `logged_ms` is the record's own timestamp, `occurred_ms` what `ce_time` says
    (the same, where the record says nothing), both in milliseconds since 1970. `type`, `source` and `event_id` are
    the CloudEvents attributes, None where the record has none.
    """

    __slots__ = ("data", "event_id", "id", "logged_ms", "occurred_ms", "offset", "partition", "source", "type")

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
        self.occurred_ms = logged_ms if occurred_ms is None else occurred_ms
        self.data = data
        self.type = type
        self.source = source
        self.event_id = event_id

    def __repr__(self) -> str:
        what = "delete" if self.data is None else f"{len(self.data)} bytes"
        return f"<Event {self.id!r} {self.partition}@{self.offset} {what}>"


def decode_record(
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    *,
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
    if value is not None and len(value) > max_bytes:
        return "too_large"
    try:
        data = None if value is None else json_text(value, value_format)
    except MalformedValue as malformed:
        return malformed.reason
    if not headers:
        return Event(resource_id, partition, offset, timestamp_ms, data)
    named = _attributes(headers)
    return Event(
        resource_id,
        partition,
        offset,
        timestamp_ms,
        data,
        type=_shared(named.get("ce_type")),
        source=_shared(named.get("ce_source")),
        event_id=named.get("ce_id"),
        occurred_ms=_parse_time_ms(named["ce_time"], timestamp_ms) if "ce_time" in named else None,
    )


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


def _parse_time_ms(text: str, otherwise: int) -> int:
    # The usual case, our own records: the same moment as the record's, kept as one number.
    ms = parse_time_ms(text)
    return otherwise if ms is None or ms == otherwise else ms


def _attributes(headers: Headers) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, text in headers:
        if name in _HONOURED and text is not None and len(text) <= _MAX_ATTRIBUTE_BYTES:
            try:
                named[name] = text.decode()
            except UnicodeDecodeError:
                continue
    return named


def _shared(text: str | None) -> str | None:
    if text is None:
        return None
    if len(_names) >= _MAX_INTERNED:
        return _names.get(text, text)
    return _names.setdefault(text, text)
