"""`make cluster`: the whole cluster, until Ctrl-C."""

import asyncio
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from infra.cluster.cluster import Cluster
from infra.cluster.front_door import NoFrontDoor
from infra.cluster.kafka_jars import KafkaJarsMissing, find_jars
from infra.cluster.plan import Plan, Ports
from infra.cluster.port import PortTaken
from infra.cluster.process import ROOT, ProcessFailed
from infra.cluster.supervisor import Supervisor
from shared.serving import stop_requested

_SETTINGS: Final = r"WATCHROUTE_(KAFKA|LOG|PRODUCER|PUSHSERVER)_"

_WELCOME: Final = """
The cluster is running: {url}, which curl and browsers trust by {ca}.
Open it and see prices move, or type in another terminal:

  curl --cacert {ca} -N {url}/v1/playground/stream
  curl --cacert {ca} -X PUT {url}/v1/playground/hello -H 'Content-Type: application/json' -d '{{"n": 1}}'

  push servers  {servers}
  producers     {producers}
  Kafka         {kafka}
  HAProxy       {admin} (statistics, /metrics)
  logs          {logs}/

Whatever dies is started again. Ctrl-C stops it; the data stays, and is served again by the next start.
"""


@click.command()
@click.option("--folder", default=ROOT / ".cluster", type=Path, help="Where logs, data and configuration are.")
@click.option("--certificates", default=ROOT / ".certs", type=Path, help="A folder with ca.pem and localhost.pem.")
@click.option("--free-ports", is_flag=True, help="Listen at free ports instead of the usual ones.")
def main(folder: Path, certificates: Path, *, free_ports: bool) -> None:
    """Run three brokers, two producers, three push servers and HAProxy, until Ctrl-C.

    Variables `WATCHROUTE_*` and `FRONT_*` win over the files in infra/, as everywhere.
    """
    try:
        cluster = Cluster(folder, find_jars(), _plan(free_ports=free_ports), certificates=certificates)
        asyncio.run(_run(cluster))
    except (KafkaJarsMissing, NoFrontDoor, PortTaken, ProcessFailed) as reason:
        raise click.ClickException(str(reason)) from None


def _plan(*, free_ports: bool) -> Plan:
    every = {name: text for name, text in os.environ.items() if re.match(_SETTINGS, name)}
    door = {name: text for name, text in os.environ.items() if name.startswith("FRONT_")}
    return Plan(pages=True, every=every, door=door, ports=Ports(fixed=not free_ports))


async def _run(cluster: Cluster) -> None:
    stop = stop_requested()
    _tell("Starting three brokers, two producers, three push servers and HAProxy ...")
    starting = asyncio.create_task(cluster.__aenter__())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        return
    try:
        starting.result()
        await _live(cluster, stop)
    finally:
        await cluster.__aexit__()


async def _live(cluster: Cluster, stop: asyncio.Event) -> None:
    _tell(_welcome(cluster))
    supervising = asyncio.create_task(Supervisor(cluster.processes, _tell).run())
    await stop.wait()
    supervising.cancel()
    with suppress(asyncio.CancelledError):
        await supervising
    _tell("Stopping: watchers are sent away first ...")
    await cluster.stop()


def _welcome(cluster: Cluster) -> str:
    return _WELCOME.format(
        url=cluster.url,
        ca=_shown(cluster.door.ca),
        logs=_shown(cluster.logs),
        servers="  ".join(server.url for server in cluster.servers),
        producers="  ".join(producer.url for producer in cluster.producers),
        kafka=cluster.kafka.bootstrap,
        admin=cluster.door.admin_url,
    )


def _shown(path: Path) -> str:
    return os.path.relpath(path)


def _tell(line: str) -> None:
    click.echo(line)


if __name__ == "__main__":
    main()
