"""What a frame means for the watches of its connection."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from watchroute_client.change import Change
from watchroute_client.lane import Lane
from watchroute_client.link import Link
from watchroute_client.outputs import Deliver
from watchroute_client.problem import FATAL, UNAUTHENTICATED, WatchError
from watchroute_client.progress import Progress

Frame = Mapping[str, Any]


def hear(lane: Lane, link: Link, frame: Frame) -> None:
    """Take a frame; one whose event isn't known is ignored, as later versions may have more of them."""
    meaning = _MEANINGS.get(str(frame.get("event")))
    if meaning is not None:
        meaning(lane, link, frame)


def mark(link: Link, cursor: str | None) -> None:
    """A cursor of the whole connection: good for each watch that is synced, and for a stream's only one at any time."""
    for watch in link.watches:
        if link.transport != "ws" or link.watches.is_synced(watch):
            watch.on_cursor(cursor)


def _change(lane: Lane, link: Link, frame: Frame) -> None:
    for watch in link.watches.matching(str(frame["resource"])):
        _deliver(lane, watch, watch.on_change(frame, link.watches[watch].shown))


def _synced(lane: Lane, link: Link, frame: Frame) -> None:
    watch = link.watches.about(frame)
    if watch is None:
        return
    _deliver(lane, watch, watch.on_synced(frame, link.watches[watch].shown))
    link.watches.synced(watch)
    mark(link, frame.get("cursor"))
    if link.caught_up:
        lane.on_caught_up(link)


def _reset(lane: Lane, link: Link, frame: Frame) -> None:
    watch = link.watches.about(frame)
    if watch is None:
        return
    # What an older connection still tells is of before the break.
    lane.take_over(link)
    link.watches.begins_anew(watch)
    _deliver(lane, watch, watch.on_reset(frame))


def _bookmark(lane: Lane, link: Link, frame: Frame) -> None:
    link.bookmark(lane.around.clock())
    lane.around.interval_s = link.interval_s
    mark(link, frame.get("cursor"))
    for watch in link.watches:
        watch.on_bookmark(frame)


def _goaway(lane: Lane, link: Link, frame: Frame) -> None:
    mark(link, frame.get("cursor"))
    link.goes_away()
    lane.around.interval_s = link.interval_s
    lane.on_goaway(link, float(frame.get("reconnect_in_ms", 0)) / 1000)


def _auth(lane: Lane, link: Link, frame: Frame) -> None:
    del frame
    if lane.around.tokens.renewable:
        link.renewing = True
        lane.ask_token()


def _problem(lane: Lane, link: Link, frame: Frame) -> None:
    error = WatchError.of_frame(frame)
    watch = link.watches.about(frame)
    if link.transport == "ws" and watch is not None:
        _refused(lane, link, watch, error)
        return
    link.problem = error
    if error.code != "expired":
        mark(link, error.cursor)


def _refused(lane: Lane, link: Link, watch: Progress, error: WatchError) -> None:
    """One watch of several is refused, or has ended."""
    asked = link.watches[watch]
    link.watches.refused(watch)
    if error.code == "expired" and error.cursor is not None:
        _deliver(lane, watch, watch.on_expired(error.cursor))
        # At once, but not again and again: what is kept may move on faster than it is asked for.
        wait_s = 0.0 if watch.expired == 1 else lane.pause_s()
        link.watches.refused(watch, lane.around.clock() + wait_s)
        lane.mind(link)
    elif error.code in UNAUTHENTICATED and lane.around.tokens.renewable and not asked.renewed:
        asked.renewed = link.renewing = True
        lane.ask_token()
    elif error.code in FATAL or error.code in UNAUTHENTICATED or error.code == "expired":
        lane.drop(watch, error)
    else:
        wait_s = lane.pause_s() if error.retry_after_s is None else error.retry_after_s
        link.watches.refused(watch, lane.around.clock() + wait_s)


def _deliver(lane: Lane, watch: Progress, changes: list[Change]) -> None:
    lane.around.put(*(Deliver(watch, change) for change in changes))


_MEANINGS: Final[Mapping[str, Callable[[Lane, Link, Frame], None]]] = {
    "put": _change,
    "delete": _change,
    "synced": _synced,
    "reset": _reset,
    "bookmark": _bookmark,
    "goaway": _goaway,
    "auth": _auth,
    "problem": _problem,
}
