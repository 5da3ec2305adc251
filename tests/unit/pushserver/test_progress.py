"""The cursor of a connection: its synced watches, and no more than was written."""

from services.pushserver.channel import Channel
from services.pushserver.counters import Counters
from services.pushserver.progress import cursor_of, watch_cursor
from services.pushserver.subscriber import Subscriber
from services.pushserver.subscription import Subscription
from services.pushserver.wire import LINES
from shared.catalog import Catalog, CollectionSettings
from shared.cursor import Segment, decode_cursor, scope_tag
from shared.resource import Watch
from tests.support.core_output import FakeSink
from tests.support.events import EPOCH, channel, put

STOCKS = channel(put("a", 4), put("b", 7, partition=1), partitions=2)


def subscription(label: str, *, synced: bool = True, of: Channel = STOCKS) -> Subscription:
    subscriber = Subscriber(LINES["json"], FakeSink(), Counters(), limit_bytes=1000)
    made = Subscription(subscriber, of, Watch.parse(label), "state")
    made.synced = synced
    return made


def segments(*labels: str) -> list[Segment]:
    cursor = cursor_of([subscription(label) for label in labels])
    assert cursor is not None
    return decode_cursor(cursor)


def segment(scope: tuple[int, ...] | None, positions: dict[int, int]) -> Segment:
    return Segment(STOCKS.collection.tag, EPOCH, scope, positions)


def test_a_wide_watch_has_all_partitions_and_no_scope() -> None:
    assert segments("stocks") == [segment(None, {0: 5, 1: 8})]
    assert segments("stocks/a", "stocks") == [segment(None, {0: 5, 1: 8})]


def test_a_resource_has_its_own_partition_only() -> None:
    assert segments("stocks/b") == [segment((scope_tag("stocks/b"),), {1: 8})]


def test_a_resource_that_is_not_known_may_appear_in_any_partition() -> None:
    assert segments("stocks/new") == [segment((scope_tag("stocks/new"),), {0: 5, 1: 8})]


def test_a_prefix_has_all_partitions_and_its_scope() -> None:
    assert segments("stocks?prefix=a") == [segment((scope_tag("stocks?prefix=a"),), {0: 5, 1: 8})]


def test_several_narrow_watches_say_so() -> None:
    assert segments("stocks/a", "stocks/b") == [
        segment(tuple(sorted(map(scope_tag, ("stocks/a", "stocks/b")))), {0: 5, 1: 8})
    ]


def test_a_watch_that_is_not_synced_is_not_in_it() -> None:
    assert cursor_of([subscription("stocks", synced=False)]) is None
    cursor = cursor_of([subscription("stocks", synced=False), subscription("stocks/a")])
    assert cursor == cursor_of([subscription("stocks/a")])


def test_less_may_have_been_written_than_read() -> None:
    cursor = cursor_of([subscription("stocks")], {STOCKS: [2, 3]})
    assert cursor is not None
    assert decode_cursor(cursor)[0].positions == {0: 2, 1: 3}


def test_each_collection_has_its_segment() -> None:
    orders = Channel.empty(Catalog({"orders": CollectionSettings()}).get("orders"), b"other", 1)
    watches = [subscription("orders", of=orders), subscription("stocks"), subscription("stocks/a")]
    cursor = cursor_of(watches, {orders: [1]})
    assert cursor is not None
    assert decode_cursor(cursor) == [
        Segment(orders.collection.tag, b"other", None, {0: 1}),
        segment(None, {0: 5, 1: 8}),
    ]


def test_the_cursor_of_one_watch_is_that_of_a_connection_with_it() -> None:
    for label in ("stocks", "stocks/a", "stocks?prefix=a"):
        assert watch_cursor(subscription(label), STOCKS.positions) == cursor_of([subscription(label)])
