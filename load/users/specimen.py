"""The value that is published: it says when, by whom, and which of its publisher's changes of that resource it is."""

import json
from typing import Any, NamedTuple, Self


class Stamp(NamedTuple):
    """What a value says: the publisher, its changes of this resource counted from 1, and the wall clock in ns."""

    by: str
    seq: int
    sent_ns: int

    @classmethod
    def of(cls, data: Any) -> Self | None:
        """The stamp of a decoded value, or None where it is no specimen."""
        match data:
            case {"by": str(by), "seq": int(seq), "sent_ns": int(sent_ns)}:
                return cls(by, seq, sent_ns)
        return None

    def value(self, size_bytes: int) -> bytes:
        """The value as JSON text of this size, or a little more where it has to be."""
        padding = "x" * max(0, size_bytes - len(self._text("")))
        return self._text(padding)

    def _text(self, padding: str) -> bytes:
        return json.dumps({**self._asdict(), "pad": padding}, separators=(",", ":")).encode()
