"""Every push server is restarted, one after the other."""

from infra.cluster.cluster import Cluster
from load.rolling.scale import Scale
from load.rolling.timeline import Timeline, Window


async def restart(cluster: Cluster, timeline: Timeline, scale: Scale) -> None:
    """SIGTERM, wait for its end, start it, wait until HAProxy sends it newcomers, next."""
    for number, server in enumerate(cluster.servers, 1):
        name = f"pushserver{number}"
        begins_s = timeline.now_s() + scale.drain_wait_s
        timeline.windows.append(Window(name, begins_s, begins_s + scale.drain_s))
        await server.stop(within_s=scale.drain_wait_s + scale.drain_s + scale.late_s + 15)
        # What the checks said last was of the process that has ended.
        await cluster.door.until_status(name, "DOWN")
        await server.start()
        await cluster.door.until_status(name, "UP")
