from random import Random

import pytest

from tests.unit.clients.simulated_server import World

PATHS = [["a"], ["a", "b"], ["a", "a/1", "b"]]


@pytest.mark.parametrize("transports", [("ws",), ("sse",), ("poll",), ("ws", "sse", "poll")], ids="-".join)
@pytest.mark.parametrize("paths", PATHS, ids=str)
def test_whatever_becomes_of_servers_nothing_is_missed_or_repeated(
    transports: tuple[str, ...], paths: list[str]
) -> None:
    for seed in range(30):
        world = World(Random(seed), transports, paths)
        for _ in range(250):
            world.step()
        assert world.calm(), (seed, world.session.status)
        for watch, told in world.told.items():
            assert told == world.log.state(watch.target), (seed, watch.target)
