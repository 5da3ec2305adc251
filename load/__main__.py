"""`make load`: locust for two minutes at a cluster, its own or the one at --url; a report and a picture of it.

Whatever is not an option of this command is one of locust, or of load/users/options.py, and wins over the default here.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from infra.cluster.cluster import Cluster
from infra.cluster.front_door import NoFrontDoor
from infra.cluster.kafka_jars import KafkaJarsMissing, find_jars
from infra.cluster.plan import Plan
from infra.cluster.process import ROOT, ProcessFailed

_RESULTS: Final = ROOT / "load" / "results"
_LOCUSTFILE: Final = ROOT / "load" / "locustfile.py"
_DEVELOPMENT_CA: Final = ROOT / ".certs" / "ca.pem"
_LOOPBACK: Final = ("localhost", "127.0.0.1")
_DEFAULTS: Final = {
    "--run-time": "2m",
    "--shape": "ramp",
    "--users": "300",
    "--publishers": "2",
    "--rate": "40",
    "--settle": "10",
    "--life": "60",
}
_SOURCES: Final = {"--sources": "64"}
"""The front door routes by address: one would be one server's."""


class Target(NamedTuple):
    """Where the load goes, whom to trust there, and what restarts its push servers."""

    url: str
    ca: Path | None = None
    restart_command: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; returns locust's exit status, which is 1 when something was lost, or went wrong."""
    parser = argparse.ArgumentParser(prog="python -m load", description=__doc__)
    parser.add_argument("--url", default="", help="a cluster that runs; without it one is started for this run")
    parser.add_argument("--ca", type=Path, help="PEM file to trust; for localhost that of `make certs` by default")
    parser.add_argument("--out", type=Path, default=_RESULTS, help="the folder for load.html, load.svg and load.csv")
    options, rest = parser.parse_known_args(arguments)
    try:
        return asyncio.run(_run(options, rest))
    except (KafkaJarsMissing, NoFrontDoor, ProcessFailed) as reason:
        sys.exit(str(reason))


def command(target: Target, out: Path, rest: Sequence[str]) -> list[str]:
    """The command line of locust; of an option that comes twice the last one counts."""
    defaults = _DEFAULTS | {"--host": target.url}
    defaults |= _SOURCES if sys.platform == "linux" and urlsplit(target.url).hostname in _LOOPBACK else {}
    defaults |= {"--ca": str(target.ca)} if target.ca else {}
    defaults |= {"--restart-command": target.restart_command} if target.restart_command else {}
    files = {"--html": "load.html", "--picture": "load.svg", "--samples": "load.csv"}
    defaults |= {option: str(out / name) for option, name in files.items()}
    given = [part for pair in defaults.items() for part in pair]
    return [sys.executable, "-m", "locust", "-f", str(_LOCUSTFILE), "--headless", "--only-summary", *given, *rest]


async def _run(options: argparse.Namespace, rest: Sequence[str]) -> int:
    async with _target(options) as target:
        print(f"Load on {target.url} ...", flush=True)
        locust = await asyncio.create_subprocess_exec(*command(target, options.out, rest), cwd=ROOT)
        try:
            status = await locust.wait()
        except asyncio.CancelledError:
            locust.terminate()
            await locust.wait()
            raise
    print(f"The report is {options.out / 'load.html'}, the picture {options.out / 'load.svg'}.")
    return status


@asynccontextmanager
async def _target(options: argparse.Namespace) -> AsyncIterator[Target]:
    """The cluster at --url, or one that lives as long as this."""
    if options.url:
        trusted = _DEVELOPMENT_CA if urlsplit(options.url).hostname in _LOOPBACK and _DEVELOPMENT_CA.exists() else None
        yield Target(options.url, options.ca or trusted)
        return
    print("Starting a cluster: three brokers, two producers, three push servers and HAProxy ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="watchroute-load-") as folder:
        async with Cluster(Path(folder), find_jars(), Plan()) as cluster:
            restarts: set[asyncio.Task[None]] = set()
            # The shape says when, in another process.
            asyncio.get_running_loop().add_signal_handler(
                signal.SIGUSR1, lambda: restarts.add(asyncio.create_task(_restart(cluster)))
            )
            yield Target(cluster.door.url, cluster.door.ca, f"kill -USR1 {os.getpid()}")
            if restarts:
                print("Waiting for the restarts to end ...", flush=True)
            await asyncio.gather(*restarts)


async def _restart(cluster: Cluster) -> None:
    """One push server after the other, each when the one before serves again."""
    for number, server in enumerate(cluster.servers, 1):
        print(f"Restarting {server.name} ...", flush=True)
        await server.stop()
        await server.start()
        await cluster.door.until_status(f"pushserver{number}", "UP")
    print("Every push server was restarted.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
