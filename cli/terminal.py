"""Whether a person reads, and colours for that person."""

import json
import re
import sys
from typing import Any, Final

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def is_terminal() -> bool:
    """Whether what is printed goes to a terminal, and not into a pipe or a file."""
    return sys.stdout.isatty()


def printable(text: str) -> str:
    """The text with control characters written as escapes: names and data are anybody's, and a terminal obeys them."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def compact(data: Any) -> str:
    """JSON in one line, without spaces."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
