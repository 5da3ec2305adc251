"""Whom the hub may write to by itself, and in which order."""

from services.pushserver.group import NO_SOCKET, Group, Row
from services.pushserver.wire import SSE, WS_JSON, Wire
from shared.resource import Watch

WS, STREAM = WS_JSON["json"], SSE["json"]


class Reader:
    def __init__(self, direct: int, wire: Wire = WS) -> None:
        self.watch = Watch("stocks")
        self.wire = wire
        self.direct = direct


def test_each_wire_has_its_row_in_the_order_in_which_they_came() -> None:
    first, stream, second = Reader(9), Reader(5, STREAM), Reader(4)
    rows, others = Group((first, stream, second)).split()
    assert rows == [Row(WS, [9, 4], [first, second]), Row(STREAM, [5], [stream])]
    assert others == []


def test_whose_socket_takes_nothing_is_in_no_row() -> None:
    free, full = Reader(7), Reader(NO_SOCKET)
    assert Group((free, full)).split() == ([Row(WS, [7], [free])], [full])


def test_it_is_sorted_anew_when_somebody_comes_goes_or_changes() -> None:
    first, second = Reader(7), Reader(8)
    group = Group((first,))
    kept = group.split()
    assert group.split()[0] is kept[0], "nothing has changed"
    group.add(second)
    assert group.split()[0][0].sockets == [7, 8]
    first.direct = NO_SOCKET
    group.changed()
    assert group.split() == ([Row(WS, [8], [second])], [first])
    group.remove(second)
    assert group.split() == ([], [first])
    assert kept == ([Row(WS, [7], [first])], []), "whoever goes along a row is not disturbed"
