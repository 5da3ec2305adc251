"""`python -m load.clients [--clients 200] [--per-s 10]`: what applications notice of a rolling restart."""

import argparse
import asyncio
import ssl
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from infra.cluster.cluster import Cluster
from infra.cluster.kafka_jars import find_jars
from load.bench.cores import raise_file_limit
from load.clients.javascript_crowd import JavaScriptCrowd
from load.clients.python_crowd import PythonCrowd
from load.clients.story import Story
from load.rolling.account import Truth
from load.rolling.publisher import Publisher
from load.rolling.restart import restart
from load.rolling.run import plan_of, published
from load.rolling.scale import Scale
from load.rolling.timeline import Timeline

_SETTLES_S = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; returns the exit status, 1 when an application noticed a gap or a repeat."""
    parser = argparse.ArgumentParser(prog="python -m load.clients", description=__doc__)
    parser.add_argument("--clients", type=int, default=200, help="of each kind; 200")
    parser.add_argument("--per-s", type=float, default=10, help="changes a second, all of which everybody watches; 10")
    options = parser.parse_args(arguments)
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="watchroute-clients-") as made:
        return asyncio.run(_run(Path(made), options.clients, options.per_s))


async def _run(folder: Path, number: int, per_s: float) -> int:
    scale = Scale(watchers=2 * number, per_s=per_s)
    async with Cluster(folder, find_jars(), plan_of(folder, scale)) as cluster:
        trust = ssl.create_default_context(cafile=str(cluster.door.ca))
        publisher = Publisher(cluster.url, trust, scale.resources, scale.per_s)
        crowds = (PythonCrowd(cluster.url, trust, number), JavaScriptCrowd(cluster.url, cluster.door.ca, number))
        for crowd in crowds:
            await crowd.open()
        print(f"{number} clients of each kind are there; every push server is restarted, one after the other ...")
        async with published(publisher):
            timeline = Timeline()
            timeline.begin()
            await restart(cluster, timeline, scale)
        # The last writes are on their way.
        await asyncio.sleep(_SETTLES_S)
        print(
            "| client | clients | changes told | gaps | repeats | resets | longest silence, s | median of the longest |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        broken = 0
        for crowd in crowds:
            broken += _judge(crowd.name, await crowd.close(), publisher.truth)
    return 1 if broken else 0


def _judge(name: str, stories: Sequence[Story], truth: Truth) -> int:
    told = sum(len(versions) for story in stories for versions in story.told.values())
    gaps, repeats = sum(story.gaps(truth) for story in stories), sum(story.repeats for story in stories)
    resets = sum(story.resets for story in stories)
    silences = [story.silence_s for story in stories]
    figures = f"{gaps} | {repeats} | {resets} | {max(silences):.1f} | {statistics.median(silences):.1f}"
    print(f"| {name} | {len(stories)} | {told} | {figures} |")
    return gaps + repeats + resets


if __name__ == "__main__":
    sys.exit(main())
