import pytest

from watchroute_client import WatchError
from watchroute_client.target import Target


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("stocks/AAPL", "/v1/stocks/AAPL/stream"),
        ("stocks/a b/c?d", "/v1/stocks/a%20b%2Fc%3Fd/stream"),
        ("stocks", "/v1/stocks/stream"),
        ("stocks?prefix=A B", "/v1/stocks/stream?prefix=A%20B"),
        ("stocks?prefix=a/b", "/v1/stocks/stream?prefix=a%2Fb"),
    ],
)
def test_a_path_has_an_address(path: str, address: str) -> None:
    target = Target.parse(path)
    assert target.label == path
    assert target.address("stream", {}) == address


@pytest.mark.parametrize("path", ["", "/x", "stocks/", "?prefix=x", "stocks?limit=1"])
def test_what_names_nothing_is_refused(path: str) -> None:
    with pytest.raises(WatchError, match="invalid"):
        Target.parse(path)


@pytest.mark.parametrize(
    ("path", "resource", "covered"),
    [
        ("a/x", "a/x", True),
        ("a/x", "a/xy", False),
        ("a", "a/x", True),
        ("a", "ab/x", False),
        ("a?prefix=x", "a/xy", True),
        ("a?prefix=x", "a/yx", False),
    ],
)
def test_it_knows_what_it_covers(path: str, resource: str, covered: bool) -> None:  # noqa: FBT001
    assert Target.parse(path).covers(resource) == covered


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("a", "a/x", True),
        ("a", "b", False),
        ("a/x", "a/y", False),
        ("a?prefix=x", "a?prefix=xy", True),
        ("a?prefix=x", "a?prefix=y", False),
        ("a?prefix=x", "a/xy", True),
        ("a", "a?prefix=x", True),
    ],
)
def test_it_knows_what_overlaps(one: str, other: str, overlap: bool) -> None:  # noqa: FBT001
    assert Target.parse(one).overlaps(Target.parse(other)) == overlap
    assert Target.parse(other).overlaps(Target.parse(one)) == overlap
