"""What was asked: the address, the parameters and the headers of a request, checked. Used by every transport."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

from services.pushserver.subscription import WatchRequest
from services.pushserver.wire import FORMATS, Format
from shared.audit import NOBODY, Asker
from shared.catalog import MODES
from shared.event import parse_time_ms
from shared.notice import NOTHING
from shared.principal import EVERYBODY, Principal
from shared.problem import Problem
from shared.resource import Watch, checked_prefix
from shared.target import Target, parse_target

SSE: Final = "text/event-stream"
JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
MSGPACK: Final = "application/msgpack"
MAX_QUERY_BYTES: Final = 65_536
MAX_WAIT_S: Final = 60.0
_SHORT_BYTES: Final = 512
_PLAIN: Final = frozenset({"get", "list"})

_WATCH: Final = frozenset({"cursor", "since", "mode", "snapshot", "format", "at_least"})
_PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "get": frozenset({"at_least"}),
    "list": frozenset({"prefix", "limit", "after", "format", "at_least"}),
    "stream": _WATCH | {"prefix"},
    "ws": _WATCH | {"prefix"},
    "poll": _WATCH | {"prefix", "wait"},
    "watch/stream": _WATCH | {"resource"},
    "watch/ws": _WATCH | {"resource"},
    "watch/poll": _WATCH | {"resource", "wait"},
}
_WHOLE: Final = re.compile(r"[0-9]{1,12}")
T = TypeVar("T", bound=str)


class Asked(NamedTuple):
    """A request for reading. `kind` is a key of `_PARAMETERS`; `watches` are all that it names.

    `shown` and `ticket` are the token and the ticket of its address, `token` is the one that was accepted,
    `principal` whom that speaks for, `asker` where it comes from, and `told` what the head of an answer has to say
    besides.
    """

    kind: str
    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    watches: tuple[WatchRequest, ...]
    format: Format
    accept: str
    shown: str | None = None
    ticket: str | None = None
    principal: Principal = EVERYBODY
    token: str | None = None
    asker: Asker = NOBODY
    told: Mapping[str, str] = NOTHING

    @property
    def watch(self) -> Watch:
        """The one watch of an address that has one."""
        return self.watches[0].watch

    def number(self, name: str, otherwise: float, *, low: float, high: float) -> float:
        """A numeric parameter; raises Problem `invalid`."""
        text = self.parameters.get(name)
        if text is None:
            return otherwise
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise Problem("invalid", f"{name} is a number from {low:g} to {high:g}")
        return number

    def whole(self, name: str, otherwise: int, *, low: int, high: int) -> int:
        """A whole number; raises Problem `invalid`."""
        text = self.parameters.get(name)
        if text is None:
            return otherwise
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise Problem("invalid", f"{name} is a whole number from {low} to {high}")
        return int(text)

    @property
    def preferred_wait_s(self) -> float | None:
        """N of `Prefer: wait=N` (RFC 7240), at most MAX_WAIT_S; None without it, or when it is no number."""
        for preference in self.headers.get("prefer", "").split(","):
            name, _, value = preference.partition(";")[0].strip().partition("=")
            number = value.strip().strip('"')
            # A superscript is a digit too, and no number.
            if name.strip().lower() == "wait" and number.isascii() and number.isdigit():
                return min(float(number), MAX_WAIT_S)
        return None


class _Address(NamedTuple):
    """What the address says, and the few headers that say the same things."""

    scope_type: str
    raw_path: bytes
    query: bytes
    accept: str
    last_event_id: str | None


def read_request(scope: Mapping[str, Any], *, token_in_query: bool = False) -> Asked:
    """Read an ASGI scope; raises Problem."""
    headers = headers_of(scope)
    accept = headers.get("accept", "*/*")
    path, query, last_event_id = scope["raw_path"], scope["query_string"], headers.get("last-event-id")
    shown = ticket = None
    if token_in_query:
        query, shown = _without(b"token=", query)
    if query:
        query, ticket = _without(b"ticket=", query)
    address = _Address(scope["type"], path, query, accept, last_event_id)
    # The long ones are the rare ones, and would fill the memory.
    short = len(path) + len(query) + len(accept) + len(last_event_id or "") <= _SHORT_BYTES
    kind, parameters, watches, format_ = (_read_again if short else _read)(address)
    if ticket is not None and kind in _PLAIN:
        raise Problem("invalid", "a ticket is for streams, polls and WebSockets")
    return Asked(kind, headers, parameters, watches, format_, accept, shown, ticket)


def _without(name: bytes, query: bytes) -> tuple[bytes, str | None]:
    """The query without a secret, which is to be kept and told nowhere, and the secret."""
    if name not in query:
        return query, None
    pairs = query.split(b"&")
    found = [pair.removeprefix(name) for pair in pairs if pair.startswith(name)]
    if len(found) > 1:
        raise Problem("invalid", "a token or ticket is shown once, in one place")
    rest = b"&".join(pair for pair in pairs if not pair.startswith(name))
    return rest, unquote_to_bytes(found[0]).decode("latin-1") if found else None


def _read(address: _Address) -> tuple[str, Mapping[str, str], tuple[WatchRequest, ...], Format]:
    target = parse_target(address.raw_path)
    kind = _kind(target, address.scope_type, address.accept)
    parameters, resources = _parameters(address.query, kind)
    return kind, parameters, _watches(target, parameters, resources, address.last_event_id), _format(parameters)


_read_again: Final = lru_cache(maxsize=1024)(_read)
"""Many come for the same: reading an address costs a tenth of a handshake."""


def negotiate(accept: str, *offered: T) -> T:
    """The offered media type that is liked best, the first of equals; raises Problem `not_acceptable`."""
    ranges = [_range(text) for text in accept.split(",")] if accept.strip() else [("*/*", 1.0)]
    best = max(offered, key=lambda kind: (_quality(kind, ranges), -offered.index(kind)))
    if _quality(best, ranges) <= 0:
        raise Problem("not_acceptable", f"what there is: {', '.join(offered)}")
    return best


def _quality(kind: str, ranges: list[tuple[str, float]]) -> float:
    for pattern in (kind, kind.partition("/")[0] + "/*", "*/*"):
        for name, quality in ranges:
            if name == pattern:
                return quality
    return 0.0


def _range(text: str) -> tuple[str, float]:
    name, *options = (part.strip() for part in text.lower().split(";"))
    for option in options:
        if option.startswith("q="):
            try:
                return name, float(option[2:])
            except ValueError:
                return name, 0.0
    return name, 1.0


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a request, names in small letters; one that came several times is a list."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _kind(target: Target, scope_type: str, accept: str) -> str:
    if target.watch is None:
        kind = f"watch/{target.verb}"
    elif target.verb:
        kind = target.verb
    elif scope_type == "websocket":
        kind = "ws"
    elif SSE in accept.lower():
        kind = "stream"
    else:
        kind = "list" if target.watch.id is None else "get"
    if (scope_type == "websocket") != kind.endswith("ws"):
        if scope_type == "http":
            headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
            raise Problem("upgrade_required", "this address speaks WebSocket, version 13", headers=headers)
        raise Problem("invalid", "a WebSocket is at the address of what it watches, or at its /ws")
    return kind


def _parameters(query: bytes, kind: str) -> tuple[dict[str, str], list[str]]:
    if len(query) > MAX_QUERY_BYTES:
        raise Problem("too_large", f"a query has at most {MAX_QUERY_BYTES} bytes")
    parameters: dict[str, str] = {}
    resources: list[str] = []
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=2000)
    except ValueError:
        raise Problem("invalid", "a query is percent-encoded UTF-8, of at most 2000 parameters") from None
    for name, value in pairs:
        if name not in _PARAMETERS[kind]:
            raise Problem(
                "invalid", f"there is no parameter {name[:40]!r} here: {', '.join(sorted(_PARAMETERS[kind]))}"
            )
        if name == "resource":
            resources.append(value)
        elif parameters.setdefault(name, value) != value:
            raise Problem("invalid", f"{name} is given twice")
    return parameters, resources


def _watches(
    target: Target, parameters: Mapping[str, str], resources: list[str], last_event_id: str | None
) -> tuple[WatchRequest, ...]:
    mode, snapshot = parameters.get("mode", "state"), parameters.get("snapshot", "true")
    if mode not in MODES:
        raise Problem("invalid", f"mode is one of {', '.join(MODES)}")
    if snapshot not in {"true", "false"}:
        raise Problem("invalid", "snapshot is true or false")
    cursor = last_event_id or parameters.get("cursor") or None
    since_ms = _since_ms(parameters)
    return tuple(
        WatchRequest(watch, mode, snapshot == "true", cursor, since_ms)
        for watch in _named(target, parameters, resources)
    )


def _named(target: Target, parameters: Mapping[str, str], resources: list[str]) -> list[Watch]:
    if target.watch is None:
        if not resources and target.verb != "ws":
            raise Problem("invalid", "name what to watch: resource=stocks/AAPL, as often as needed")
        return list(dict.fromkeys(Watch.parse(label) for label in resources))
    prefix = parameters.get("prefix")
    if prefix is None:
        return [target.watch]
    if target.watch.id is not None:
        raise Problem("invalid", "prefix goes with a collection")
    return [Watch(target.watch.collection, prefix=checked_prefix(prefix))]


def _since_ms(parameters: Mapping[str, str]) -> int | None:
    since = parameters.get("since")
    if since is None:
        return None
    # A "+" that wasn't percent-encoded arrives as a space.
    ms = parse_time_ms(since.replace(" ", "+"))
    if ms is None:
        raise Problem("invalid", "since is a time as in RFC 3339")
    return ms


def _format(parameters: Mapping[str, str]) -> Format:
    for known in FORMATS:
        if known == parameters.get("format", "json"):
            return known
    raise Problem("invalid", f"format is one of {', '.join(FORMATS)}")
