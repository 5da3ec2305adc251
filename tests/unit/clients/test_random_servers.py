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


@pytest.mark.parametrize("paths", PATHS, ids=str)
def test_the_way_back_to_a_better_transport_misses_and_repeats_nothing(paths: list[str]) -> None:
    for seed in range(4):
        world = World(Random(seed), ("ws", "sse", "poll"), paths)
        world.work(20, ("ws", "sse"))
        assert world.session.transport == "poll", seed
        world.work(600, ("ws",))
        assert world.session.transport == "sse", seed
        world.work(3600, ())
        assert world.session.transport == "ws", seed
        assert world.calm(), (seed, world.session.status)
        assert {served.wanted.transport for served in world.connections.values()} == {"ws"}, seed
        assert len(world.connections) == 1, seed
        for watch, told in world.told.items():
            assert told == world.log.state(watch.target), (seed, watch.target)
