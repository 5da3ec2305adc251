"""`watchroute revoke`: say that tokens are good no more, take that back, and see what holds."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any, Final

import click
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cli.settings import AllSettings, config_option, load_settings
from cli.topic_admin import KafkaRefused, NoAdminCalls, TopicAdmin, reason
from cli.topic_plan import Wanted, wanted_revocations
from shared.catalog import Catalog
from shared.errors import ConfigurationError
from shared.kafka import KafkaSettings, producer_options
from shared.revocation_log import ReadAnew, RevocationLog
from shared.revocations import Revocation, RevocationMistake, Revocations

_CLIENT_ID: Final = "watchroute-revoke"
_WITHIN_S: Final = 30.0
_LATEST_S: Final = 253_402_300_799
"""The end of the year 9999."""


@click.command()
@config_option
@click.option("--sub", help="Everybody with this `sub`: all tokens that were issued before a moment.")
@click.option("--before", help="That moment, in seconds since 1970, or now.  [default: now]")
@click.option("--jti", help="The one token with this `jti`.")
@click.option("--undo", is_flag=True, help="Take it back: tokens that have not expired are good again.")
@click.option("--list", "listing", is_flag=True, help="Show what is revoked, a line each.")
def revoke(
    config: Path | None, *, sub: str | None, before: str | None, jti: str | None, undo: bool, listing: bool
) -> None:
    """Revoke tokens: watchroute revoke --sub ann, or watchroute revoke --jti 4f1c.

    It is written to the topic `[auth] revocations`, and done when Kafka has it on all replicas in sync. Every server
    that reads the topic knows it within a second, and ends what the tokens have open.
    """
    if (sub is not None) + (jti is not None) + listing != 1 or (undo and listing):
        raise click.UsageError("give one of --sub, --jti and --list; --undo goes with --sub or --jti")
    if before is not None and (sub is None or undo):
        raise click.UsageError("--before goes with --sub, and without --undo")
    settings = load_settings(config)
    topic = _topic(settings)
    if listing:
        for line in map(_line, asyncio.run(_within(_held(settings.kafka, topic)))):
            click.echo(line)
        return
    written = Revocation("jti", jti) if jti is not None else Revocation("sub", sub or "", _moment(before))
    value = None if undo else _value(written)
    _check(written, value)
    asyncio.run(_within(_write(settings.kafka, topic, written.key, value)))
    click.echo(f"{written.key}: good again" if undo else _line(written))


def _topic(settings: AllSettings) -> Wanted:
    for topic in wanted_revocations(settings.auth, Catalog(settings.collections)):
        return topic
    raise ConfigurationError(
        ["auth.revocations (WATCHROUTE_AUTH_REVOCATIONS): name the topic that says what is revoked"]
    )


def _moment(before: str | None) -> float:
    if before in {None, "now"}:
        return time.time()
    try:
        moment = float(before or "")
    except ValueError:
        moment = inf
    if not 0 < moment <= _LATEST_S:
        raise click.UsageError("--before is a number of seconds since 1970, or now")
    return moment


def _value(written: Revocation) -> bytes:
    return orjson.dumps({} if written.kind == "jti" else {"revoked_before": written.before_s})


def _check(written: Revocation, value: bytes | None) -> None:
    """Nothing is written that the servers would skip."""
    try:
        Revocations().take(written.key.encode(), value)
    except RevocationMistake as mistake:
        raise click.UsageError(f"{written.key[:100]}: {mistake}") from None


def _line(revocation: Revocation) -> str:
    if revocation.kind == "jti":
        return f"{revocation.key}: revoked"
    before = datetime.fromtimestamp(revocation.before_s, UTC).isoformat(timespec="milliseconds")
    return f"{revocation.key}: revoked what was issued before {before}"


async def _within(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        async with asyncio.timeout(_WITHIN_S):
            return await work
    except TimeoutError:
        raise KafkaRefused(f"Kafka has not answered for {_WITHIN_S:g} s: it may or may not be written") from None
    except ReadAnew as why:
        raise KafkaRefused(str(why)) from None
    except (KafkaError, OSError) as error:
        raise KafkaRefused(f"Kafka doesn't do it: {reason(error)}") from error


async def _check_topic(kafka: KafkaSettings, topic: Wanted) -> None:
    """Raise KafkaRefused unless it is there, and keeps what is written."""
    try:
        async with TopicAdmin(kafka) as admin:
            (finding,) = await admin.compare([topic])
    except NoAdminCalls:
        return
    if finding.verdict == "missing":
        raise KafkaRefused(f"the topic {topic.topic} does not exist: `watchroute topics ensure` makes it")
    if finding.verdict == "refused":
        raise KafkaRefused(f"the topic {topic.topic} is not fit for it: {'; '.join(finding.notes)}")


async def _held(kafka: KafkaSettings, topic: Wanted) -> Revocations:
    await _check_topic(kafka, topic)
    return await RevocationLog(kafka, topic.topic).read()


async def _write(kafka: KafkaSettings, topic: Wanted, key: str, value: bytes | None) -> None:
    await _check_topic(kafka, topic)
    producer = AIOKafkaProducer(**producer_options(kafka, _CLIENT_ID))
    try:
        await producer.start()
        await producer.send_and_wait(topic.topic, key=key.encode(), value=value)
    finally:
        await producer.stop()
