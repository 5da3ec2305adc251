"""`watchroute dev`: a catalogue of one's own over the embedded broker."""

from pathlib import Path

from tests.e2e.command import Command
from tests.support.client import Http, Writer
from tests.support.fleet import free_port

CONFIG = """
[kafka]
bootstrap = "kafka.example:9092"
security_protocol = "SASL_SSL"
sasl_username = "me"
sasl_password = "mine"
[pushserver]
port = {port}
[collections.orders]
topic = "shop-orders"
partitions = 3
schema = "order.json"
"""


def written(folder: Path, port: int) -> str:
    (folder / "order.json").write_text('{"type": "object", "required": ["total"]}')
    path = folder / "mine.toml"
    path.write_text(CONFIG.format(port=port))
    return str(path)


async def test_it_serves_the_configured_collections_whatever_kafka_they_are_meant_for(tmp_path: Path) -> None:
    port = free_port()
    async with Command(tmp_path, "dev", "--config", written(tmp_path, port)) as dev:
        await dev.said(f"at http://127.0.0.1:{port} with the collections orders")
        async with Writer(f"http://127.0.0.1:{port}") as writer:
            ack = await writer.put("orders/1", {"total": 5})
        async with Http(f"http://127.0.0.1:{port}") as http:
            assert (await http.get(f"/v1/orders/1?at_least={ack.cursor}")).json() == {"total": 5}
            headers = {"Content-Type": "application/json"}
            assert (await http.request("PUT", "/v1/orders/1", headers=headers, body=b"{}")).status == 422
        await dev.stop()


async def test_a_catalogue_without_collections_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    async with Command(tmp_path, "dev", "--config", str(empty)) as dev:
        assert await dev.ended() == 1
        assert "collections: there are none" in dev.err
