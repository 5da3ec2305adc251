"""Which licences are allowed, however a distribution writes them."""

from collections.abc import Mapping
from importlib.metadata import Distribution
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.infra.script import loaded
from tests.unit.infra.tree import INFRA


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    return loaded(INFRA / "setup/licences.py")


class Installed(Distribution):
    """A distribution that is installed in a folder."""

    def __init__(self, folder: Path, metadata: str, files: Mapping[str, str]) -> None:
        self._folder = folder
        self._texts = {
            "METADATA": f"Name: some\nVersion: 1\n{metadata}\n",
            "RECORD": "".join(f"{name},,\n" for name in files),
        }
        for name, text in files.items():
            (folder / name).write_text(text)

    def read_text(self, filename: str) -> str | None:
        return self._texts.get(filename)

    def locate_file(self, path: object) -> Path:
        return self._folder / str(path)


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "Apache-2.0 OR GPL-3.0-only",
        "MPL-2.0 AND (Apache-2.0 OR MIT)",
        "(GPL-2.0-only OR MIT) AND PSF-2.0",
        "mit or MIT",
    ],
)
def test_what_can_be_kept_to_with_allowed_licences_is_allowed(expression: str, licences: ModuleType) -> None:
    assert licences.is_allowed(expression)


@pytest.mark.parametrize(
    "expression",
    ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "GPL-2.0-only OR AGPL-3.0-only", "MIT MIT", "(MIT", "MIT OR", "Mine"],
)
def test_anything_else_is_not(expression: str, licences: ModuleType) -> None:
    assert not licences.is_allowed(expression)


@pytest.mark.parametrize(
    ("metadata", "files", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: other", {}, "MIT OR Apache-2.0"),
        ("License: Apache 2.0", {}, "Apache-2.0"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License", {}, "MIT"),
        (
            "Classifier: License :: OSI Approved :: BSD License\nClassifier: License :: Sold",
            {},
            "BSD-3-Clause AND Sold",
        ),
        ("License-File: LICENSE", {"LICENSE": "\nThe MIT License\n\nCopyright ..."}, "MIT"),
        ("License: Ask us", {"LICENSE": "MIT License\n"}, "Ask us"),
        ("Summary: nothing", {"COPYRIGHT": "MIT License\n"}, ""),
    ],
)
def test_a_licence_is_found_where_it_is_written(
    metadata: str, files: Mapping[str, str], licence: str, tmp_path: Path, licences: ModuleType
) -> None:
    assert licences.licence_of(Installed(tmp_path, metadata, files)) == licence
