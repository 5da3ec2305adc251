"""Static pages of ours: the files of a folder, with a policy that forbids inline scripts and foreign origins."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Whatever a resource's data says, the page can run no other script than its own and talk to no other server.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS: Final = {
    "Cache-Control": "no-cache",  # kept, but asked for again with its ETag: an update is seen at the next load
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # It needs nothing of the device but the clipboard, for its commands.
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
}


def pages_of(package: str, folder: str) -> "Iterator[Page]":
    """The files of a folder of a package, read now."""
    for entry in (files(package) / folder).iterdir():
        if entry.is_file():
            yield _read(entry.name, entry.read_bytes())


@dataclass(frozen=True, slots=True)
class Page:
    """One file, ready to be sent."""

    name: str
    content: bytes
    headers: dict[str, str]

    async def respond(self, request: Request) -> Response:
        """Answer GET or HEAD; 304 to a matching `If-None-Match`."""
        if self.headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=self.headers)
        return Response(self.content, headers=self.headers)


def _read(name: str, content: bytes) -> Page:
    suffix = name[name.rindex(".") :]
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    return Page(name, content, {"Content-Type": _MEDIA_TYPES[suffix], "ETag": etag, **_HEADERS})
