"""What `kustomize build` makes of a folder, as far as ours go: a field that is not understood here is refused.

Two differences: a generated ConfigMap keeps its plain name, without the hash of its content, and the order of resources
is that of the files.
"""

from pathlib import Path
from typing import Any, Final

import yaml

from tests.unit.infra.tree import document, documents

Resource = dict[str, Any]
_FIELDS: Final = {
    "apiVersion",
    "kind",
    "resources",
    "configMapGenerator",
    "namespace",
    "images",
    "replicas",
    "patches",
}


def build(folder: Path) -> list[Resource]:
    """All resources of a kustomization, its bases included; raises ValueError for what ours never use."""
    described = document(folder / "kustomization.yaml")
    if unknown := set(described) - _FIELDS:
        raise ValueError(f"{folder}: {unknown} is not understood")
    built = [resource for name in described.get("resources", []) for resource in _read(folder, name)]
    for generator in described.get("configMapGenerator", []):
        _generate(folder, generator, built)
    for patch in described.get("patches", []):
        _patch(folder, patch, built)
    for resource in built:
        _place(described, resource)
    return built


def _read(folder: Path, name: str) -> list[Resource]:
    path = (folder / name).resolve(strict=True)
    if path.is_dir():
        return build(path)
    if folder.resolve() not in path.parents:
        raise ValueError(f"{name}: kustomize takes no file from outside of {folder}")
    return documents(path)


def _generate(folder: Path, generator: dict[str, Any], built: list[Resource]) -> None:
    if unknown := set(generator) - {"name", "files", "behavior"}:
        raise ValueError(f"{unknown} is not understood")
    data = {}
    for name in generator["files"]:
        if "/" in name:
            raise ValueError(f"{name}: kustomize takes no file from outside of {folder}")
        data[name] = (folder / name).read_text(encoding="utf-8")
    present = [r for r in built if r["kind"] == "ConfigMap" and r["metadata"]["name"] == generator["name"]]
    if generator.get("behavior", "create") == "merge":
        (config_map,) = present
        config_map["data"] |= data
    elif present:
        raise ValueError(f"there are two of {generator['name']}")
    else:
        metadata = {"name": generator["name"]}
        built.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def _patch(folder: Path, patch: dict[str, Any], built: list[Resource]) -> None:
    text = patch["patch"] if "patch" in patch else (folder / patch["path"]).read_text(encoding="utf-8")
    target = patch["target"]
    hit = [r for r in built if (r["kind"], r["metadata"]["name"]) == (target["kind"], target["name"])]
    if len(hit) != 1:
        raise ValueError(f"{target} is {len(hit)} resources")
    # Read anew each time, so that no two resources share what is added.
    for operation in yaml.safe_load(text):
        apply(operation, hit[0])


def apply(operation: dict[str, Any], resource: Resource) -> None:
    """Change a resource by one operation of a JSON patch (RFC 6902); raises LookupError where it doesn't fit."""
    *way, last = [_unescaped(part) for part in operation["path"].removeprefix("/").split("/")]
    place: Any = resource
    for part in way:
        place = place[int(part)] if isinstance(place, list) else place[part]
    key = int(last) if isinstance(place, list) and last != "-" else last
    match operation["op"]:
        case "add" if last == "-":
            place.append(operation["value"])
        case "add" if isinstance(place, dict):
            place[key] = operation["value"]
        case "replace":
            _ = place[key]  # what isn't there can't be replaced
            place[key] = operation["value"]
        case "remove":
            del place[key]
        case other:
            raise ValueError(f"{other} is not understood")


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _place(described: dict[str, Any], resource: Resource) -> None:
    if "namespace" in described:
        resource["metadata"]["namespace"] = described["namespace"]
    for count in described.get("replicas", []):
        if resource["kind"] == "Deployment" and resource["metadata"]["name"] == count["name"]:
            resource["spec"]["replicas"] = count["count"]
    template = resource.get("spec", {}).get("template", {})
    for container in template.get("spec", {}).get("containers", []):
        for image in described.get("images", []):
            if container["image"] == image["name"]:
                container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
