"""Which epoch the cursors of acknowledgements are of."""

from collections.abc import Mapping

from shared.catalog import Catalog
from shared.identity import Identity


class Epochs:
    """What was last heard of the identity of each topic, and signs that it is out of date."""

    def __init__(self, catalog: Catalog) -> None:
        self._generations = {collection.topic: collection.settings.generation for collection in catalog}
        self._known: dict[str, tuple[Identity, bytes]] = {}
        self._newest: dict[tuple[str, int], int] = {}

    @property
    def topics(self) -> list[str]:
        """The topics to ask about."""
        return list(self._generations)

    def learn(self, identities: Mapping[str, Identity]) -> None:
        """Take what the brokers say now about all topics; those left out don't exist."""
        for topic in self.topics:
            known, now = self._known.get(topic), identities.get(topic)
            if now is None:
                self._known.pop(topic, None)
            if (known and known[0]) != now:
                self._newest = {place: offset for place, offset in self._newest.items() if place[0] != topic}
            if now is not None:
                self._known[topic] = (now, now.epoch(self._generations[topic]))

    def epoch(self, topic: str) -> bytes | None:
        """The epoch of a topic, as last heard; None when it wasn't there."""
        known = self._known.get(topic)
        return known[1] if known else None

    def observe(self, topic: str, partition: int, offset: int) -> bool:
        """Take note of a record that was written, in the order of its partition; whether to read the identity again.

        That is so for a topic or partition not known, and for an offset that another record had before: the topic
        was created anew.
        """
        known = self._known.get(topic)
        newest = self._newest.get((topic, partition), -1)
        self._newest[topic, partition] = offset
        return known is None or partition >= known[0].partitions or offset <= newest
