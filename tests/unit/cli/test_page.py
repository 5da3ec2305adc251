import re
from collections.abc import Iterator
from importlib.resources import files
from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cli.page import page_routes

CLI = files("cli")
FOLDERS = {"/page/": "demo_page", "/shared/": "shared_page", "/clients/js/": "javascript"}
PATHS = sorted(
    "/" if entry.name == "index.html" else below + entry.name
    for below, folder in FOLDERS.items()
    for entry in (CLI / folder).iterdir()
    if not entry.name.endswith(".d.ts")
)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=page_routes(CLI / "demo_page"))) as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/page/app.js", "text/javascript; charset=utf-8"),
        ("/page/style.css", "text/css; charset=utf-8"),
        ("/shared/favicon.svg", "image/svg+xml"),
    ],
)
def test_each_kind_of_file_has_its_media_type(client: TestClient, path: str, media_type: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


@pytest.mark.parametrize("path", PATHS)
def test_a_known_etag_is_answered_without_the_content(client: TestClient, path: str) -> None:
    etag = client.get(path).headers["etag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_every_file_carries_the_strict_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-cache"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "camera=()" in headers["permissions-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_head_answers_as_get_and_other_methods_are_refused(client: TestClient) -> None:
    assert client.head("/").headers["etag"] == client.get("/").headers["etag"]
    assert client.post("/").status_code == 405


def test_there_is_nothing_beside_the_page(client: TestClient) -> None:
    for path in ("/page/index.html", "/page/", "/page/..%2fstocks.py", "/page/nothing.js", "/clients/js/index.d.ts"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", [path for path in PATHS if path == "/" or path.endswith(".js")])
def test_everything_that_a_file_refers_to_is_served(client: TestClient, path: str) -> None:
    text = client.get(path).text
    for name in re.findall(r'(?:(?:src|href)=|from |^import )"([./][^"]*)"', text, re.MULTILINE):
        target = urljoin(path, name)
        assert client.get(target).status_code == 200, target


def test_the_page_has_no_inline_script_or_style_and_no_foreign_address(client: TestClient) -> None:
    text = client.get("/").text
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?://", text)
