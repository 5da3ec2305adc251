"""A Dockerfile as data: stages with their instructions, and what a stage has from the one that it builds on."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from tests.unit.infra.tree import INFRA, ROOT


class Instruction(NamedTuple):
    """One line, its continuations included."""

    word: str
    rest: str


class Stage:
    """One `FROM` and what follows."""

    def __init__(self, base: str, below: "Stage | None") -> None:
        self.base = base
        self.below = below
        self.own: list[Instruction] = []

    def last(self, word: str) -> str | None:
        """The newest instruction of that word, inherited ones too."""
        for instruction in reversed(self.own):
            if instruction.word == word:
                return instruction.rest
        return self.below.last(word) if self.below else None

    def exec_form(self, word: str) -> list[str]:
        """The arguments of an instruction in exec form; raises ValueError when a shell would run it."""
        rest = self.last(word) or ""
        arguments = json.loads(rest[rest.index("[") :])
        return [str(argument) for argument in arguments]

    def environment(self) -> dict[str, str]:
        """All variables."""
        inherited = self.below.environment() if self.below else {}
        own = (pair for instruction in self.own if instruction.word == "ENV" for pair in instruction.rest.split())
        return inherited | dict(pair.split("=", 1) for pair in own)


def stages() -> dict[str, Stage]:
    """Every stage of infra/docker/Dockerfile, by name."""
    found: dict[str, Stage] = {}
    for instruction in instructions(INFRA / "docker/Dockerfile"):
        if instruction.word == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", instruction.rest).groups()  # type: ignore[union-attr]
            current = found[name] = Stage(base, found.get(base))
        elif found:
            current.own.append(instruction)
    return found


def instructions(path: Path) -> list[Instruction]:
    """The instructions of a Dockerfile, comments left out."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [Instruction(*line.strip().split(maxsplit=1)) for line in lines if line.strip()]


def copied() -> list[str]:
    """Everything that is copied from the context."""
    rests = (i.rest for i in instructions(INFRA / "docker/Dockerfile") if i.word == "COPY")
    return [source for rest in rests if "--from=" not in rest for source in rest.split()[:-1]]


def sent() -> set[str]:
    """What .dockerignore lets through to the builder."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return {line[1:] for line in lines if line.startswith("!")}
