"""`make floods` in small: every attack runs once against few watchers, and is seen by the server. No time is judged."""

from pathlib import Path
from typing import Final

import pytest

from load.floods.attacks import PLANS
from load.floods.row import Row, markdown
from load.floods.siege import Scale, siege
from load.floods.stronghold import Latency, stronghold
from tests.support.broker import Broker

SEEN: Final = {
    "slow-header": {"slow_head"},
    "silence": {"silent"},
    "slow-read": {"gone"},
    "refusals": {"unauthenticated"},
    "reconnects": {"gone"},
    "subscriptions": {"operations", "rate_limited"},
}
"""What the server says of an attack, at the least."""
FAST: Final = {"head_timeout_s": 0.3, "operations_per_s": 1, "operations_burst": 10}


async def test_every_attack_is_made_and_seen_and_the_watchers_stay(broker: Broker, tmp_path: Path) -> None:
    async with stronghold(broker, tmp_path, 10, **FAST) as hold:
        rows = {row.attack: row async for row in siege(hold, list(PLANS), Scale(0.2, 0.4, 300))}
    assert rows.keys() == PLANS.keys()
    for name, row in rows.items():
        assert row.attempts_per_s > 1, name
        assert "internal" not in row.refused, name
        assert SEEN.get(name, set()) <= row.refused.keys(), name


@pytest.mark.parametrize(("p99_ms", "shown"), [(8.0, "2.0 ×"), (2.0, "0.5 ×")])
def test_a_row_shows_how_much_longer_it_took(p99_ms: float, shown: str) -> None:
    row = Row("refusals", 1000, Latency(3, p99_ms), 4, {"unauthenticated": 9}, 1 << 20, 3 << 20)
    assert shown in markdown([row])
    assert "unauthenticated 9 | 1 → 3" in markdown([row])
