"""What `docker compose` makes of our files, as far as ours go: extended services, and a second file over the first."""

from typing import Any, Final

from cli.settings import AllSettings
from tests.unit.infra.tree import INFRA, document

FOLDER: Final = INFRA / "compose"
FILES: Final = {"dev": ("compose.yaml",), "prod": ("compose.yaml", "compose.prod.yaml")}
OURS: Final = ("pushserver", "producer", "topics")


def compose(variant: str) -> dict[str, Any]:
    """The merged model of `dev` or `prod`."""
    merged: dict[str, Any] = {}
    for name in FILES[variant]:
        read = document(FOLDER / name)
        read["services"] = {key: _extended(service) for key, service in read["services"].items()}
        merged = over(merged, read)
    return merged


def _extended(service: dict[str, Any]) -> dict[str, Any]:
    extends = service.pop("extends", None)
    if extends is None:
        return service
    return over(document(FOLDER / extends["file"])["services"][extends["service"]], service)


def over(base: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """Two mappings, the upper one winning; lists of mounts are merged by their target, other lists refused."""
    merged = dict(base)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = over(below, value)
        elif isinstance(below, list) and isinstance(value, list):
            merged[key] = list(({m["target"]: m for m in below} | {m["target"]: m for m in value}).values())
        else:
            merged[key] = value
    return merged


def settings(variant: str, folder: Any) -> AllSettings:
    """What the services of a variant read: the files as they are mounted, put into an empty folder."""
    model = compose(variant)
    for mount in model["services"]["pushserver"]["configs"]:
        place = folder / mount["target"].removeprefix("/etc/watchroute/")
        place.parent.mkdir(exist_ok=True)
        place.write_bytes((FOLDER / model["configs"][mount["source"]]["file"]).read_bytes())
    return AllSettings.load(folder / "watchroute.toml")


def seconds(duration: str) -> float:
    """A duration of the kind that our files use: whole seconds."""
    return float(duration.removesuffix("s"))
