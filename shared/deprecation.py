"""What is told of a collection that is on its way out: headers of every answer about it, and a note in `synced`."""

from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import NamedTuple
from urllib.parse import quote


class Deprecation(NamedTuple):
    """Since when, from which day on it may be gone, and which collection comes after it."""

    since: date
    sunset: date | None = None
    successor: str | None = None

    @property
    def note(self) -> dict[str, str]:
        """The member `deprecated` of a `synced` frame."""
        told = {"since": self.since, "sunset": self.sunset, "successor": self.successor}
        return {name: str(value) for name, value in told.items() if value is not None}

    @property
    def headers(self) -> dict[str, str]:
        """`Deprecation` (RFC 9745), and where known `Sunset` (RFC 8594) and `Link` (RFC 5829)."""
        told = {"Deprecation": f"@{int(_midnight(self.since).timestamp())}"}
        if self.sunset is not None:
            told["Sunset"] = format_datetime(_midnight(self.sunset), usegmt=True)
        if self.successor is not None:
            told["Link"] = f'</v1/{quote(self.successor)}>; rel="successor-version"'
        return told


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
