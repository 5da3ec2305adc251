"""Settings to client options."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.identity import Identity
from shared.kafka import FileToken, KafkaSettings, client_options, consumer_options, producer_options, require_extension


def test_a_producer_is_idempotent_and_waits_for_all_replicas() -> None:
    options = producer_options(KafkaSettings(), "me")
    assert (options["acks"], options["enable_idempotence"], options["client_id"]) == ("all", True, "me")


def test_a_consumer_never_jumps_and_never_commits() -> None:
    options = consumer_options(KafkaSettings(client_rack="r1"), "me")
    assert (options["auto_offset_reset"], options["enable_auto_commit"]) == ("none", False)
    assert (options["isolation_level"], options["client_rack"]) == ("read_committed", "r1")
    assert "group_id" not in options


def test_several_brokers_are_separated_by_commas() -> None:
    assert client_options(KafkaSettings(bootstrap="a:1,b:2"), "me")["bootstrap_servers"] == ["a:1", "b:2"]


def test_compression_may_be_off() -> None:
    assert producer_options(KafkaSettings(compression="none"), "me")["compression_type"] is None


def test_a_password_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    settings = KafkaSettings(
        security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username="me", sasl_password_file=file
    )
    options = client_options(settings, "me")
    assert (options["sasl_mechanism"], options["sasl_plain_username"]) == ("SCRAM-SHA-512", "me")
    assert options["sasl_plain_password"] == "hunter2"
    assert options["ssl_context"]


async def test_a_token_is_read_again_for_each_authentication(tmp_path: Path) -> None:
    file = tmp_path / "token"
    settings = KafkaSettings(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="OAUTHBEARER", sasl_oauth_token_file=file
    )
    provider = client_options(settings, "me")["sasl_oauth_token_provider"]
    assert isinstance(provider, FileToken)
    for token in ("one", "two"):
        file.write_text(token + "\n")
        assert await provider.token() == token


@pytest.mark.parametrize(
    "settings",
    [
        {"security_protocol": "SASL_SSL"},
        {"security_protocol": "SASL_SSL", "sasl_username": "me"},
        {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "OAUTHBEARER"},
        {"tls_cert_file": "cert.pem"},
        {"isolation_level": "none"},
        {"bootstrp": "x"},
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KafkaSettings(**settings)


def test_the_compiled_extension_is_there() -> None:
    require_extension()


def test_the_epoch_changes_with_the_log_and_the_generation() -> None:
    log = Identity("cluster", "stocks", b"id", 4)
    others = [log._replace(cluster="x"), log._replace(topic_id=b"x"), log._replace(partitions=5)]
    assert len({identity.epoch(0) for identity in (log, *others)} | {log.epoch(1)}) == 5
