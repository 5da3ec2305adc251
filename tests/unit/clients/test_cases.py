"""The cases that all clients share."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.unit.clients.case_player import CasePlayer

CASES: Final = sorted((Path(__file__).parents[3] / "clients" / "cases").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_client_behaves_as_the_case_says(path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text())
    player = CasePlayer(case)
    for number, step in enumerate(case["steps"], 1):
        try:
            player.play(step)
        except AssertionError as failed:
            raise AssertionError(f"{case['name']}, step {number}, {json.dumps(step)}: {failed}") from failed
