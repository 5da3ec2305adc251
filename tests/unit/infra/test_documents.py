"""The documents of the API are made of one contract, and linters have nothing against them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from openapi_spec_validator import validate

from shared.catalog import Catalog, CollectionSettings
from shared.contract.definitions import components, definitions
from shared.contract.served import Granted, served_document
from shared.principal import EVERYBODY
from tests.support.contract import document

ROOT: Final = Path(__file__).parents[3]
SCRIPT: Final = ROOT / "infra/setup/documents.py"
CAN_NOT: Final = 77


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docs" / f"{name}.yaml").read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_a_document_has_the_schemas_of_the_contract_and_no_others(name: str) -> None:
    contract = components()
    for schema, written in read(name)["components"]["schemas"].items():
        assert written == contract[schema], schema


def test_each_schema_is_in_one_of_the_documents() -> None:
    used = read("openapi")["components"]["schemas"].keys() | read("asyncapi")["components"]["schemas"].keys()
    assert definitions().keys() - used == set()


def test_what_is_written_is_what_would_be_written() -> None:
    asked = subprocess.run([sys.executable, SCRIPT, "check"], capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stdout + asked.stderr


@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_each_reference_leads_somewhere(name: str) -> None:
    whole = document(name)
    for reference in set(re.findall(r"'\$ref': '#/([^']+)'", str(whole))):
        found: Any = whole
        for step in reference.split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]


def test_both_documents_know_the_same_streams_and_sockets() -> None:
    verbs = ("/stream", "/ws")
    paths = {path for path in read("openapi")["paths"] if path.endswith(verbs)}
    channels = {channel["address"] for channel in read("asyncapi")["channels"].values()}
    assert channels - {"{topic}", "{revocations}"} == paths


def test_the_openapi_document_is_valid() -> None:
    validate(read("openapi"))


def test_redocly_and_spectral_have_nothing_against_them_nor_against_what_is_served(tmp_path: Path) -> None:
    tables = {"stocks": CollectionSettings(schema=ROOT / "cli/schemas/stock.json"), "any": CollectionSettings()}
    served = tmp_path / "served.json"
    served.write_text(json.dumps(served_document(Granted.to(EVERYBODY, Catalog(tables)))))
    command = [ROOT / "infra/api/check.sh", served]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode == CAN_NOT:
        pytest.skip(asked.stderr.strip()[-300:])
    assert asked.returncode == 0, asked.stdout + asked.stderr


def test_the_lock_of_the_linters_names_no_place_to_get_them_from() -> None:
    lock = json.loads((ROOT / "infra/api/package-lock.json").read_text("utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []
