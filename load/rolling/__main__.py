"""`python -m load.rolling [restart | reload] [--watchers 2000] [--out FOLDER] ...`."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import uvloop

from load.bench.cores import raise_file_limit
from load.rolling.chart import chart
from load.rolling.figures import Outcome
from load.rolling.reload import reload
from load.rolling.restart import restart
from load.rolling.run import Deed, Run, run
from load.rolling.scale import Scale

_RESULTS: Final = Path("load/results")


class _Plan(NamedTuple):
    deed: Deed
    file: str
    title: str
    cuts: bool


_PLANS: Final[Mapping[str, _Plan]] = {
    "restart": _Plan(restart, "rolling", "every push server is restarted, one after the other", cuts=False),
    "reload": _Plan(reload, "rolling-reload", "HAProxy is reloaded with a new certificate", cuts=True),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; returns the exit status, 1 when a promise was broken."""
    options = _parser().parse_args(arguments)
    plan = _PLANS[options.plan]
    scale = Scale(**{field.name: getattr(options, field.name) for field in fields(Scale)})
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="watchroute-rolling-") as made:
        folder = options.folder or Path(made)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            done = runner.run(run(folder, scale, plan.deed, _tell))
    _write(options.out, plan, scale, done)
    _print(done.outcome)
    print(f"HAProxy: {done.door_bytes / 1024:.0f} KB for each watcher, TLS included")
    broken = done.outcome.broken(cuts=scale.watchers if plan.cuts else 0)
    for line in broken:
        sys.stderr.write(f"BROKEN: {line}\n")
    return 1 if broken else 0


def _write(folder: Path, plan: _Plan, scale: Scale, done: Run) -> None:
    timeline, outcome, door_bytes = done
    title = f"{scale.watchers} watchers: {plan.title}"
    means = {window.name: window.mean_per_s for window in outcome.windows}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{plan.file}.svg").write_text(chart(title, timeline, means, scale.even_share))
    content = {
        "what": title,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "scale": asdict(scale),
        **outcome.as_json(),
        "haproxy_bytes_per_watcher": round(door_bytes),
        "reconnects_per_s": timeline.per_second(),
    }
    (folder / f"{plan.file}.json").write_text(json.dumps(content, indent=2) + "\n")


def _print(outcome: Outcome) -> None:
    print(f"{'window':14}{'reconnects':>12}{'mean/s':>9}{'highest/s':>11}{'highest ÷ mean':>16}")
    for one in outcome.windows:
        print(f"{one.name:14}{one.reconnects:>12}{one.mean_per_s:>9}{one.highest_per_s:>11}{one.flatness:>16}")
    print("share afterwards: " + ", ".join(f"{server} {share} ×" for server, share in outcome.shares.items()))
    found = outcome.findings
    print(
        f"{found.told} events told; {found.lost} lost, {found.stale} stale, {found.disordered} out of order, "
        f"{found.resets} resets, {found.repeats} repeats (at most {found.most_repeats} of a resource in state mode)"
    )
    print(
        f"{outcome.sent_away} sent away, {outcome.cut} cut, longest away {outcome.longest_away_s} s; "
        f"refused or failed: {outcome.failures or 'none'}"
    )


def _tell(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load.rolling", description=__doc__)
    parser.add_argument("plan", nargs="?", choices=_PLANS, default="restart")
    for field in fields(Scale):
        default = field.default
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(default), default=default, help=f"{default}")
    parser.add_argument("--out", type=Path, default=_RESULTS, help=f"where results go; {_RESULTS} when left out")
    parser.add_argument("--folder", type=Path, help="where logs and data go; a temporary one when left out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
