"""The front doors that watchers came through, and which of these are leaving.

A HAProxy that ends, or a worker that a reload has replaced, can't say so: from that moment on it checks no server,
takes nobody, and holds its connections until `hard-stop-after`, when it cuts all of them. Its silence says it: whose
door has left out a few of its checks is sent away in good time. Where a door was only cut off or asleep, its watchers
were cut by it already, or reconnect once.
"""

import re
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

SILENT_CHECKS: Final = 5
"""So many checks that didn't come are silence."""
LEAST_SILENCE_S: Final = 3.0
"""A machine that is out of breath is late by more than a few short intervals."""
GONE_AFTER_S: Final = 120.0
"""A door that is silent for so long has gone, and its last watchers with it. If any are left, they are not sent away
again and again: somebody has told it not to check."""
_MOST: Final = 1024
_MOST_CHARS: Final = 128
_INTERVAL: Final = re.compile(r"(\d{1,9})(ms|s|m)?")
_UNITS_S: Final = {"ms": 0.001, None: 0.001, "s": 1.0, "m": 60.0}


class Door:
    """One process of HAProxy: shared by all who came through it, and let go with the last of them."""

    __slots__ = ("__weakref__", "leaving", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.leaving = False

    def __repr__(self) -> str:
        return f"<Door {self.name}{' leaving' if self.leaving else ''}>"


@dataclass(slots=True)
class _Checking:
    door: Door
    interval_s: float
    heard_s: float


class Doors:
    """Doors by name. Only those that check this server are ever thought to leave."""

    def __init__(self) -> None:
        self._doors: WeakValueDictionary[str, Door] = WeakValueDictionary()
        self._checking: dict[str, _Checking] = {}

    def __len__(self) -> int:
        return len(self._doors)

    def named(self, name: str | None) -> Door | None:
        """The door that a request says it came through: a name that anybody may give, and only for himself."""
        if not name or len(name) > _MOST_CHARS:
            return None
        door = self._doors.get(name)
        if door is None:
            door = self._doors[name] = Door(name)
        return door

    def hear(self, name: str | None, interval: str | None, now_s: float) -> None:
        """Take a check of a door, which says how often it checks, as HAProxy writes times: `2s`, `500ms`."""
        found, door = _INTERVAL.fullmatch(interval or ""), self.named(name)
        if found is None or door is None or (door.name not in self._checking and len(self._checking) >= _MOST):
            return
        door.leaving = False
        self._checking[door.name] = _Checking(door, int(found[1]) * _UNITS_S[found[2]], now_s)

    def look(self, now_s: float, late_s: float) -> set[Door]:
        """Find out who is leaving; returns those that weren't when it was last looked.

        This look is so late: meanwhile this server was not awake to hear anybody.
        """
        fell_silent = set()
        for name, checking in list(self._checking.items()):
            checking.heard_s = min(now_s, checking.heard_s + late_s)
            silent_s, door = now_s - checking.heard_s, checking.door
            if silent_s <= max(SILENT_CHECKS * checking.interval_s, LEAST_SILENCE_S):
                continue
            if silent_s > GONE_AFTER_S:
                door.leaving = False
                del self._checking[name]
            elif not door.leaving:
                door.leaving = True
                fell_silent.add(door)
        return fell_silent
