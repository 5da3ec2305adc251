"""Live watchers beside something heavy, who should notice little of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from load.bench.plan import Plan
from load.bench.rig import Rig
from load.bench.verdict import check_counts, check_order
from load.bench.watchers import Group

LIVE_ID: Final = "S0"
NICE: Final = 10
"""For the process of the heavy readers: the live ones share its core, and are timed."""
_PER_S: Final = 50
_LEAD_S: Final = 0.3


@asynccontextmanager
async def changing(rig: Rig, topic: str, group: Group, readers: int, plan: Plan) -> AsyncIterator[None]:
    """Change what they watch 50 times a second; at the end every change must have reached all of them."""
    await group.begin()
    publishing = asyncio.create_task(rig.publisher.paced(topic, plan, _PER_S))
    try:
        await asyncio.sleep(_LEAD_S)
        yield
        await publishing
    finally:
        publishing.cancel()
    status = await group.wait(readers)
    check_counts(status, deliveries=plan.changes * readers, elided=0, connections=readers, ends=readers)
    check_order(await group.judge(), elided=0)
