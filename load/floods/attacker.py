"""The attacker's process: `{"attack":…,"port":…,"token":…,"per_s":…}` on standard input, until that ends.

An empty line says that it has begun, and one at the end what came of it: `{"attempts":…,"seconds":…,"seen":{…}}`.
"""

import json
import select
import sys
import time
from typing import Final

from load.bench.cores import raise_file_limit
from load.floods.attacks import PLANS, Attack
from load.floods.target import Target

_TICK_S: Final = 0.001
_AT_ONCE: Final = 50
"""Attempts between two looks at standard input; who is late by more makes up for no more."""


def main() -> None:
    """Attack until standard input ends."""
    raise_file_limit()
    asked = json.loads(sys.stdin.readline())
    target = Target(asked["port"])
    attack = PLANS[asked["attack"]].make(target, asked["token"].encode())
    sys.stdout.write("\n")
    sys.stdout.flush()
    began = time.monotonic()
    attempts = _attack(attack, asked["per_s"])
    seconds = time.monotonic() - began
    sys.stdout.write(json.dumps({"attempts": attempts, "seconds": seconds, "seen": target.seen}) + "\n")


def _attack(attack: Attack, per_s: float) -> int:
    attempts, owed, looked_at = 0, 0.0, time.monotonic()
    while not select.select([sys.stdin], [], [], _TICK_S if owed < 1 else 0)[0]:
        now = time.monotonic()
        owed = min(_AT_ONCE, owed + (now - looked_at) * per_s)
        looked_at = now
        while owed >= 1:
            attack.step()
            attempts += 1
            owed -= 1
    return attempts


if __name__ == "__main__":
    main()
