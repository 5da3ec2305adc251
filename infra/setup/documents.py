"""The documents of the API: their schemas are copies of shared/contract/, and what the services serve is made of them.

documents.py write
documents.py check
"""

import difflib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from shared.contract.definitions import components  # noqa: E402 -- it is run as a script

DOCUMENTS: Final = ("openapi", "asyncapi")
_SERVED: Final = "openapi"
_REFERENCE: Final = re.compile(r"#/components/schemas/(\w+)")
_MARK: Final = "  # What follows is written by `python infra/setup/documents.py write`, from shared/contract/.\n"


class _Dumper(yaml.SafeDumper):
    """Indents lists, so that they look as those that people write, and never refers back."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 -- the library's signature
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- the library's signature
        return True


def used(written: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas that a document refers to, and what those refer to, in the order of the contract."""
    found: set[str] = set()
    texts = [written]
    while texts:
        named = set(_REFERENCE.findall(texts.pop())) - found
        found |= named
        texts += [json.dumps(schemas[name]) for name in named]
    return {name: schema for name, schema in schemas.items() if name in found}


def wanted() -> Iterator[tuple[Path, str]]:
    """What each file should hold."""
    for name in DOCUMENTS:
        path = ROOT / "docs" / f"{name}.yaml"
        written, mark, _ = path.read_text("utf-8").partition(_MARK)
        if not mark:
            raise SystemExit(f"{path}: there is no line {_MARK.strip()!r}")
        text = written + mark + _indented({"schemas": used(written, components())})
        yield path, text
        if name == _SERVED:
            served = json.dumps(yaml.safe_load(text), ensure_ascii=False, separators=(",", ":"))
            yield ROOT / "shared" / "contract" / f"{name}.served.json", served + "\n"


def _indented(section: dict[str, Any]) -> str:
    text = yaml.dump(section, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return "".join(f"  {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def main() -> int:
    """Write, or say what differs; 1 when something does."""
    stale = False
    for path, text in wanted():
        now = path.read_text("utf-8") if path.exists() else ""
        if now == text:
            continue
        if sys.argv[1:] == ["write"]:
            path.write_text(text, "utf-8")
            continue
        stale = True
        sys.stdout.writelines(list(difflib.unified_diff(now.splitlines(True), text.splitlines(True), str(path)))[:40])  # noqa: FBT003 -- keep the ends
    if stale:
        print("Run: .venv/bin/python infra/setup/documents.py write", file=sys.stderr)
    return int(stale)


if __name__ == "__main__":
    if sys.argv[1:] not in (["write"], ["check"]):
        raise SystemExit(__doc__)
    raise SystemExit(main())
