"""When a Kafka broker counts as ready: it answers, and says that it is in its cluster."""

import asyncio
import contextlib

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from infra.cluster.deadline import until

_ANSWER_WITHIN_MS = 5000


async def until_ready(bootstrap: str, *, within_s: float = 60) -> None:
    """Wait until the broker at `bootstrap` (one address) lists any broker as a live member of its cluster."""

    async def ready() -> bool:
        return await is_ready(bootstrap)

    await until(ready, f"Kafka at {bootstrap} is ready", within_s=within_s)


async def is_ready(bootstrap: str, node_id: int | None = None) -> bool:
    """Whether the broker there lists itself (`node_id`), or any broker, as a live member."""
    # An open port first: aiokafka logs an error for each connection that is refused.
    return await _accepts(bootstrap) and await _lists(bootstrap, node_id)


async def _accepts(bootstrap: str) -> bool:
    host, port = bootstrap.rsplit(":", 1)
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):  # how a probe's connection ends means nothing
        await writer.wait_closed()
    return True


async def _lists(bootstrap: str, node_id: int | None) -> bool:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=_ANSWER_WITHIN_MS)
    try:
        await client.bootstrap()
        members = {broker.nodeId for broker in client.cluster.brokers()}
    except KafkaError:
        return False
    finally:
        await client.close()
    return bool(members) if node_id is None else node_id in members
