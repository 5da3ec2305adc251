"""`watchroute token`: from a new key to a server that asks for tokens and takes ours."""

import subprocess
import sys
from pathlib import Path

from infra.cluster.process import ROOT
from tests.e2e.command import Command
from tests.support.client import Http
from tests.support.fleet import free_port

CONFIG = """
{auth}
[pushserver]
port = {port}
[collections.orders]
[collections.chats]
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "token", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)


def bearer(folder: Path, scope: str) -> dict[str, str]:
    token = run("make", "--key", str(folder), "--sub", "ada", "--scope", scope).stdout.strip()
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


async def test_a_server_with_the_printed_table_takes_its_tokens_and_no_others(tmp_path: Path) -> None:
    ours, port, config = tmp_path / "ours", free_port(), tmp_path / "watchroute.toml"
    said = run("keys", str(ours)).stderr.partition("\n\n")[2]
    config.write_text(CONFIG.format(auth=said, port=port))
    strange = tmp_path / "strange"
    run("keys", str(strange))
    async with Command(tmp_path, "dev", "--config", str(config)) as dev:
        await dev.said(f"at http://127.0.0.1:{port} with the collections orders, chats")
        async with Http(f"http://127.0.0.1:{port}") as http:
            ada = bearer(ours, "watch:orders/* publish:orders/1")
            written = await http.request("PUT", "/v1/orders/1", headers=ada, body=b'{"total": 5}')
            assert written.status == 200, written.body
            watched = await http.request("GET", "/v1/orders/poll?wait=0", headers=ada)
            assert watched.status == 200, watched.body
            for headers, status in (({}, 401), (bearer(strange, "watch:*"), 401), (bearer(ours, "watch:chats/*"), 403)):
                assert (await http.request("GET", "/v1/orders/poll?wait=0", headers=headers)).status == status
            assert (await http.request("PUT", "/v1/orders/2", headers=ada, body=b"{}")).status == 403
        await dev.stop()
