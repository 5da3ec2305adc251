"""Nchan: a module of nginx, in C, that passes on what is posted to it. Measured where both are installed."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from aiokafka import AIOKafkaConsumer

from infra.cluster.process import HOST
from load.bench.ground import Ground
from load.bench.peers.peer import Peer
from load.bench.peers.told import SYNCED, frame

_MODULE: Final = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_CONF: Final = """
load_module {module};
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address} backlog=4096;
        location ~ ^/tell/(.*)$ {{
            nchan_publisher;
            nchan_channel_id $1;
            nchan_message_buffer_length 100;
        }}
        location ~ ^/watch/(.*)$ {{
            nchan_subscriber websocket;
            nchan_channel_id $1;
            nchan_subscriber_first_message oldest;
        }}
    }}
}}
"""


def installed() -> bool:
    """Whether nginx and its module are there (Debian: `nginx`, `libnginx-mod-nchan`)."""
    return shutil.which("nginx") is not None and _MODULE.exists()


class Nchan(Peer):
    """nginx with one worker; what reads Kafka and posts to it is not counted."""

    def __init__(self, ground: Ground, topic: str, resource_ids: Sequence[str]) -> None:
        super().__init__("nchan", ground, topic)
        self._resource_ids = resource_ids

    @property
    def pid(self) -> int:
        """The worker."""
        master = self.process.pid
        return int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])

    def command(self) -> Sequence[str]:
        """In the foreground."""
        conf = self.folder / "nginx.conf"
        conf.write_text(_CONF.format(module=_MODULE, folder=self.folder, address=self.reserved.address))
        return ["nginx", "-p", str(self.folder), "-c", str(conf)]

    def target(self, resource_id: str) -> str:
        """A channel for each resource."""
        return f"/watch/{resource_id}"

    @asynccontextmanager
    async def fed(self) -> AsyncIterator[None]:
        """Post each record as it comes; first what says to readers that they are there."""
        consumer = AIOKafkaConsumer(
            self.topic, bootstrap_servers=self.ground.broker.bootstrap, enable_auto_commit=False
        )
        async with aiohttp.ClientSession(f"http://{HOST}:{self.port}") as session, consumer:
            for resource_id in self._resource_ids:
                await _tell(session, resource_id, SYNCED)
            feeding = asyncio.create_task(_feed(session, consumer))
            yield
            feeding.cancel()


async def _feed(session: aiohttp.ClientSession, consumer: AIOKafkaConsumer) -> None:
    async for record in consumer:
        await _tell(session, record.key.decode(), frame(record))


async def _tell(session: aiohttp.ClientSession, resource_id: str, text: str) -> None:
    async with session.post(f"/tell/{resource_id}", data=text.encode()) as answer:
        answer.raise_for_status()
