"""Where the deployments are, and how their files are read."""

from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
INFRA: Final = ROOT / "infra"


def documents(path: Path) -> list[Any]:
    """Every YAML document of a file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def document(path: Path) -> dict[str, Any]:
    """The one YAML document of a file."""
    (only,) = documents(path)
    if not isinstance(only, dict):
        raise TypeError(f"{path} holds no mapping")
    return only
