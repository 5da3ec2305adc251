"""Headers of every answer about a collection, whatever becomes of the request."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from starlette.types import Message, Send

from shared.catalog import Catalog
from shared.problem import Problem

NOTHING: Final[Mapping[str, str]] = {}


def headers_about(catalog: Catalog, names: Iterable[str]) -> Mapping[str, str]:
    """What an answer about these collections says in its head: something if they are one, and deprecated."""
    named = set(names)
    collection = catalog.find(named.pop()) if len(named) == 1 else None
    return NOTHING if collection is None or collection.deprecation is None else collection.deprecation.headers


@contextmanager
def told_to_the_refused(headers: Mapping[str, str]) -> Iterator[None]:
    """Have a Problem say the same."""
    try:
        yield
    except Problem as problem:
        problem.headers.update(headers)
        raise


def telling(send: Send, headers: Mapping[str, str]) -> Send:
    """`send`, that adds these headers to an answer."""
    if not headers:
        return send
    more = [(name.lower().encode(), text.encode("latin-1")) for name, text in headers.items()]

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sent
