"""A plain GET at an admin port."""

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=2)


async def ask(url: str) -> tuple[int, str]:
    """Status and text of the answer; status 0 when there is none within two seconds."""
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as answer:
            return answer.status, await answer.text()
    except (aiohttp.ClientError, TimeoutError, OSError):
        return 0, ""
