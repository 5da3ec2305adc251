"""HAProxy is reloaded with a new certificate, by the operators' script."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final

from infra.cluster.cluster import Cluster
from infra.cluster.deadline import until
from infra.cluster.front_door import FOLDER, certificate
from infra.cluster.process import ProcessFailed
from load.rolling.scale import Scale
from load.rolling.timeline import Timeline, Window

_SCRIPT: Final = FOLDER / "reload.py"
_ENDS_WITHIN_S: Final = 10
"""Beyond `hard-stop-after`."""


def next_certificate(folder: Path) -> Path:
    """The folder with what follows the first one, of another CA: `ca.pem` and `localhost.pem`."""
    return certificate(folder / "next")


async def reload(cluster: Cluster, timeline: Timeline, scale: Scale) -> None:
    """Put a new certificate in the place of the old one, reload, and wait for the end of the old worker."""
    old = cluster.door.workers()
    shutil.copy(next_certificate(cluster.folder) / "localhost.pem", cluster.door.variables["FRONT_CERTIFICATE"])
    begins_s = timeline.now_s()
    timeline.windows.append(Window("reload", begins_s, begins_s + scale.drain_s))
    script = await asyncio.create_subprocess_exec(
        sys.executable, str(_SCRIPT), str(cluster.door.master), "--over", f"{scale.drain_s:g}"
    )
    if await script.wait():
        raise ProcessFailed(f"HAProxy was not reloaded:\n{cluster.door.log_tail()}")

    async def ended() -> bool:
        return not set(old) & set(cluster.door.workers())

    await until(ended, "the old worker has ended", within_s=scale.hard_stop_s + _ENDS_WITHIN_S)
