import runpy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.infra.tree import INFRA

Make = Callable[[Path], None]

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the command `openssl` is missing")


@pytest.fixture
def make() -> Make:
    found: Make = runpy.run_path(str(INFRA / "docker/certificate.py"))["make"]
    return found


@pytest.fixture
def front(tmp_path: Path) -> Path:
    return tmp_path / "front.pem"


def days(front: Path, count: int) -> None:
    """Sign what is there anew, for so many days."""
    command = f"openssl x509 -in {front} -signkey {front}.key -days {count} -out {front}"
    subprocess.run(command.split(), check=True, capture_output=True)


def test_a_certificate_is_made_for_localhost_with_a_key_that_others_cannot_read(make: Make, front: Path) -> None:
    make(front)
    asked = ("openssl", "x509", "-noout", "-checkhost", "localhost", "-in", str(front))
    assert b"does match" in subprocess.run(asked, check=True, capture_output=True).stdout
    assert Path(f"{front}.key").stat().st_mode & 0o077 == 0


def test_a_certificate_that_is_good_stays_as_it_is(make: Make, front: Path) -> None:
    make(front)
    trusted = front.read_bytes()
    make(front)
    assert front.read_bytes() == trusted


def test_a_certificate_that_ends_soon_is_made_anew(make: Make, front: Path) -> None:
    make(front)
    days(front, 6)
    ending = front.read_bytes()
    make(front)
    assert front.read_bytes() != ending


def test_a_certificate_without_its_key_is_made_anew(make: Make, front: Path) -> None:
    make(front)
    Path(f"{front}.key").unlink()
    make(front)
    assert Path(f"{front}.key").exists()
