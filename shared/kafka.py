"""Settings to client options: the only place that knows aiokafka's option names and private corners."""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import AbstractTokenProvider
from aiokafka.helpers import create_ssl_context
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from shared.errors import WatchrouteError


class ExtensionMissing(WatchrouteError):
    """aiokafka's compiled extension is missing: a record would cost 20 times as much. Install a wheel."""


class KafkaSettings(BaseModel):
    """The `[kafka]` table: how to reach the brokers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bootstrap: str = Field("127.0.0.1:9092", description="`host:port`, several separated by commas.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = Field(None, description="Prefer `sasl_password_file`.")
    sasl_password_file: Path | None = Field(None, description="A file that holds the password, read at start.")
    sasl_oauth_token_file: Path | None = Field(
        None, description="A file that holds the OAUTHBEARER token, read at each authentication."
    )
    tls_ca_file: Path | None = Field(None, description="The CA that signed the brokers; the system's when left out.")
    tls_cert_file: Path | None = Field(None, description="The client's certificate, with `tls_key_file`.")
    tls_key_file: Path | None = None
    client_rack: str = Field("", description="Fetch from the replica in this rack (KIP-392), where brokers allow it.")
    isolation_level: Literal["read_committed", "read_uncommitted"] = Field(
        "read_committed", description="`read_uncommitted` also shows records of aborted transactions."
    )
    compression: Literal["none", "gzip", "lz4", "snappy", "zstd"] = Field("lz4", description="Of what is written.")
    request_timeout_ms: int = Field(10_000, ge=1000, description="When a broker counts as not answering.")
    metadata_max_age_ms: int = Field(30_000, ge=1000, description="How soon moved leaders are noticed without errors.")
    quiet_fetch_wait_ms: int = Field(
        250, ge=1, le=5000, description="How long a broker holds a fetch while little happens (10 on the embedded one)."
    )
    busy_fetch_wait_ms: int = Field(3, ge=1, le=1000, description="How long it gathers records while much happens.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("tls_cert_file and tls_key_file go together")
        if self.security_protocol.startswith("SASL"):
            self._check_sasl()
        return self

    def _check_sasl(self) -> None:
        if self.sasl_mechanism == "OAUTHBEARER":
            if self.sasl_oauth_token_file is None:
                raise ValueError("OAUTHBEARER needs sasl_oauth_token_file")
        elif not (self.sasl_username and (self.sasl_password or self.sasl_password_file)):
            raise ValueError(f"{self.sasl_mechanism} needs sasl_username and sasl_password_file (or sasl_password)")


class FileToken(AbstractTokenProvider):
    """An OAUTHBEARER token that something else keeps fresh in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """The token now."""
        return self._path.read_text().strip()


def client_options(settings: KafkaSettings, client_id: str) -> dict[str, Any]:
    """What every aiokafka client takes: consumer, producer and admin."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "client_id": client_id,
        "request_timeout_ms": settings.request_timeout_ms,
        "metadata_max_age_ms": settings.metadata_max_age_ms,
        "security_protocol": settings.security_protocol,
    }
    if "SSL" in settings.security_protocol:
        options["ssl_context"] = _ssl_context(settings)
    if settings.security_protocol.startswith("SASL"):
        options |= _sasl_options(settings)
    return options


def consumer_options(settings: KafkaSettings, client_id: str) -> dict[str, Any]:
    """What a push server's consumer takes: no group, no commits, and no silent jump when an offset is out of range."""
    return client_options(settings, client_id) | {
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": settings.isolation_level,
        "client_rack": settings.client_rack,
        "fetch_max_wait_ms": settings.quiet_fetch_wait_ms,
        "fetch_max_bytes": 16 * 1024 * 1024,
        "max_partition_fetch_bytes": 4 * 1024 * 1024,
        "check_crcs": False,
    }


def producer_options(settings: KafkaSettings, client_id: str) -> dict[str, Any]:
    """What a publisher takes: idempotent, acknowledged by all replicas in sync."""
    return client_options(settings, client_id) | {
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": None if settings.compression == "none" else settings.compression,
        "linger_ms": 0,
    }


def pace_fetches(consumer: AIOKafkaConsumer, settings: KafkaSettings, *, busy: bool) -> None:
    """Let the broker gather records while much happens, and answer the first record at once while little does.

    aiokafka reads both attributes for each request; a test fails when a new version moves them.
    """
    fetcher: Any = consumer._fetcher  # noqa: SLF001 -- no public way to change the two while consuming
    fetcher._fetch_min_bytes = 1024 * 1024 if busy else 1  # noqa: SLF001 -- the same
    fetcher._fetch_max_wait_ms = settings.busy_fetch_wait_ms if busy else settings.quiet_fetch_wait_ms  # noqa: SLF001


def skip_consumer_records(consumer: AIOKafkaConsumer) -> None:
    """Let a started consumer's getmany() return records as they are unpacked, without the copy into a ConsumerRecord.

    They have `key`, `value`, `headers`, `offset` and `timestamp`, which is all that we read; the copy takes a sixth of
    the time that a record takes. A test fails when a new version of aiokafka moves what is replaced here.
    """
    fetcher: Any = consumer._fetcher  # noqa: SLF001 -- no public way to get records without the copy
    fetcher._records = _Fetched(fetcher._records)  # noqa: SLF001 -- the same


async def let_go(consumer: AIOKafkaConsumer, within_s: float) -> None:
    """Stop a consumer whose brokers may be gone, in `within_s` or twice that; what that raises doesn't matter.

    aiokafka awaits tasks that it has just cancelled. Where one was asleep before it tried again, its CancelledError,
    which is no cancellation of ours, comes out of `stop()`, and leaves the connections open.
    """
    if await _ended_well(consumer.stop(), within_s):
        return
    fetcher: Any = consumer._fetcher  # noqa: SLF001 -- what stop() has not come to
    for task in fetcher._pending_tasks if fetcher else ():  # noqa: SLF001 -- the same
        task.cancel()
    await _ended_well(consumer._client.close(), within_s)  # noqa: SLF001 -- the same


async def _ended_well(work: Coroutine[Any, Any, None], within_s: float) -> bool:
    """Whether it came to its end in time."""
    working = asyncio.create_task(work)
    try:
        await asyncio.wait({working}, timeout=within_s)
        return working.done() and not working.cancelled() and working.exception() is None
    finally:
        working.cancel()


class _Fetched(OrderedDict[TopicPartition, Any]):
    """What is fetched and not yet returned, by partition: a FetchResult, or a FetchError, which has no records."""

    def __setitem__(self, assigned: TopicPartition, result: Any) -> None:
        records = getattr(result, "_partition_records", None)
        if records is not None:
            records._consumer_record = _as_it_is  # noqa: SLF001 -- see `skip_consumer_records`
        super().__setitem__(assigned, result)


def _as_it_is(assigned: TopicPartition, record: Any) -> Any:
    del assigned
    return record


def require_extension() -> None:
    """Raise ExtensionMissing when aiokafka would decode records in pure Python."""
    from aiokafka.record import default_records  # noqa: PLC0415 -- asked once, at start

    if default_records.DefaultRecordBatch is default_records._DefaultRecordBatchPy:  # noqa: SLF001 -- its only sign
        raise ExtensionMissing(str(ExtensionMissing.__doc__))


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    files: Mapping[str, Path | None] = {
        "cafile": settings.tls_ca_file,
        "certfile": settings.tls_cert_file,
        "keyfile": settings.tls_key_file,
    }
    context: ssl.SSLContext = create_ssl_context(**{name: str(path) for name, path in files.items() if path})
    return context


def _sasl_options(settings: KafkaSettings) -> dict[str, Any]:
    if settings.sasl_mechanism == "OAUTHBEARER" and settings.sasl_oauth_token_file:
        return {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": FileToken(settings.sasl_oauth_token_file)}
    if settings.sasl_password_file:
        password = settings.sasl_password_file.read_text().strip()
    else:
        password = settings.sasl_password.get_secret_value() if settings.sasl_password else ""
    return {
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": password,
    }
