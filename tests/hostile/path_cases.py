"""Addresses that one program might read as another one does, and what each receiver answers: never what lies behind."""

from typing import Final, NamedTuple


class Trick(NamedTuple):
    """A request's target; the status of a GET at the push server, a PUT at the producer, a GET at a door."""

    target: bytes
    read: int
    written: int
    door: int


INJECTED: Final = b"%0d%0aX-Injected:%20yes%0d%0a%0d%0aHTTP%2f1.1%20200%20OK"
TRICKS: Final = (
    Trick(b"/v1/items/../items/asked", 404, 404, 404),
    Trick(b"/v1/items/%2e%2e/items/asked", 404, 404, 404),
    Trick(b"/v1/items/%2E%2E%2Fasked", 404, 200, 404),
    Trick(b"/v1/items/..", 400, 400, 400),
    Trick(b"/v1/items/%2e%2e", 400, 400, 400),
    Trick(b"/v1/items/.", 400, 400, 400),
    Trick(b"/v1/items/%2e", 400, 400, 400),
    Trick(b"/v1/../v1/items/asked", 404, 404, 404),
    Trick(b"/v1/%2e%2e/v1/items/asked", 404, 404, 404),
    Trick(b"/pages/../v1/items/asked", 404, 404, 404),
    Trick(b"//v1/items/asked", 404, 404, 404),
    Trick(b"/v1//items/asked", 404, 404, 404),
    Trick(b"/v1/items//asked", 404, 404, 404),
    Trick(b"//evil.example/v1/items/asked", 404, 404, 404),
    Trick(b"/v1%2fitems/asked", 404, 404, 404),
    Trick(b"/v1/items%2fasked", 404, 404, 404),
    Trick(b"/%76%31/items/asked", 404, 404, 404),
    Trick(b"/V1/items/asked", 404, 404, 404),
    Trick(b"/v1;x/items/asked", 404, 404, 404),
    Trick(b"/v1/items;x/asked", 404, 404, 404),
    Trick(b"/v1/items;/asked", 404, 404, 404),
    Trick(b"/v1/items/asked/..;/asked", 404, 404, 404),
    Trick(b"/v1\\items\\asked", 404, 404, 404),
    Trick(b"/v1/items/asked/", 404, 404, 404),
    Trick(b"/v1/items/%", 404, 200, 404),
    Trick(b"/v1/items/%zz", 404, 200, 404),
    Trick(b"/v1/items/%00", 400, 400, 400),
    Trick(b"/v1/items/%ff", 400, 400, 400),
    Trick(b"/v1/items/%c0%af", 400, 400, 400),
    Trick(b"/v1/items/%ed%a0%80", 400, 400, 400),
    Trick(b"/v1/items/%252e%252e", 404, 200, 404),
    Trick(b"/v1/watch/asked", 404, 404, 404),
    Trick(b"/v1/tickets/asked", 404, 404, 404),
    Trick(b"/v1/items/ws", 426, 405, 426),
    Trick(b"/v1/items/%77s", 426, 405, 426),
    Trick(b"http://evil.example/v1/items/asked", 200, 200, 400),
    Trick(b"http://evil.example//v1/items/asked", 404, 404, 400),
    Trick(b"http://user:secret@evil.example:1/v1/items/asked", 200, 200, 400),
    Trick(b"ftp://evil.example/v1/items/asked", 200, 200, 400),
    Trick(b"*", 404, 404, 404),
    Trick(b"/v1/items/asked#fragment", 200, 200, 400),
    Trick(b"/v1/items/" + b"a" * 513, 400, 400, 400),
    Trick(b"/v1/items/" + INJECTED, 404, 200, 404),
    Trick(b"/v1/" + INJECTED + b"/asked", 404, 404, 404),
    Trick(b"/v1/items/asked?" + INJECTED + b"=1", 400, 400, 400),
    Trick(b"/v1/items?after=" + INJECTED, 400, 405, 400),
    Trick(b"/v1/items?prefix=" + INJECTED, 200, 405, 200),
    Trick(b"/v1/items/asked?at_least=" + INJECTED, 400, 400, 400),
    Trick(b"/v1/items/asked?" + b"&".join([b"at_least="] * 2001), 400, 400, 400),
)
