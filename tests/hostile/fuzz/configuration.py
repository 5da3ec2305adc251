"""Configuration files: settings, or all the mistakes at once."""

import os
import re
from pathlib import Path
from random import Random
from typing import Final

from services.producer import settings as producer
from services.pushserver import settings as pushserver
from shared.errors import ConfigurationError
from tests.hostile.fuzz.mutation import Mutator

_EXAMPLE: Final = Path(__file__).parents[3] / "watchroute.toml.example"
_WORDS: Final = (
    b"\n[kafka]\n",
    b"\n[collections.a]\n",
    b"[[",
    b"]]",
    b'"""',
    b"'",
    b"=",
    b"{",
    b"nan",
    b"inf",
    b"1979-05-27",
    b"#",
)
_TABLES: Final = (
    b"",
    b"[collections.items]\nmodes = ['state', 'log']\npartitions = 4\n[collections.others]\nvalue = 'msgpack'\n",
    b"collections = { items = { topic = 'one' }, others = { topic = 'one' } }\n",
)


class Configuration:
    """Inputs are the bytes of a file."""

    name = "configuration"

    def __init__(self) -> None:
        # A file in memory, which is gone with the process.
        self._path = Path(f"/proc/self/fd/{os.memfd_create('watchroute.toml')}")
        self._lines = _EXAMPLE.read_text().splitlines()

    def make(self, random: Random) -> bytes:
        """The example with some of its settings said, and a few changes."""
        said = [line[1:] if re.match(r"#[a-z_]+ = ", line) and random.random() < 0.1 else line for line in self._lines]
        lines = [line for line in said if not line.startswith("#")]
        seeds = ["\n".join(lines).encode() + b"\n", *_TABLES]
        return Mutator(random, seeds, _WORDS).make()

    def run(self, data: bytes) -> bool:
        """Whether both services would start with it."""
        self._path.write_bytes(data)
        accepted = True
        for settings in (pushserver.Settings, producer.Settings):
            try:
                settings.load(self._path)
            except ConfigurationError as error:
                assert error.mistakes
                accepted = False
        return accepted
