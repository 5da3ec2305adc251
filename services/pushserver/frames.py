"""The control frames: what the protocol says besides data, one function a frame."""

from collections.abc import Mapping
from typing import Any

from shared.event import format_time
from shared.problem import Problem

Frame = dict[str, Any]


def synced(
    watch: str, cursor: str | None, *, resumed: bool, ref: object = None, deprecated: Mapping[str, str] | None = None
) -> Frame:
    """The initial state of a watch is told; `deprecated` is the note of a collection that is."""
    note = {} if deprecated is None else {"deprecated": deprecated}
    return _with_ref({"event": "synced", "watch": watch, "cursor": cursor, "resumed": resumed, **note}, ref)


def reset(watch: str, reason: str) -> Frame:
    """A watch starts over; `reason` is `expired`, `epoch` or `cursor`."""
    return {"event": "reset", "watch": watch, "reason": reason}


def bookmark(cursor: str | None, as_of_ms: int | None, skipped: int) -> Frame:
    """Progress without data; `as_of_ms` is None where nothing is watched."""
    as_of = None if as_of_ms is None else format_time(as_of_ms)
    return {"event": "bookmark", "cursor": cursor, "as_of": as_of, "skipped": skipped}


def goaway(cursor: str | None, reconnect_in_ms: int) -> Frame:
    """This server leaves."""
    return {"event": "goaway", "cursor": cursor, "reconnect_in_ms": reconnect_in_ms}


def auth(expires_in_ms: int) -> Frame:
    """The token expires soon."""
    return {"event": "auth", "expires_in_ms": expires_in_ms}


def problem(refusal: Problem, ref: object = None) -> Frame:
    """A refusal, with its extension members."""
    told = {"code": refusal.code, "message": refusal.detail, "retry": refusal.kind.retry}
    return _with_ref({"event": "problem", **told, **refusal.members}, ref)


def ack(ref: object, **more: object) -> Frame:
    """An operation is done."""
    return _with_ref({"event": "ack", **more}, ref)


def pong(ref: object) -> Frame:
    """The answer to `ping`."""
    return _with_ref({"event": "pong"}, ref)


def _with_ref(frame: Frame, ref: object) -> Frame:
    return frame if ref is None else {**frame, "ref": ref}
