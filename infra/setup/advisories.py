#!/usr/bin/env python3
"""Ask whether anything in a lock has a known vulnerability.

    advisories.py check   fails on a vulnerability that was found; that nobody could be asked is said, and is no failure
    advisories.py audit   fails then, too, with another status

OSV is asked (by pip-audit), which knows what PyPI's own answers say, and more. A package index may answer "no such
package" where it keeps no advisories, and pip-audit would count that as one without: that is nobody who was asked, too.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "requirements" / "dev.txt"
"""It holds the runtime lock."""
WITHIN_S: Final = 300
ACCEPTED: Final[dict[str, str]] = {}
"""Advisories that don't concern us, by id or alias, each with its reason."""
FOUND, UNASKED = 1, 2


class Verdict(NamedTuple):
    """`found` has a line for each vulnerability, `unasked` says what could not be asked, and why."""

    found: list[str]
    unasked: list[str]

    def status(self, *, strict: bool) -> int:
        """The exit status."""
        if self.found:
            return FOUND
        return UNASKED if strict and self.unasked else 0


def ask(lock: Path, options: Sequence[str] = ()) -> Verdict:
    """Ask about everything that a lock pins; `options` are further ones of pip-audit."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--requirement", str(lock)]
    command += ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off", *options]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        return Verdict([], [f"no answer within {WITHIN_S} s"])
    try:
        answer = json.loads(ended.stdout)
    except ValueError:
        said = ended.stderr.strip().splitlines() or [f"pip-audit ended with {ended.returncode}, without a word"]
        return Verdict([], [said[-1][:300]])
    return judge(answer["dependencies"])


def judge(dependencies: Sequence[dict[str, Any]]) -> Verdict:
    """What pip-audit's answer amounts to."""
    found = [
        f"{each['name']} {each['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'no version yet'}"
        for each in dependencies
        for one in each.get("vulns", ())
        if not {one["id"], *one.get("aliases", ())} & set(ACCEPTED)
    ]
    return Verdict(found, [f"{each['name']}: {each['skip_reason']}" for each in dependencies if "skip_reason" in each])


def main(arguments: list[str]) -> int:
    """Do what the command line asks for; return the exit status."""
    if not arguments or arguments[0] not in {"check", "audit"}:
        print(__doc__)
        return UNASKED
    verdict = ask(LOCK, arguments[1:])
    for line in verdict.found:
        print(line)
    for line in verdict.unasked:
        print(f"Could not ask for vulnerabilities: {line}", file=sys.stderr)
    if not verdict.found and not verdict.unasked:
        print("No known vulnerability.")
    return verdict.status(strict=arguments[0] == "audit")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
