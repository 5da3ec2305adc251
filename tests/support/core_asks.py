"""What clients of the core ask for and what is written, as strategies of hypothesis."""

from typing import Final, NamedTuple

from hypothesis import strategies as st

from shared.catalog import Mode
from shared.resource import Watch

IDS: Final = ("a", "ab", "abc", "b", "ba")
WATCHES: Final = (
    *(Watch("", resource_id) for resource_id in ("a", "ab", "b")),
    *(Watch("", prefix=prefix) for prefix in ("a", "ab", "abcd")),
    *[Watch("")] * 3,
)
NUMBERS: Final = st.integers(0, 11)
Batch = list[tuple[str, int]]


class Ask(NamedTuple):
    """What a client asks for; numbers choose among what there is then, `resume` among the cursors kept."""

    at: int
    watch: Watch
    mode: Mode
    snapshot: bool
    resume: int | None
    ago_ms: int | None


class Client(NamedTuple):
    """A client: its server, its wire, after how many writes it stalls, and its server's limit for it."""

    server: int
    wire: str
    asks: list[Ask]
    room: int | None
    limit_bytes: int


ASKS: Final = st.builds(
    Ask,
    NUMBERS,
    st.sampled_from(WATCHES),
    st.sampled_from(("state", "state", "log")),
    st.sampled_from((True, True, True, False)),
    st.none() | NUMBERS,
    st.sampled_from((None, None, None, 2000, 9000)),
)
CLIENTS: Final = st.builds(
    Client,
    st.integers(0, 1),
    st.sampled_from(("ws", "ws", "sse", "sse", "lines")),
    st.lists(ASKS, min_size=1, max_size=3),
    st.none() | st.integers(1, 4),
    st.sampled_from((1200, 100_000, 100_000)),
)
BATCHES: Final = st.lists(st.tuples(st.sampled_from(IDS), st.integers(0, 3)), min_size=1, max_size=8)
