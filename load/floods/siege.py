"""The attacks one after another, each between two measurements without any."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from infra.cluster.deadline import until
from load.bench.verdict import Broken
from load.floods.raid import raiding
from load.floods.row import Row
from load.floods.stronghold import Latency, Stronghold

_GONE_WITHIN_S: Final = 30


class Scale:
    """How long is measured with and without an attack, and how long an attack goes on before."""

    def __init__(self, seconds: float = 10, warm_s: float = 3, per_s: float | None = None) -> None:
        self.seconds = seconds
        self.warm_s = warm_s
        self.per_s = per_s


async def siege(hold: Stronghold, attacks: Sequence[str], scale: Scale) -> AsyncIterator[Row]:
    """Each attack's row as soon as there is one; raises Broken when a healthy watcher lost its connection."""
    await hold.measure(scale.warm_s)
    before = await hold.measure(scale.seconds)
    for attack in attacks:
        memory, totals = hold.server.rss_bytes(), await hold.refused()
        async with raiding(attack, hold.server.port, hold.token, scale.per_s) as raid:
            await hold.measure(scale.warm_s)
            under = await _measured(hold, attack, scale)
        refused = {word: total - totals.get(word, 0) for word, total in (await hold.refused()).items()}
        await until(lambda: _recovered(hold), "the attacker's connections are gone", within_s=_GONE_WITHIN_S)
        after = await hold.measure(scale.seconds)
        yield Row(
            attack,
            raid.attempts_per_s,
            under,
            (before.p99_ms + after.p99_ms) / 2,
            {word: total for word, total in refused.items() if total},
            memory,
            hold.server.rss_bytes(),
        )
        before = after


async def _measured(hold: Stronghold, attack: str, scale: Scale) -> Latency:
    try:
        return await hold.measure(scale.seconds)
    except Broken as broken:
        raise Broken(f"{attack}: {broken}") from None


async def _recovered(hold: Stronghold) -> bool:
    return await hold.watching() == hold.watchers
