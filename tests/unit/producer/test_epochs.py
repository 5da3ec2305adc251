"""When the identity of a log must be read again."""

from services.producer.epochs import Epochs
from shared.catalog import Catalog, CollectionSettings
from shared.identity import Identity

LOG = Identity("cluster", "stocks", b"1", 2)


def epochs(generation: int = 0) -> Epochs:
    return Epochs(Catalog({"c": CollectionSettings(topic="stocks", generation=generation)}))


def test_what_nobody_told_has_no_epoch() -> None:
    assert epochs().topics == ["stocks"]
    assert epochs().epoch("stocks") is None
    assert epochs().observe("stocks", 0, 5)


def test_an_epoch_is_that_of_the_identity_and_the_generation() -> None:
    for generation in (0, 3):
        known = epochs(generation)
        known.learn({"stocks": LOG})
        assert known.epoch("stocks") == LOG.epoch(generation)


def test_records_in_order_raise_no_doubt() -> None:
    known = epochs()
    known.learn({"stocks": LOG})
    assert not any(known.observe("stocks", partition, offset) for partition in (0, 1) for offset in (3, 4, 9))


def test_an_offset_that_comes_again_raises_doubt_once() -> None:
    known = epochs()
    known.learn({"stocks": LOG})
    known.observe("stocks", 0, 100)
    assert known.observe("stocks", 0, 0)
    assert not known.observe("stocks", 0, 1)


def test_a_partition_beyond_those_known_raises_doubt_until_it_is_known() -> None:
    known = epochs()
    known.learn({"stocks": LOG})
    assert known.observe("stocks", 2, 0)
    known.learn({"stocks": LOG._replace(partitions=3)})
    assert not known.observe("stocks", 2, 1)


def test_a_new_identity_begins_with_new_offsets() -> None:
    known = epochs()
    known.learn({"stocks": LOG})
    known.observe("stocks", 0, 100)
    anew = LOG._replace(topic_id=b"2")
    known.learn({"stocks": anew})
    assert known.epoch("stocks") == anew.epoch(0)
    assert not known.observe("stocks", 0, 0)


def test_the_same_identity_again_forgets_nothing() -> None:
    known = epochs()
    known.learn({"stocks": LOG})
    known.observe("stocks", 0, 100)
    known.learn({"stocks": LOG})
    assert known.observe("stocks", 0, 5)


def test_a_topic_that_is_gone_has_no_epoch_any_more() -> None:
    known = epochs()
    known.learn({"stocks": LOG})
    known.learn({})
    assert known.epoch("stocks") is None
