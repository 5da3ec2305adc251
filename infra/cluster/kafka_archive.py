"""What makes a broker start with half the work: its classes, as the JVM keeps them once it has loaded them.

`python -m infra.cluster.kafka_archive` makes it where there is none: one broker is started and stopped for that.
"""

import asyncio
import os

from infra.cluster.kafka_jars import KafkaJars, find_jars
from infra.cluster.kafka_node import KafkaNode


async def make_archive(jars: KafkaJars) -> None:
    """Leave it at `jars.archive`; whoever has found another there goes on with that one."""
    made = jars.archive.with_suffix(f".{os.getpid()}")
    node = KafkaNode(jars.recording(made))
    try:
        await node.format(node.voter, {})
        await node.start()
        await node.stop(within_s=120)
        made.replace(jars.archive)
    finally:
        await node.discard()
        made.unlink(missing_ok=True)


if __name__ == "__main__":
    found = find_jars()
    if not found.archive.exists():
        asyncio.run(make_archive(found))
