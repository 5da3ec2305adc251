"""Several watches at once, told as they come."""

import asyncio
from collections.abc import Callable, Iterable

from watchroute_client import Change, Watch
from watchroute_client.target import Target


def apart(paths: Iterable[str]) -> list[str]:
    """The paths without those that others cover: nothing is told twice. Raises WatchError."""
    targets = list(dict.fromkeys(map(Target.parse, paths)))
    return [
        target.label for target in targets if not any(other != target and _covers(other, target) for other in targets)
    ]


def _covers(wide: Target, narrow: Target) -> bool:
    if wide.id is not None or wide.collection != narrow.collection:
        return False
    begin = narrow.prefix if narrow.id is None else narrow.id
    return (begin or "").startswith(wide.prefix or "")


async def follow(watches: Iterable[Watch], tell: Callable[[str, Change], None]) -> None:
    """Call `tell` with the path and each change until every watch has ended; raises what ended the first of them."""
    tasks = [asyncio.create_task(_follow(watch, tell)) for watch in watches]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(watch: Watch, tell: Callable[[str, Change], None]) -> None:
    async for change in watch:
        tell(watch.path, change)


def cursors(watches: Iterable[Watch]) -> dict[str, str]:
    """From where each watch that has come anywhere goes on; one entry for all where all have come equally far."""
    found = {watch.path: watch.cursor for watch in watches if watch.cursor}
    return {"": next(iter(found.values()))} if len(set(found.values())) == 1 else found
