"""Where and with what a result came about."""

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from load.bench.cores import READERS_CORE, SERVER_CORE
from load.bench.rig import Rig

_LIBRARIES: Final = ("aiokafka", "orjson", "starlette", "uvicorn", "uvloop")
_ROOT: Final = Path(__file__).parents[2]
_KB_IN_GB: Final = 1024 * 1024


def provenance(rig: Rig) -> Mapping[str, Any]:
    """Machine, versions and commit; nothing that tells one machine of a kind from another."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "memory_gb": round(_memory_kb() / _KB_IN_GB, 1),
            "kernel": platform.release(),
            "server_core": SERVER_CORE,
            "readers_core": READERS_CORE,
            "load_average": round(os.getloadavg()[0], 2),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
            "kafka": rig.broker.describe(),
            "floor": rig.floor.language,
        },
    }


def _commit() -> str:
    """The commit, with `+` when the tree differs from it; `unknown` outside of a repository."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "") if commit else "unknown"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 -- with arguments from above only
            ["git", *arguments],  # noqa: S607 -- the developer's own
            cwd=_ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return ""
    return done.stdout.strip()


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory_kb() -> int:
    return int(Path("/proc/meminfo").read_text().split()[1])
