"""What we build on: its bill of materials, and what is known against it."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.cluster.process import ROOT
from tests.support.fleet import free_port
from tests.unit.infra.script import loaded

LOCK = ROOT / "requirements/runtime.txt"
KNOWN = {
    "id": "PYSEC-2024-1",
    "aliases": ["CVE-2024-1"],
    "summary": "a hole",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "some"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "2"}]}],
        }
    ],
}


@pytest.fixture(scope="module")
def advisories() -> Any:
    return loaded(ROOT / "infra/setup/advisories.py")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock.txt"
    path.write_text(f"some==1 \\\n    --hash=sha256:{'0' * 64}\n")
    return path


@contextmanager
def osv(status: int, answer: Mapping[str, Any]) -> Iterator[str]:
    """A service of the kind of OSV, that always says the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's signature
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


def asked(advisories: Any, lock: Path, url: str) -> tuple[list[str], list[str], int, int]:
    verdict = advisories.ask(lock, ["--osv-url", url])
    return verdict.found, verdict.unasked, verdict.status(strict=False), verdict.status(strict=True)


def test_a_known_vulnerability_fails(advisories: Any, lock: Path) -> None:
    with osv(200, {"vulns": [KNOWN]}) as url:
        found, unasked, check, audit = asked(advisories, lock, url)
    assert found == ["some 1: PYSEC-2024-1, mended in 2"]
    assert unasked == []
    assert (check, audit) == (1, 1)


def test_one_that_was_accepted_with_a_reason_does_not(
    advisories: Any, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(advisories.ACCEPTED, "CVE-2024-1", "not on our path")
    with osv(200, {"vulns": [KNOWN]}) as url:
        assert asked(advisories, lock, url) == ([], [], 0, 0)


def test_nothing_known_is_fine(advisories: Any, lock: Path) -> None:
    with osv(200, {}) as url:
        assert asked(advisories, lock, url) == ([], [], 0, 0)


@pytest.mark.parametrize("status", [None, 500])
def test_that_nobody_could_be_asked_is_said_and_is_no_all_clear(
    status: int | None, advisories: Any, lock: Path
) -> None:
    if status is None:
        found, unasked, check, audit = asked(advisories, lock, f"http://127.0.0.1:{free_port()}/")
    else:
        with osv(status, {}) as url:
            found, unasked, check, audit = asked(advisories, lock, url)
    assert found == []
    assert len(unasked) == 1
    assert (check, audit) == (0, 2)


def test_a_package_that_was_left_out_is_one_that_nobody_was_asked_about(advisories: Any) -> None:
    verdict = advisories.judge([{"name": "some", "skip_reason": "Dependency not found"}])
    assert verdict.unasked == ["some: Dependency not found"]


def test_the_bill_of_materials_is_of_the_lock_valid_and_the_same_each_time(tmp_path: Path) -> None:
    written = [tmp_path / "one.json", tmp_path / "other.json"]
    for path in written:
        subprocess.run(["make", "-s", "sbom", f"SBOM={path}"], cwd=ROOT, check=True, capture_output=True, timeout=120)
    one, other = (path.read_text() for path in written)
    assert one == other
    assert str(ROOT) not in one
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(one) is None
    components = json.loads(one)["components"]
    pins = re.findall(r"^([a-z0-9-]+)==([^\s;]+)", LOCK.read_text(), re.MULTILINE)
    assert {(each["name"], each["version"]) for each in components} == set(pins)
    assert all(each["externalReferences"][0]["hashes"] for each in components)
