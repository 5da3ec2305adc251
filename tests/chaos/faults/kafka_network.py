"""A bad network between one push server and the brokers."""

import asyncio
import time
from typing import ClassVar, Final

from infra.cluster.deadline import until
from tests.chaos.faults.fault import Fault
from tests.chaos.stage import metric
from tests.chaos.trial import Trial
from tests.support.fault_proxy import FaultProxy

LASTS_S: Final = 8
DELAY_S: Final = 0.3
BYTES_PER_S: Final = 600
BEHIND_S: Final = 2.0


class _Bad(Fault):
    """One push server has a bad network for a while; it is known by how old its knowledge gets."""

    behind_s: ClassVar[float] = BEHIND_S

    async def strike(self, trial: Trial) -> str:
        far, proxies = trial.stage.far, list(trial.stage.proxies.values())
        watchers = await metric(far, "watchroute_connections")
        assert watchers > 0, f"nobody watched at {far.name}"
        for proxy in proxies:
            self.spoil(proxy)
        worst = await oldest(trial, LASTS_S)
        told = self.proof(proxies)
        for proxy in proxies:
            proxy.mend()
        assert worst > self.behind_s, f"{far.name} was behind by {worst:.2f} s at most"

        async def caught_up() -> bool:
            return await age(trial) < 1

        await until(caught_up, f"{far.name} has caught up", within_s=40)
        return f"{far.name}, with {watchers:.0f} watchers, fell behind by {worst:.1f} s; {told}"

    def spoil(self, proxy: FaultProxy) -> None:
        """Make one proxy bad."""
        raise NotImplementedError

    def proof(self, proxies: list[FaultProxy]) -> str:
        """What the proxies have seen of it; raises AssertionError."""
        raise NotImplementedError


class KafkaSlow(_Bad):
    """Latency."""

    name = "Kafka's network: latency"
    behind_s = DELAY_S

    def spoil(self, proxy: FaultProxy) -> None:
        proxy.delay_s = DELAY_S

    def proof(self, proxies: list[FaultProxy]) -> str:
        held_back = sum(proxy.held_back for proxy in proxies)
        assert held_back > 0
        return f"{held_back} pieces came {DELAY_S} s later"


class KafkaCut(_Bad):
    """Every connection is reset, and each new one."""

    name = "Kafka's network: cut"

    def spoil(self, proxy: FaultProxy) -> None:
        proxy.cut()

    def proof(self, proxies: list[FaultProxy]) -> str:
        refused = sum(proxy.refused for proxy in proxies)
        assert refused > 0
        assert all(proxy.connections == 0 for proxy in proxies)
        return f"{refused} connections were refused"


class KafkaHalfOpen(_Bad):
    """What was connected never hears anything again, and isn't told; who connects anew is served."""

    name = "Kafka's network: half-open"

    def spoil(self, proxy: FaultProxy) -> None:
        proxy.forget()

    def proof(self, proxies: list[FaultProxy]) -> str:
        silent = sum(proxy.forgotten for proxy in proxies)
        assert silent > 0
        return f"{silent} connections were forgotten"


class KafkaThrottled(_Bad):
    """A few hundred bytes a second for each connection."""

    name = "Kafka's network: throttle"

    def spoil(self, proxy: FaultProxy) -> None:
        proxy.bytes_per_s = BYTES_PER_S

    def proof(self, proxies: list[FaultProxy]) -> str:
        held_back = sum(proxy.held_back for proxy in proxies)
        assert held_back > 0
        return f"{held_back} pieces passed at {BYTES_PER_S} bytes/s"


async def age(trial: Trial) -> float:
    """How long ago the far push server last knew that it had everything."""
    as_of = await metric(trial.stage.far, "watchroute_as_of_seconds", trial.collection)
    return time.time() - as_of


async def oldest(trial: Trial, lasts_s: float) -> float:
    """The oldest that its knowledge gets meanwhile."""
    worst, until_s = 0.0, time.monotonic() + lasts_s
    while time.monotonic() < until_s:
        worst = max(worst, await age(trial))
        await asyncio.sleep(0.1)
    return worst
