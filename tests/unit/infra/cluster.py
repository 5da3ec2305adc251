"""A built overlay of infra/k8s/, and what the tests ask of it."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

from cli.settings import AllSettings
from tests.unit.infra.kustomization import Resource, build
from tests.unit.infra.tree import INFRA

OVERLAYS: Final = ("dev", "load", "prod")
SERVICES: Final = ("pushserver", "producer", "haproxy")
WORKLOADS: Final = ("Deployment", "StatefulSet", "Job")


class Cluster:
    """All resources of one overlay."""

    def __init__(self, overlay: str) -> None:
        self.resources = build(INFRA / "k8s/overlays" / overlay)

    def all(self, *kinds: str) -> list[Resource]:
        """The resources of these kinds."""
        return [resource for resource in self.resources if resource["kind"] in kinds]

    def one(self, kind: str, name: str) -> Resource:
        """The resource of this kind and name."""
        (found,) = [resource for resource in self.all(kind) if resource["metadata"]["name"] == name]
        return found

    def pod(self, name: str) -> dict[str, Any]:
        """The pod template's spec of a deployment."""
        spec: dict[str, Any] = self.one("Deployment", name)["spec"]["template"]["spec"]
        return spec

    def container(self, name: str) -> dict[str, Any]:
        """The one container of a deployment."""
        (only,) = self.pod(name)["containers"]
        if not isinstance(only, dict):
            raise TypeError(name)
        return only

    def settings(self) -> AllSettings:
        """What the services read: the ConfigMap, as it is mounted."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in self.one("ConfigMap", "watchroute")["data"].items():
                (Path(folder) / name).write_text(content, encoding="utf-8")
            return AllSettings.load(Path(folder) / "watchroute.toml")


@cache
def cluster(overlay: str) -> Cluster:
    """The overlay, built once; not to be changed."""
    return Cluster(overlay)


def environment(container: dict[str, Any]) -> dict[str, str]:
    """The variables of a container."""
    return {variable["name"]: variable["value"] for variable in container.get("env", [])}
