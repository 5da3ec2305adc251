"""The tests of the core are tested: each deliberate mistake of the table is noticed by the test that it names."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests.mutants.mutants import MUTANTS, Mutant

ROOT: Final = Path(__file__).parents[2]
CORE: Final = Path("services/pushserver")
TESTS: Final = Path("tests/unit/pushserver")
COPIED: Final = ("services", "shared", "tests/support", "tests/unit/pushserver")
INITS: Final = ("tests", "tests/unit")
SIDE_BY_SIDE: Final = 2
DEADLINE_S: Final = 120


class Verdict:
    """How a run of some tests ended."""

    def __init__(self, code: int, output: str) -> None:
        self.passed = code == pytest.ExitCode.OK
        self.failed = code == pytest.ExitCode.TESTS_FAILED
        self.output = output


def copied(target: Path) -> Path:
    """A copy of what the tests of the core need."""
    for name in COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in INITS:
        (target / name / "__init__.py").touch()
    return target


def mutated(target: Path, mutant: Mutant) -> Path:
    """A copy with one mistake in it."""
    file = copied(target) / CORE / mutant.file
    source = file.read_text()
    if source.count(mutant.text) != 1:
        raise AssertionError(f"{mutant.file} has not exactly one {mutant.text!r}: bring the table up to date")
    file.write_text(source.replace(mutant.text, mutant.replacement))
    return target


def run(tree: Path, tests: Iterable[str]) -> Verdict:
    """Run tests of a copy, in a process of their own."""
    ids = [str(TESTS / test) for test in tests]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *ids],
        cwd=tree,
        # These tests need no plugin, and loading them all takes longer than the tests.
        env={**os.environ, "PYTHONPATH": str(tree), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    return Verdict(done.returncode, done.stdout + done.stderr)


def judge(directory: Path, mutant: Mutant) -> Verdict | AssertionError:
    try:
        return run(mutated(directory, mutant), [mutant.killer])
    except AssertionError as stale:
        return stale


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Verdict | AssertionError]:
    """All mutants' verdicts: as many runs side by side as a small machine bears."""
    directories = [tmp_path_factory.mktemp("mutant") for _ in MUTANTS]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip((m.name for m in MUTANTS), pool.map(judge, directories, MUTANTS), strict=True))


def test_without_a_mistake_these_tests_pass(tmp_path: Path) -> None:
    verdict = run(copied(tmp_path), sorted({mutant.killer for mutant in MUTANTS}))
    assert verdict.passed, verdict.output


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_noticed(mutant: Mutant, verdicts: Mapping[str, Verdict | AssertionError]) -> None:
    verdict = verdicts[mutant.name]
    if isinstance(verdict, AssertionError):
        raise verdict
    assert verdict.failed, f"{mutant.killer} did not fail:\n{verdict.output}"


def test_a_table_that_is_out_of_date_is_noticed(tmp_path: Path) -> None:
    stale = MUTANTS[0]._replace(text="no such text")
    with pytest.raises(AssertionError, match="bring the table up to date"):
        mutated(tmp_path, stale)
