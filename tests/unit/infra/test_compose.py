import re
from typing import Any

import pytest

from infra.cluster.kafka_jars import kafka_version
from tests.unit.infra.composition import FILES, FOLDER, OURS, compose, over
from tests.unit.infra.dockerfile import stages
from tests.unit.infra.tree import INFRA, document

ONE_SHOTS = {"topics", "certificate"}
SERVICES = [
    pytest.param(variant, name, service, id=f"{variant}-{name}")
    for variant in FILES
    for name, service in compose(variant)["services"].items()
]
KEYS = {
    *("build", "cap_drop", "command", "configs", "depends_on", "deploy", "environment", "expose", "healthcheck"),
    *("image", "init", "network_mode", "ports", "read_only", "restart", "security_opt", "stop_grace_period"),
    *("stop_signal", "sysctls", "tmpfs", "ulimits", "user", "volumes"),
}


@pytest.mark.parametrize(("variant", "name", "service"), SERVICES)
def test_a_service_has_nothing_that_compose_does_not_know(variant: str, name: str, service: dict[str, Any]) -> None:
    assert set(service) <= KEYS
    assert set(compose(variant)) <= {"name", "services", "configs", "volumes", "x-hardened", "x-service", "x-broker"}


@pytest.mark.parametrize(("variant", "name", "service"), SERVICES)
def test_an_image_is_pinned_or_built_here(variant: str, name: str, service: dict[str, Any]) -> None:
    assert re.fullmatch(r"[\w./-]+:[\w.-]+", service["image"])
    assert not service["image"].endswith(":latest")
    if "build" in service:
        assert service["build"]["target"] in stages()
        context = FOLDER / service["build"]["context"]
        assert (context / service["build"]["dockerfile"]).resolve() == INFRA / "docker/Dockerfile"
        assert service["image"] == f"watchroute/{service['build']['target']}:dev"


@pytest.mark.parametrize(("variant", "name", "service"), SERVICES)
def test_a_service_waits_for_what_can_come(variant: str, name: str, service: dict[str, Any]) -> None:
    for other, wanted in service.get("depends_on", {}).items():
        target = compose(variant)["services"][other]
        match wanted["condition"]:
            case "service_healthy":
                assert "healthcheck" in target
            case "service_completed_successfully":
                assert other in ONE_SHOTS
            case condition:
                assert condition == "service_started"
                assert other not in ONE_SHOTS


@pytest.mark.parametrize(("variant", "name", "service"), SERVICES)
def test_a_service_is_confined(variant: str, name: str, service: dict[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["init"] is True
    assert service.get("read_only", False) is (not name.startswith("kafka"))


@pytest.mark.parametrize(("variant", "name", "service"), SERVICES)
def test_whoever_runs_on_says_whether_it_is_well(variant: str, name: str, service: dict[str, Any]) -> None:
    if name in ONE_SHOTS:
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    if "build" in service:
        check = stages()[service["build"]["target"]].exec_form("HEALTHCHECK")
    else:
        kind, *check = service["healthcheck"]["test"]
        assert kind == "CMD"
    assert check


@pytest.mark.parametrize("variant", FILES)
def test_what_is_mounted_is_there(variant: str) -> None:
    model = compose(variant)
    mounted = [mount for service in model["services"].values() for mount in service.get("configs", [])]
    assert {mount["source"] for mount in mounted} == set(model["configs"])
    for name, config in model["configs"].items():
        assert (FOLDER / config["file"]).is_file(), name
    volumes = [mount for service in model["services"].values() for mount in service.get("volumes", [])]
    assert {mount["source"] for mount in volumes} == set(model["volumes"])


@pytest.mark.parametrize("variant", FILES)
def test_what_is_scaled_has_neither_a_name_nor_a_port_of_the_host(variant: str) -> None:
    services = compose(variant)["services"]
    for name in ("pushserver", "producer"):
        assert not services[name].keys() & {"ports", "container_name", "hostname"}
    assert services["pushserver"]["deploy"]["replicas"] >= 2


@pytest.mark.parametrize("variant", FILES)
def test_only_this_machine_reaches_the_cluster(variant: str) -> None:
    published = [port for service in compose(variant)["services"].values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_the_broker_is_the_one_that_the_tests_run_on() -> None:
    assert compose("dev")["services"]["kafka"]["image"] == f"apache/kafka:{kafka_version()}"


def test_three_brokers_are_one_cluster() -> None:
    brokers = {k: v["environment"] for k, v in compose("prod")["services"].items() if k.startswith("kafka")}
    assert len(brokers) == 3
    voters = ",".join(f"{settings['KAFKA_NODE_ID']}@{name}:9093" for name, settings in brokers.items())
    for name, settings in brokers.items():
        assert settings["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters
        assert settings["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092"
        assert settings["KAFKA_DEFAULT_REPLICATION_FACTOR"] == 3
        assert settings["KAFKA_MIN_INSYNC_REPLICAS"] == 2
        assert settings["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] == 3
        assert settings["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == 2
    assert len({settings["CLUSTER_ID"] for settings in brokers.values()}) == 1
    assert set(compose("prod")["services"]["topics"]["depends_on"]) == set(brokers)
    data = [compose("prod")["services"][name]["volumes"][0]["source"] for name in brokers]
    assert len(set(data)) == 3


@pytest.mark.parametrize("variant", FILES)
def test_every_service_of_ours_reads_the_configuration(variant: str) -> None:
    for name in OURS:
        service = compose(variant)["services"][name]
        image = stages()[service["build"]["target"]]
        assert image.environment()["WATCHROUTE_CONFIG"] in [mount["target"] for mount in service["configs"]]


def test_the_certificate_is_written_where_the_front_door_reads_it() -> None:
    services = compose("dev")["services"]
    _, script, written = stages()["certificate"].exec_form("ENTRYPOINT")
    assert f"COPY infra/docker/certificate.py {script}" in (INFRA / "docker/Dockerfile").read_text()
    assert written == services["haproxy"]["environment"]["FRONT_CERTIFICATE"]
    assert services["haproxy"]["user"] == stages()["certificate"].last("USER")
    for name in ("certificate", "haproxy"):
        assert [mount["target"] for mount in services[name]["volumes"]] == ["/certs"]


def test_mounts_are_merged_by_their_target() -> None:
    below, above = {"target": "/a", "source": "x"}, {"target": "/a", "source": "y"}
    assert over({"volumes": [below]}, {"volumes": [above]}) == {"volumes": [above]}


def test_prometheus_looks_for_services_that_there_are() -> None:
    scraped = document(INFRA / "prometheus/prometheus.yaml")["scrape_configs"]
    for job in scraped:
        (found,) = job["dns_sd_configs"]
        for name in found["names"]:
            assert str(found["port"]) in compose("dev")["services"][name]["expose"]
