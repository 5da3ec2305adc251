#!/usr/bin/env python3
"""Compile the locks in `requirements/`, or check that they are the ones that `pyproject.toml` asks for.

    locks.py compile [--upgrade]   resolves and writes both locks; needs uv and the network
    locks.py check                 needs neither: a lock begins with a digest of the requirements it was compiled from

A lock names no registry, no path and no machine, so it is good wherever it is installed from.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
MARK: Final = "# compiled by `make lock` from pyproject.toml, requirements "
PIN: Final = re.compile(r"^([a-z0-9][a-z0-9-]*)==(\S+)", re.MULTILINE)


class Lock(NamedTuple):
    """One file, and what of `pyproject.toml` it holds beside the dependencies of the distribution itself."""

    name: str
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    within: str | None = None
    """The lock whose versions this one repeats."""

    @property
    def path(self) -> Path:
        """Where the lock is."""
        return ROOT / "requirements" / f"{self.name}.txt"


RUNTIME: Final = Lock("runtime", extras=("demo",), groups=("build",))
DEV: Final = Lock("dev", extras=("demo",), groups=("dev",), within="runtime")


def requirements(project: dict[str, Any], lock: Lock) -> Iterator[str]:
    """Yield everything that the lock is compiled from, with groups unfolded."""
    yield project["project"]["requires-python"]
    yield from project["project"]["dependencies"]
    for extra in lock.extras:
        yield from project["project"]["optional-dependencies"][extra]
    for group in lock.groups:
        yield from _group(project["dependency-groups"], group)


def _group(groups: dict[str, Any], name: str) -> Iterator[str]:
    for item in groups[name]:
        if isinstance(item, str):
            yield item
        else:
            yield from _group(groups, item["include-group"])


def digest(wanted: Iterator[str]) -> str:
    """Digest the requirements: their order and spaces don't count."""
    text = json.dumps(sorted("".join(item.split()).lower() for item in wanted))
    return hashlib.sha256(text.encode()).hexdigest()


def compile_lock(project: dict[str, Any], lock: Lock, options: list[str]) -> None:
    """Write one lock, keeping the versions it has as far as they still fit, unless told to upgrade."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    command += [f"--extra={extra}" for extra in lock.extras]
    command += [f"--group={group}" for group in lock.groups]
    command += ["--constraints", f"requirements/{lock.within}.txt"] if lock.within else []
    relative = str(lock.path.relative_to(ROOT))
    subprocess.run([*command, *options, "--output-file", relative], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    body = lock.path.read_text(encoding="utf-8")
    lock.path.write_text(f"{MARK}{digest(requirements(project, lock))}\n{body}", encoding="utf-8")


def mistakes(project: dict[str, Any], lock: Lock) -> Iterator[str]:
    """Yield what is wrong with one lock, a sentence each."""
    text = lock.path.read_text(encoding="utf-8") if lock.path.exists() else ""
    if text.partition("\n")[0] != MARK + digest(requirements(project, lock)):
        yield "it was not compiled from these requirements"
    if re.search(r"://|--(extra-)?index-url|--find-links|^/", text, re.MULTILINE):
        yield "it names a place to install from"
    unhashed = [pin[0] for pin in re.findall(r"^(\S+==\S+)(?!.*\\$)(.*)$", text, re.MULTILINE)]
    if unhashed:
        yield f"it has no hash for {', '.join(unhashed)}"


def strays() -> Iterator[str]:
    """Yield the pins of the runtime lock that the development lock does not repeat."""
    runtime, dev = (set(PIN.findall(lock.path.read_text(encoding="utf-8"))) for lock in (RUNTIME, DEV))
    yield from (f"{name}=={version} is not in it, but in the runtime lock" for name, version in sorted(runtime - dev))


def check(project: dict[str, Any]) -> int:
    """Print every mistake in the locks; return the exit status."""
    found = [f"{lock.path.name}: {mistake}" for lock in (RUNTIME, DEV) for mistake in mistakes(project, lock)]
    found = found or [f"dev.txt: {stray}" for stray in strays()]
    for mistake in found:
        print(mistake)
    if found:
        print("`make lock` compiles them again.")
    return 1 if found else 0


def main(arguments: list[str]) -> int:
    """Do what the command line asks for; return the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    match arguments:
        case ["check"]:
            return check(project)
        case ["compile", *options]:
            for lock in (RUNTIME, DEV):
                compile_lock(project, lock, options)
            return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
