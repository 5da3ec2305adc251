"""A better transport that is tried beside what works."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from watchroute_client.lane import Lane, fits
from watchroute_client.outputs import Close
from watchroute_client.progress import Progress
from watchroute_client.state import State
from watchroute_client.surroundings import Surroundings

_ENDS: Final = frozenset({"reset", "problem", "goaway"})


class Trial:
    """One lane for as many of the watches as share a connection; they stay where they are until it has caught up."""

    def __init__(self, around: Surroundings, lanes: Iterable[Lane]) -> None:
        self.lane = Lane(around, [], transport=around.negotiation.tried)
        for lane in lanes:
            self.gather(lane)

    @property
    def worked(self) -> bool:
        """Whether it may take over."""
        return self.lane.status.state is State.LIVE

    def gather(self, lane: Lane) -> list[Progress]:
        """Take those watches of a lane that fit in; returns those of it that are taken."""
        mine = self.lane
        if lane.transport == mine.transport:
            return []
        for watch in lane.watches:
            if watch not in mine.watches and (not mine.watches or (mine.transport == "ws" and fits(mine, watch))):
                mine.watches.append(watch)
        return [watch for watch in lane.watches if watch in mine.watches]

    def is_dead(self, now: float) -> bool:
        """Whether it was silent for too long."""
        return any(link.dead_at() <= now for link in self.lane.links)

    def take_over(self, lanes: Iterable[Lane]) -> Lane:
        """Have their watches, with those that came meanwhile, where they fit; the other lanes follow by themselves."""
        mine, wanted = self.lane, {watch for lane in lanes for watch in lane.watches}
        for lane in lanes:
            for watch in self.gather(lane):
                lane.remove(watch)
            if lane.watches and lane.transport != mine.transport:
                lane.change(mine.transport)
        for watch in [watch for watch in mine.watches if watch not in wanted]:
            mine.remove(watch)
        for link in mine.links:
            for watch in mine.watches:
                if link.transport == "ws" and watch not in link.watches:
                    mine.subscribe(link, watch)
        return mine

    def close(self) -> None:
        """Give up what isn't needed, or doesn't work."""
        self.lane.around.put(*(Close(link.number) for link in self.lane.links))

    @staticmethod
    def ends_by(frame: Mapping[str, Any]) -> bool:
        """Whether this would change what was told: that is left to the connection that works."""
        return frame.get("event") in _ENDS

    @staticmethod
    def without_cursor(frame: Mapping[str, Any]) -> Mapping[str, Any]:
        """What works goes on meanwhile: its cursor may be the newer one."""
        return {**frame, "cursor": None}
