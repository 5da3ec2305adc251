"""Waiting for this server to reach a cursor, and asking Kafka whether it ever will."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Final

from aiokafka.errors import KafkaError

from services.pushserver.channel import Channel
from services.pushserver.resume import find_segment, is_ahead
from services.pushserver.source import Source
from shared.cursor import Segment
from shared.problem import Problem

_COMMIT_S: Final = 0.5
"""A transaction is acknowledged a moment before its end shows: so long a cursor may seem to be beyond the log's end."""
_ASK_AGAIN_S: Final = 0.05


class Freshness:
    """Makes sure that nobody is shown a state older than what they have seen."""

    def __init__(self, source: Source, wait_s: float) -> None:
        self._source = source
        self._wait_s = wait_s

    async def settle(self, channel: Channel, segment: Segment) -> None:
        """Wait until the channel has reached a segment, or until Kafka says that it is of no log that still is.

        Raises Problem `try_again` when neither is so in time. Afterwards `resume.begin` may be called as settled.
        """
        deadline = time.monotonic() + self._wait_s
        try:
            async with asyncio.timeout(self._wait_s):
                if not await self._exists(channel, segment):
                    return
                while is_ahead(channel, segment):
                    await self._source.next_batch(deadline - time.monotonic())
        except (TimeoutError, KafkaError, OSError):
            if is_ahead(channel, segment):
                raise Problem("try_again", "this server has not reached the cursor yet") from None

    async def at_least(self, channel: Channel, cursor: str) -> None:
        """Wait until the channel shows what the cursor's owner has seen.

        Raises Problem `try_again`, or `invalid` when the cursor is of a log that is no more: no retry would help.
        """
        segment = find_segment(channel, cursor)
        if segment is None or not is_ahead(channel, segment):
            return
        await self.settle(channel, segment)
        if segment.epoch != channel.epoch:
            raise Problem("invalid", "at_least is a cursor of a log that is no more")
        if is_ahead(channel, segment):
            raise Problem("try_again", "at_least is ahead of all that Kafka has")

    async def _exists(self, channel: Channel, segment: Segment) -> bool:
        if segment.epoch != channel.epoch and segment.epoch != await self._source.current_epoch(channel):
            return False
        if segment.epoch != channel.epoch:
            return True
        until = time.monotonic() + _COMMIT_S
        while is_ahead(channel, segment) and not _reach(await self._source.ends(channel), segment):
            if time.monotonic() > until:
                with contextlib.suppress(KafkaError, OSError):
                    return _reach(await self._source.proven_ends(channel), segment)
            await self._source.next_batch(_ASK_AGAIN_S)
        return True


def _reach(ends: Mapping[int, int], segment: Segment) -> bool:
    return all(position <= ends.get(partition, -1) for partition, position in segment.positions.items())
