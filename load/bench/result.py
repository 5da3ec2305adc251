"""The result of a scenario, as it is written to a file and read back."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from load.bench.catalogue import SCENARIOS
from load.bench.figures import Figures, Spread, spread
from load.bench.scenario import Scenario


class Result(NamedTuple):
    """All runs of a scenario; `provenance` as `machine.py` makes it."""

    scenario: Scenario
    runs: Sequence[Figures]
    provenance: Mapping[str, Any]

    @property
    def spreads(self) -> Mapping[str, Spread]:
        """Each figure over the runs."""
        return spread(self.runs)

    def write(self, folder: Path) -> Path:
        """Write it as `<scenario>.json`."""
        path = folder / f"{self.scenario.name}.json"
        content = {
            "scenario": self.scenario.name,
            "what": self.scenario.what,
            **self.provenance,
            "figures": {key: found._asdict() for key, found in self.spreads.items()},
            "targets": {figure.key: str(figure.target) for figure in self.scenario.figures if figure.target},
            "runs": self.runs,
        }
        path.write_text(json.dumps(content, indent=2) + "\n")
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        content = json.loads(path.read_text())
        provenance = {key: content[key] for key in ("when", "commit", "machine", "versions")}
        return cls(SCENARIOS[content["scenario"]], content["runs"], provenance)


def read_results(folder: Path) -> list[Result]:
    """What there is of every scenario, in the catalogue's order."""
    paths = (folder / f"{name}.json" for name in SCENARIOS)
    return [Result.read(path) for path in paths if path.exists()]
