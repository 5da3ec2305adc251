"""The tests of the core are tested: each deliberate mistake of the table is noticed by the test that it names."""

import io
import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.pool import AsyncResult, Pool
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
LOADED: Final = ["pytest", "hypothesis", "pydantic", "orjson", "msgpack", "jsonschema_rs"]
"""What these tests import of others."""

Ended = tuple[int, str]
"""The exit status of a run, and what it printed."""


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


def run(tree: Path, tests: Iterable[str]) -> Ended:
    """Run tests of a copy. Only for a process that ends with this: the rest of it would meet that copy."""
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    # These tests need no plugin, and loading them all takes longer than the tests.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    ids = [str(TESTS / test) for test in tests]
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(output):
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *ids])
    return int(code), output.getvalue()


def run_healthy(directory: Path) -> Ended:
    return run(copied(directory), sorted({mutant.killer for mutant in MUTANTS}))


def run_mutant(directory: Path, mutant: Mutant) -> Ended:
    return run(mutated(directory, mutant), [mutant.killer])


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """A process for each run, as many side by side as a small machine bears; none has to load pytest itself."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    with context.Pool(SIDE_BY_SIDE, maxtasksperchild=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def verdicts(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, "AsyncResult[Ended]"]:
    """All mutants' runs."""
    directories = {mutant: tmp_path_factory.mktemp("mutant") for mutant in MUTANTS}
    return {mutant.name: pool.apply_async(run_mutant, (where, mutant)) for mutant, where in directories.items()}


def test_without_a_mistake_these_tests_pass(pool: Pool, tmp_path: Path) -> None:
    code, output = pool.apply_async(run_healthy, (tmp_path,)).get(DEADLINE_S)
    assert code == pytest.ExitCode.OK, output


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_noticed(mutant: Mutant, verdicts: Mapping[str, "AsyncResult[Ended]"]) -> None:
    code, output = verdicts[mutant.name].get(DEADLINE_S)
    assert code == pytest.ExitCode.TESTS_FAILED, f"{mutant.killer} did not fail:\n{output}"


def test_a_table_that_is_out_of_date_is_noticed(tmp_path: Path) -> None:
    stale = MUTANTS[0]._replace(text="no such text")
    with pytest.raises(AssertionError, match="bring the table up to date"):
        mutated(tmp_path, stale)
