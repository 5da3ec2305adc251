"""A group: everybody with the same watch, and whom of them the hub may write to by itself."""

from collections.abc import Iterable, Iterator
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from services.pushserver.wire import Wire
from shared.resource import Watch

NO_SOCKET: Final = -1


class Member(Protocol):
    """Somebody with a watch; `direct` is the descriptor of a socket that takes bytes now, or NO_SOCKET."""

    watch: Watch
    wire: Wire
    direct: int


M = TypeVar("M", bound=Member)


class Row(NamedTuple, Generic[M]):
    """Those of a group who get the same bytes: their sockets, and in the same order themselves."""

    wire: Wire
    sockets: list[int]
    members: list[M]


class Group(Generic[M]):
    """Members in the order in which they came.

    That is about their order in memory, in the kernel's too: to go along it saves a twentieth of a delivery. Looking at
    each member costs as much again, so the rows are kept until `changed` is called.
    """

    __slots__ = ("_members", "_rows", "_waiting")

    def __init__(self, members: Iterable[M] = ()) -> None:
        self._members: dict[M, None] = dict.fromkeys(members)
        self._rows: list[Row[M]] | None = None
        self._waiting: list[M] = []

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[M]:
        return iter(self._members)

    def __contains__(self, member: M) -> bool:
        return member in self._members

    def add(self, member: M) -> None:
        """Count somebody in, at the end."""
        self._members[member] = None
        self._rows = None

    def remove(self, member: M) -> None:
        """Count out somebody who is in."""
        del self._members[member]
        self._rows = None

    def changed(self) -> None:
        """Note that `direct` of a member is another than before."""
        self._rows = None

    def split(self) -> tuple[list[Row[M]], list[M]]:
        """The rows of those whose socket takes bytes now, and all others. Neither list is changed afterwards."""
        if self._rows is None:
            rows: dict[Wire, Row[M]] = {}
            self._waiting = [member for member in self._members if not _placed(rows, member)]
            self._rows = list(rows.values())
        return self._rows, self._waiting


def _placed(rows: dict[Wire, Row[M]], member: M) -> bool:
    socket = member.direct
    if socket == NO_SOCKET:
        return False
    row = rows.get(member.wire)
    if row is None:
        row = rows[member.wire] = Row(member.wire, [], [])
    row.sockets.append(socket)
    row.members.append(member)
    return True
