"""What the fragments of one message may cost: their bytes, however many they are."""

import tracemalloc

import pytest

from services.pushserver.transports.inbound import Inbound
from tests.integration.test_handoff_wires import CONT, TEXT, frame

LIMIT = 100_000


@pytest.mark.parametrize("payload", [b"", b"ab"], ids=["empty", "of two bytes"])
def test_many_small_fragments_take_no_more_than_what_they_bring(payload: bytes) -> None:
    inbound = Inbound(LIMIT)
    assert not list(inbound.feed(frame(TEXT, b"", fin=False)))
    fragments = frame(CONT, payload, fin=False) * 1000
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(45):
        assert not list(inbound.feed(fragments))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 2 * LIMIT
    assert [message.data for message in inbound.feed(frame(CONT, b"!"))] == [payload * 45_000 + b"!"]
    assert inbound.idle
