"""What is published: each package has its licence beside it, and a Python wheel takes it along."""

import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]


@pytest.mark.parametrize("package", ["clients/js", "clients/python"])
def test_each_package_has_the_licence_of_the_repository(package: str) -> None:
    assert (ROOT / package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_names_it() -> None:
    project = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())["project"]
    assert project["license-files"] == ["LICENSE"]
