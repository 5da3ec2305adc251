"""Static pages of ours: the files of a folder, with a policy that forbids inline scripts and foreign origins."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import PurePath
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


def pages_of(folder: Traversable) -> "Iterator[Page]":
    """The files of a folder that are for a browser, read now."""
    for entry in folder.iterdir():
        media_type = _MEDIA_TYPES.get(PurePath(entry.name).suffix)
        if media_type is not None and entry.is_file():
            yield Page.of(entry.name, entry.read_bytes(), media_type)


@dataclass(frozen=True, slots=True)
class Page:
    """One file, ready to be sent."""

    name: str
    content: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, name: str, content: bytes, media_type: str) -> "Page":
        """A file with this content."""
        etag = f'"{sha256(content).hexdigest()[:32]}"'
        return cls(name, content, {"Content-Type": media_type, "ETag": etag, **_HEADERS})

    async def respond(self, request: Request) -> Response:
        """Answer GET or HEAD; 304 to a matching `If-None-Match`."""
        if self.headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=self.headers)
        return Response(self.content, headers=self.headers)
