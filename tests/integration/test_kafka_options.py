"""Kafka settings, as aiokafka and a real broker take them."""

import base64
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11

from infra.cluster.kafka_jars import KafkaJars
from infra.cluster.kafka_node import KafkaNode
from infra.cluster.port import ReservedPort
from shared.kafka import KafkaSettings, client_options, consumer_options, producer_options
from tests.support.broker import Broker
from tests.support.client import Http
from tests.support.records import RawRecord, produce
from tests.support.server import eventually, push_server, put, running
from tests.support.topics import Topics

ROOT: Final = Path(__file__).parents[2]
KEY: Final = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQguF14c4ygUjrzN6s7
GB9c2fM/xM8AYbuPo91Sbg5oCo2hRANCAAR9gNcM6lxJ/mxF/T1TS0dw5Hw2j+8x
QqZbcmaw6APjr+nmG+d+I8OlFaKSZjnrxx4abfDxoHlQY8+E+uYtjwWH
-----END PRIVATE KEY-----
"""
CERTIFICATE: Final = """-----BEGIN CERTIFICATE-----
MIIBdDCCARugAwIBAgIUB1CWXGKIY9UjaL1iUsSrsTkn+UkwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjQxMjEwNTBaGA8yMTI2MTAzMTEyMTA1
MFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH2A
1wzqXEn+bEX9PVNLR3DkfDaP7zFCpltyZrDoA+Ov6eYb534jw6UVopJmOevHHhpt
8PGgeVBjz4T65i2PBYejUzBRMB0GA1UdDgQWBBT2s3LBA8jIqxuopwe7+UchN22M
cDAfBgNVHSMEGDAWgBT2s3LBA8jIqxuopwe7+UchN22McDAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0cAMEQCIG3VG4aeE0OGzMvr+olAnEAVD34VE1Oj4+Ro
a/gABmlwAiAEinqlhe0hNe4XgEDRzR3sJ8Cq95TYlzXm8eLq4xKoGw==
-----END CERTIFICATE-----
"""
"""A key pair that signs for nothing but these tests."""
TLS: Final = {"tls_ca_file": "ca.pem", "tls_cert_file": "cert.pem", "tls_key_file": "key.pem"}


@pytest.fixture
def in_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("ca", CERTIFICATE), ("cert", CERTIFICATE), ("key", KEY), ("password", "x"), ("token", "x")):
        (tmp_path / f"{name}.pem").write_text(text)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="none"),
        pytest.param({"security_protocol": "SSL", "tls_ca_file": "ca.pem"}, id="TLS"),
        pytest.param({"security_protocol": "SSL", **TLS}, id="TLS with a client certificate"),
        pytest.param({"sasl_mechanism": "PLAIN", "sasl_password_file": "password.pem"}, id="PLAIN"),
        pytest.param({"sasl_mechanism": "SCRAM-SHA-256", "sasl_password": "x"}, id="SCRAM"),
        pytest.param(
            {"sasl_mechanism": "SCRAM-SHA-512", "sasl_password": "x", "security_protocol": "SASL_SSL", **TLS},
            id="SCRAM over TLS",
        ),
        pytest.param({"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_file": "token.pem"}, id="OAUTHBEARER"),
        pytest.param({"client_rack": "r1", "isolation_level": "read_uncommitted"}, id="reading"),
        *(
            pytest.param({"compression": name}, id=f"{name} compression")
            for name in ("none", "gzip", "lz4", "snappy", "zstd")
        ),
    ],
)
async def test_each_client_of_aiokafka_takes_the_options(in_files_folder: None, settings: dict[str, Any]) -> None:
    if "sasl_mechanism" in settings:
        settings = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "me", **settings}
    kafka = KafkaSettings(bootstrap="127.0.0.1:1", **settings)
    consumer = AIOKafkaConsumer(**consumer_options(kafka, "me"))
    producer = AIOKafkaProducer(**producer_options(kafka, "me"))
    AIOKafkaAdminClient(**client_options(kafka, "me"))
    await consumer.stop()
    await producer.stop()


def test_tls_verifies_the_broker_and_shows_the_client_certificate(in_files_folder: None) -> None:
    def context_of(**settings: Any) -> ssl.SSLContext:
        context = client_options(KafkaSettings(security_protocol="SSL", **settings), "me")["ssl_context"]
        assert isinstance(context, ssl.SSLContext)
        return context

    context = context_of(**TLS)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs(binary_form=True) == [ssl.PEM_cert_to_DER_cert(CERTIFICATE)]
    with pytest.raises(ssl.SSLError):
        context_of(**TLS | {"tls_key_file": "cert.pem"})
    with pytest.raises(FileNotFoundError):
        context_of(tls_ca_file="nowhere.pem")


@pytest.mark.real_kafka
async def test_the_pace_of_fetches_is_told_to_the_broker(
    broker: Broker, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What aiokafka sends, not what was set: a new version that moves the two attributes fails here."""
    asked: list[tuple[int, int]] = []
    send: Any = AIOKafkaClient.send

    async def noted(self: AIOKafkaClient, node: int, request: Any, **options: Any) -> Any:
        if isinstance(request, FetchRequest):
            sent: Any = request.build(FetchRequest_v11)
            asked.append((sent.min_bytes, sent.max_wait_time))
        return await send(self, node, request, **options)

    monkeypatch.setattr(AIOKafkaClient, "send", noted)
    topic = await topics.create()
    quiet, busy = (1, 90), (1024 * 1024, 7)
    kafka = {"quiet_fetch_wait_ms": 90, "busy_fetch_wait_ms": 7}
    async with running(push_server(broker.bootstrap, {"items": {"topic": topic}}, kafka=kafka)):
        assert asked[0] == busy, "what there is at the start is read at once"
        await eventually(lambda: asked[-1] == quiet, "nothing happens")
        asked.clear()
        until_s = time.monotonic() + 10
        while busy not in asked and time.monotonic() < until_s:
            await produce(broker.bootstrap, topic, [RawRecord(b"k", b"1")] * 1000)
        assert busy in asked
        asked.clear()
        await eventually(lambda: quiet in asked, "it calms down")
    assert set(asked) <= {quiet, busy}


def test_a_server_without_the_compiled_extension_refuses_to_start(tmp_path: Path) -> None:
    config = tmp_path / "watchroute.toml"
    config.write_text('[auth]\nmode = "none"\n[collections.items]\n')
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROUTE_")}
    done = subprocess.run(
        [sys.executable, "-m", "services.pushserver"],
        cwd=ROOT,
        env=inherited | {"WATCHROUTE_CONFIG": str(config), "AIOKAFKA_NO_EXTENSIONS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 1
    assert "compiled extension is missing" in done.stderr
    assert "Traceback" not in done.stderr


class SecuredBroker:
    """A Kafka with one more listener, at `address`, that wants to know who comes."""

    def __init__(self, jars: KafkaJars) -> None:
        self.node = KafkaNode(jars)
        self.port = ReservedPort()
        self.address = self.port.address

    async def start(self) -> None:
        open_ones = f"PLAINTEXT://{self.node.broker_port.address},CONTROLLER://{self.node.controller_port.address}"
        modules = "org.apache.kafka.common.security"
        settings = {
            "listeners": f"{open_ones},SECURED://{self.address}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_PLAINTEXT",
            "listener.name.secured.sasl.enabled.mechanisms": "PLAIN,OAUTHBEARER",
            "listener.name.secured.plain.sasl.jaas.config": (
                f'{modules}.plain.PlainLoginModule required user_alice="wonder land";'
            ),
            "listener.name.secured.oauthbearer.sasl.jaas.config": (
                f'{modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'
            ),
        }
        await self.node.format(self.node.voter, settings)
        await self.node.start()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def secured(kafka_jars: KafkaJars) -> AsyncIterator[SecuredBroker]:
    broker = SecuredBroker(kafka_jars)
    try:
        await broker.start()
        yield broker
    finally:
        await broker.node.discard()
        broker.port.release()


def unsigned_token(*, expires_in_s: int) -> str:
    """What only a broker for tests believes."""
    claims = {"sub": "alice", "iat": int(time.time()) - 7200, "exp": int(time.time()) + expires_in_s}
    return ".".join(_part(part) for part in ({"alg": "none"}, claims)) + "."


def _part(members: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


PLAIN: Final = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "alice", "sasl_password_file": "secret"}
OAUTH: Final = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "OAUTHBEARER",
    "sasl_oauth_token_file": "secret",
}


@pytest.mark.parametrize(
    ("settings", "right", "wrong"),
    [
        pytest.param(PLAIN, "wonder land", "wonderland", id="PLAIN"),
        pytest.param(OAUTH, unsigned_token(expires_in_s=3600), unsigned_token(expires_in_s=-3600), id="OAUTHBEARER"),
    ],
)
async def test_a_server_tells_the_broker_who_it_is(
    secured: SecuredBroker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    right: str,
    wrong: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "secret"
    async with Topics(secured.node.broker_port.address) as topics:
        topic = await topics.create()
    await put(secured.node.broker_port.address, topic, ("a", "1"))
    tables = {"items": {"topic": topic}}
    secret.write_text(wrong + "\n")
    stranger = push_server(secured.address, tables, kafka=settings)
    async with running(stranger, ready=False):
        await eventually(lambda: (stranger.not_ready or "").startswith("Kafka: "), "it isn't let in")
    secret.write_text(right + "\n")
    async with running(push_server(secured.address, tables, kafka=settings)) as url, Http(url) as http:
        assert (await http.get("/v1/items/a")).body == b"1"
