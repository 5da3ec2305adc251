"""When a collection is served, and collections out of the ordinary: too large to hold, or without a topic yet."""

import pytest

from services.pushserver.app import PushServer
from services.pushserver.channel import Channel
from tests.support.broker import Broker
from tests.support.client import Ask, Http, Refused, Watch, open_watch
from tests.support.server import eventually, push_server, put, running, until_ready
from tests.support.topics import Topics, unique_name

pytestmark = pytest.mark.real_kafka

STREAM = Watch("stream")


async def test_a_server_is_ready_once_it_has_read_all_that_was_there_when_it_began(
    broker: Broker, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More records than one read brings, one partition without any, and one that ends with a delete."""
    topic = await topics.create(partitions=4)
    for partition in range(2):
        await put(broker.bootstrap, topic, *[(f"k{partition}.{n}", "1") for n in range(5000)], partition=partition)
    await put(broker.bootstrap, topic, ("gone", None), partition=2)
    server = push_server(broker.bootstrap, {"items": {"topic": topic}})
    served: list[tuple[int, ...]] = []
    seen: set[str | None] = set()
    serve = server.hub.serve

    def noted(fresh: Channel) -> None:
        served.append(fresh.positions)
        seen.add(server.not_ready)
        serve(fresh)

    monkeypatch.setattr(server.hub, "serve", noted)
    async with running(server) as url, Http(url) as http:
        assert served == [(5000, 5000, 1, 0)]
        assert seen == {"items: 0 records to read"}
        assert (await http.get("/v1/items/k1.4999")).status == 200


def unheld(broker: Broker, topic: str) -> PushServer:
    table = {"topic": topic, "state": "none", "modes": ["state", "log"], "history_records": 3}
    return push_server(broker.bootstrap, {"stream": table})


@pytest.mark.parametrize("mode", ["state", "log"])
async def test_what_is_not_held_is_watched_from_now_and_resumed_within_its_history(
    broker: Broker, topics: Topics, mode: str
) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with running(unheld(broker, topic)) as url:
        watcher = await open_watch("sse", url, Ask((STREAM,), mode=mode, snapshot=False))
        await watcher.wait_synced()
        first = watcher.cursor
        await put(broker.bootstrap, topic, ("a", "2"), ("a", "3"), ("b", None))
        await watcher.until(lambda seen: len(seen.data) == 3)
        again = await open_watch("websocket", url, Ask((STREAM,), mode=mode, cursor=first))
        await again.wait_synced()
        assert [(f["event"], f.get("data")) for f in again.data] == [("put", 2), ("put", 3), ("delete", None)]

        await put(broker.bootstrap, topic, ("a", "4"))
        await watcher.until(lambda seen: len(seen.data) == 4)
        with pytest.raises(Refused) as refused:
            await open_watch("sse", url, Ask((STREAM,), mode=mode, cursor=first))
        assert refused.value.problem["code"] == "expired"
        usable = await open_watch("sse", url, Ask((STREAM,), mode=mode, cursor=refused.value.problem["cursor"]))
        await usable.wait_synced()
        assert len(usable.data) == 3, "its oldest usable cursor gives all of the history"
        for each in (watcher, again, usable):
            await each.close()


async def test_a_snapshot_of_what_is_not_held_is_refused_with_what_to_do_instead(
    broker: Broker, topics: Topics
) -> None:
    topic = await topics.create()
    async with running(unheld(broker, topic)) as url, Http(url) as http:
        for target in ("/v1/stream/a", "/v1/stream", "/v1/stream/stream", "/v1/stream/a/poll"):
            problem = (await http.get(target)).problem()
            assert problem["code"] == "invalid", target
            assert "snapshot=false" in problem["detail"], target


async def test_a_missing_topic_is_named_until_it_is_there_and_the_others_are_served(
    broker: Broker, topics: Topics
) -> None:
    there, missing = await topics.create(), unique_name()
    await put(broker.bootstrap, there, ("a", "1"))
    tables = {"there": {"topic": there}, "later": {"topic": missing}}
    # However seldom the topics that are there are asked for.
    server = push_server(broker.bootstrap, tables, identity_check_s=600)
    async with running(server, ready=False) as url, Http(url) as http:
        await eventually(lambda: server.not_ready == f"the topic {missing} does not exist", "the reason names it")
        watcher = await open_watch("sse", url, Ask((Watch("there"),)))
        await watcher.wait_synced()
        assert (await http.get("/v1/later/a")).problem()["code"] == "not_ready"

        await topics.create(missing)
        await put(broker.bootstrap, missing, ("a", '"late"'))
        await until_ready(server)
        await put(broker.bootstrap, there, ("a", "2"))
        await watcher.until(lambda seen: [frame["data"] for frame in seen.data] == [1, 2])
        assert "reset" not in {frame["event"] for frame in watcher.frames}, "one is read on while the other comes"
        late = await open_watch("sse", url, Ask((Watch("later"),)))
        await late.until(lambda seen: [frame["data"] for frame in seen.data] == ["late"])
        await watcher.close()
        await late.close()


async def test_a_server_of_nothing_but_missing_topics_waits_for_them(broker: Broker, topics: Topics) -> None:
    missing = unique_name()
    server = push_server(broker.bootstrap, {"later": {"topic": missing}})
    async with running(server, ready=False):
        await eventually(lambda: server.not_ready == f"the topic {missing} does not exist", "the reason names it")
        await topics.create(missing)
        await until_ready(server)
