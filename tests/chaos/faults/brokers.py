"""Brokers that die, hang, or lose their partitions."""

import asyncio
from pathlib import Path
from typing import Final

from infra.cluster.deadline import until
from infra.cluster.kafka_node import KafkaNode
from tests.chaos.faults.fault import Fault
from tests.chaos.trial import Trial

AWAY_S: Final = 15
FROZEN_S: Final = 12


class BrokerKilled(Fault):
    """SIGKILL to the leader of the hot partition, and its return."""

    name = "broker SIGKILL"

    async def strike(self, trial: Trial) -> str:
        node = await trial.leader()
        before = node.process.pid
        await node.kill()
        shrunk = await out_of_sync(trial, node)
        await trial.flowing(20)
        await node.start()
        return f"{node.name}, pid {before} → {node.process.pid}; {shrunk} partitions went on without it"


class LeaderMoved(Fault):
    """The hot partition is given to the two other brokers, and then to all three again."""

    name = "leader of a hot partition moved"

    async def strike(self, trial: Trial) -> str:
        hot, kafka = trial.hot(), trial.stage.kafka
        before = (await kafka.partitions(trial.collection))[hot]
        others = [number for number in before.replicas if number != before.leader]

        async def leader_of(replicas: int) -> int | None:
            now = (await kafka.partitions(trial.collection))[hot]
            return now.leader if len(now.replicas) == len(now.isr) == replicas else None

        await kafka.reassign(trial.collection, hot, others)
        after = await until(lambda: leader_of(len(others)), "the partition has moved")
        assert after in others, (before, after)
        await trial.flowing(20)
        await kafka.reassign(trial.collection, hot, [*others, before.leader])
        await until(lambda: leader_of(len(before.replicas)), "the partition is on all brokers again")
        return f"partition {hot} was led by {before.leader}, then by {after}"


class BrokersAway(Fault):
    """SIGKILL to all of them, and their return."""

    name = "all brokers away for 15 s"

    async def strike(self, trial: Trial) -> str:
        nodes = list(trial.stage.nodes.values())
        before = [node.process.pid for node in nodes]
        await asyncio.gather(*(node.kill() for node in nodes))
        since_s = asyncio.get_running_loop().time()
        await asyncio.sleep(AWAY_S)
        acknowledged = trial.writers.written(since_s)
        assert acknowledged == 0, f"{acknowledged} writes were acknowledged by nobody"
        refused = trial.writers.unacknowledged(since_s)
        assert refused > 0, "nobody tried to write meanwhile"
        await asyncio.gather(*(node.start() for node in nodes))
        assert not set(before) & {node.process.pid for node in nodes}
        return f"no write was acknowledged, {refused} were not"


class BrokerFrozen(Fault):
    """SIGSTOP to the leader of the hot partition: it accepts and never answers.

    Thawed it answers for a moment as the leader that it no longer is, with a log that is too short: nobody believes it.
    """

    name = "broker SIGSTOP"

    async def strike(self, trial: Trial) -> str:
        node = await trial.leader()
        node.freeze()
        assert state(node) == "T", f"{node.name} runs on: {state(node)}"
        _, writer = await asyncio.open_connection(*node.broker_port.address.split(":"))
        writer.close()
        shrunk = await out_of_sync(trial, node)
        await asyncio.sleep(FROZEN_S)
        node.thaw()
        return f"{node.name} was stopped and accepted a connection; {shrunk} partitions went on without it"


def state(node: KafkaNode) -> str:
    """What the kernel says of its process: `T` is stopped."""
    return Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(") ")[2][0]


async def out_of_sync(trial: Trial, node: KafkaNode) -> int:
    """How many partitions of the trial are led by others, once that broker is in sync with none."""

    async def gone() -> int:
        found = await trial.stage.kafka.partitions(trial.collection)
        with_leader = [each for each in found if each.leader not in {-1, node.node_id} and node.node_id not in each.isr]
        return len(with_leader) if len(with_leader) == len(found) else 0

    return await until(gone, f"all goes on without {node.name}")
