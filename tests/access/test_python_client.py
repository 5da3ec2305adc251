"""The Python client and its tokens: shown, renewed in place, replaced, refused."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cluster.process import ROOT
from tests.access.conftest import Served
from tests.access.identity import Identity
from tests.support.server import HOST, eventually
from watchroute_client import State, WatchClient, WatchError

SCOPE = "watch:items/mine publish:items/mine"
TRANSPORTS = ("ws", "sse", "poll")


class Tokens:
    """A callback that gives tokens which live for so long; `given` are those that it gave."""

    def __init__(self, identity: Identity, *lives_s: float) -> None:
        self.given: list[str] = []
        self._identity = identity
        self._lives_s = list(lives_s)

    async def __call__(self) -> str:
        life_s = self._lives_s.pop(0) if len(self._lives_s) > 1 else self._lives_s[0]
        self.given.append(self._identity.token(SCOPE, exp=int(time.time() + life_s)))
        return self.given[-1]


def url(served: Served) -> str:
    return f"http://{HOST}:{served.port}"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_watch_outlives_its_tokens(transport: str, identity: Identity, served: Served) -> None:
    tokens = Tokens(identity, 2, 600)
    states: list[State] = []
    async with WatchClient(url(served), token=tokens, transports=[transport]) as client:
        watch = client.watch("items/mine")
        while (await anext(watch)).event != "synced":
            pass
        client.on_status(lambda status: states.append(status.state))
        await eventually(lambda: len(tokens.given) == 2, "another token is asked for")
        # Longer than the first token and the server's leeway.
        ends_at = time.monotonic() + 4
        await eventually(
            lambda: time.monotonic() > ends_at and client.state is State.LIVE, "it is live on another token"
        )
        served.write("mine", f'"{transport}"'.encode())
        assert (await anext(watch)).data == transport
    if transport == "ws":
        assert [state for state in states if state is not State.CLOSED] == [], "it was renewed in place"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", ["expired", "wrong key"])
async def test_a_bad_token_is_replaced_once_and_then_given_up(
    kind: str, transport: str, identity: Identity, served: Served
) -> None:
    asked: list[str] = []

    def bad() -> str:
        asked.append(kind)
        return identity.bad(SCOPE)[kind]

    async with WatchClient(url(served), token=bad, transports=[transport]) as client:
        with pytest.raises(WatchError) as refused:
            await anext(client.watch("items/mine"))
    assert refused.value.code in {"unauthenticated", "token_expired"}
    assert len(asked) == 2
    assert client.state is State.CLOSED


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_is_not_granted_ends_that_watch_only(transport: str, identity: Identity, served: Served) -> None:
    async with WatchClient(url(served), token=identity.token(SCOPE), transports=[transport]) as client:
        mine, hers = client.watch("items/mine"), client.watch("items/hers")
        with pytest.raises(WatchError, match="forbidden"):
            await anext(hers)
        assert (await anext(mine)).resource == "items/mine"


async def test_without_a_token_public_collections_can_be_watched(served: Served) -> None:
    async with WatchClient(url(served)) as client:
        assert (await anext(client.watch("open"))).event in {"put", "synced"}
        with pytest.raises(WatchError, match="unauthenticated"):
            await anext(client.watch("items/mine"))


async def test_a_callback_that_fails_is_asked_again(identity: Identity, served: Served) -> None:
    calls = 0

    def shaky() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("secret-looking detail")
        return identity.token(SCOPE)

    reasons: list[str] = []
    async with WatchClient(url(served), token=shaky) as client:
        client.on_status(lambda status: reasons.append(status.reason))
        assert (await anext(client.watch("items/mine"))).event == "put"
    assert "the token callback raised OSError" in reasons
    assert not any("secret-looking" in reason for reason in reasons)


def from_file(token: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    file = folder / "token"
    file.write_text(token + "\n")
    return ["--token-file", str(file)], {}


def from_environment(token: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    del folder
    return [], {"WATCHROUTE_TOKEN": token}


@pytest.mark.parametrize("place", [from_file, from_environment])
async def test_the_command_takes_its_token_from_a_file_or_the_environment(
    place: Callable[[str, Path], tuple[list[str], dict[str, str]]], identity: Identity, served: Served, tmp_path: Path
) -> None:
    token = identity.token(SCOPE)
    arguments, environment = place(token, tmp_path)
    command = [sys.executable, "-m", "cli", "get", "items/mine", "--url", url(served)]

    def run(*more: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *more], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=30, check=False
        )

    assert (await asyncio.to_thread(run, *arguments, **environment)).returncode == 0
    refused = await asyncio.to_thread(run)
    assert refused.returncode == 1
    assert "unauthenticated" in refused.stderr
    assert token not in " ".join(command + arguments)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_no_token_is_logged_even_by_the_libraries(
    transport: str, identity: Identity, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = Tokens(identity, 2, 600)
    async with WatchClient(url(served), token=tokens, transports=[transport]) as client:
        watch = client.watch("items/mine")
        await anext(watch)
        await eventually(lambda: len(tokens.given) == 2, "another token is asked for")
        served.write("mine", b'"later"')
        async for change in watch:
            if change.data == "later":
                break
        with pytest.raises(WatchError):
            await client.get("items/hers")
    assert len(tokens.given) == 2
    assert not [token for token in tokens.given if token in caplog.text]


async def test_no_redirect_takes_the_token_elsewhere(identity: Identity, served: Served) -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        scheme, path = ("ws", "watch/ws") if b"/ws" in heads[-1] else ("http", "items/mine/stream")
        location = f"{scheme}://{HOST}:{served.port}/v1/{path}".encode()
        writer.write(b"HTTP/1.1 307 Elsewhere\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    redirecting = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    async with server, WatchClient(redirecting, token=identity.token(SCOPE)) as client:
        client_states: list[State] = []
        client.on_status(lambda status: client_states.append(status.state))
        watch = client.watch("items/mine")
        await eventually(lambda: len(heads) >= 5, "each transport has been tried")
        assert State.LIVE not in client_states
        assert watch.inbox.empty


async def test_a_callback_that_never_answers_keeps_nobody_from_closing(served: Served) -> None:
    asked = asyncio.Event()

    async def never() -> str:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(5), WatchClient(url(served), token=never) as client:
        watch = client.watch("items/mine")
        await asked.wait()
    assert [change async for change in watch] == []
