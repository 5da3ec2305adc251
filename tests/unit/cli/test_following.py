import pytest

from cli.watching.following import apart


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (["a", "a"], ["a"]),
        (["a/x", "a"], ["a"]),
        (["a/x", "a/y", "b"], ["a/x", "a/y", "b"]),
        (["a?prefix=x", "a/xy", "a/y"], ["a?prefix=x", "a/y"]),
        (["a?prefix=x", "a?prefix=xy", "a?prefix=z"], ["a?prefix=x", "a?prefix=z"]),
        (["a?prefix=x", "a"], ["a"]),
        (["ab/x", "a"], ["ab/x", "a"]),
    ],
    ids=str,
)
def test_what_another_watch_covers_is_not_watched_twice(asked: list[str], kept: list[str]) -> None:
    assert apart(asked) == kept
