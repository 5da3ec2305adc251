"""The judge of `make clients`: what is lost, and what is told twice, is found."""

from load.clients.story import Story

TRUTH = {"feed/R0": [3, 5], "feed/R1": [4]}


def told(mode: str, *changes: tuple[str, int]) -> Story:
    story = Story(mode)
    for at, (resource, version) in enumerate(changes):
        story.on_change(resource, version, float(at**2))
    return story


def test_all_that_was_written_leaves_no_gap() -> None:
    story = told("log", ("feed/R0", 3), ("feed/R1", 4), ("feed/R0", 5))
    assert (story.gaps(TRUTH), story.repeats, story.silence_s) == (0, 0, 3.0)


def test_a_write_that_was_not_told_is_a_gap() -> None:
    assert told("log", ("feed/R0", 5), ("feed/R1", 4)).gaps(TRUTH) == 1
    assert told("state", ("feed/R0", 5), ("feed/R1", 4)).gaps(TRUTH) == 0


def test_a_newest_state_that_was_not_told_is_a_gap() -> None:
    assert told("state", ("feed/R0", 3)).gaps(TRUTH) == 2


def test_what_is_told_again_or_late_is_a_repeat() -> None:
    assert told("log", ("feed/R0", 3), ("feed/R0", 3)).repeats == 1
    assert told("log", ("feed/R0", 5), ("feed/R0", 3), ("feed/R1", 3)).repeats == 1
