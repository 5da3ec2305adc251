import io

from rich.console import Console

from cli.watching.board import Board
from watchroute_client import Change, State, Status


def drawn(board: Board, height: int | None = None) -> str:
    console = Console(file=io.StringIO(), width=120, no_color=True)
    console.print(board.table(height))
    found = console.file
    assert isinstance(found, io.StringIO)
    return found.getvalue()


def filled(*ids: str) -> Board:
    board = Board("stocks")
    for number, resource_id in enumerate(ids):
        board.take(Change("put", f"stocks/{resource_id}", number, {"n": number}, "2026-11-24T11:00:00.000Z"))
    board.take(Change("synced"))
    return board


def test_it_has_a_row_for_each_resource() -> None:
    text = drawn(filled("a", "b"))
    assert "stocks/a" in text
    assert '{"n":1}' in text


def test_with_more_than_fit_those_are_shown_that_changed_last() -> None:
    board = filled("a", "b", "c")
    board.take(Change("put", "stocks/a", 9, "again"))
    text = drawn(board, 2)
    assert "stocks/b" not in text
    assert text.index("stocks/a") < text.index("stocks/c")
    assert "1 that changed earlier" in text


def test_a_reset_shows_the_old_state_until_the_new_one_is_whole() -> None:
    board = filled("a", "b")
    board.take(Change("reset", reason="epoch"))
    board.take(Change("put", "stocks/c", 1, 1))
    assert "stocks/c" not in drawn(board)
    board.take(Change("synced"))
    assert "stocks/a" not in drawn(board)
    assert "stocks/c" in drawn(board)
    board.take(Change("delete", "stocks/c", 2))
    assert len(board) == 0


def test_it_says_how_it_is_connected() -> None:
    board = filled("a")
    board.status = Status(State.OFFLINE, "unreachable: \x1b[2J")
    assert "offline unreachable: \\u001b[2J" in drawn(board)
