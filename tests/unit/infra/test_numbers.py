"""The numbers of the deployments agree with the settings, with HAProxy's, and with each other."""

from pathlib import Path
from typing import Any

import pytest

from cli.settings import AllSettings
from services.producer.settings import ProducerSettings
from services.pushserver.doors import GONE_AFTER_S, LEAST_SILENCE_S, SILENT_CHECKS
from services.pushserver.settings import PushServerSettings
from tests.unit.infra import front_door
from tests.unit.infra.cluster import OVERLAYS, cluster, environment
from tests.unit.infra.composition import FILES, compose, seconds, settings
from tests.unit.infra.tree import INFRA, document

MARGIN_S = 10
"""What a process may take beside its waiting: docs/operations.md."""
DESCRIPTORS = 1000
"""Those of a process that are not for connections of watchers."""
RESERVED_MEMORY = 0.3
"""The share of a push server's memory that is not for its tables."""
HANDSHAKES_S = 1000
"""What a push server takes in beside its work: docs/operations.md."""
TABLES = {"pushserver": PushServerSettings, "producer": ProducerSettings}


def leaving_s(name: str, read: AllSettings) -> float:
    """How long a service takes to leave, by its settings."""
    if name == "pushserver":
        own = read.pushserver
        return own.drain_wait_s + own.drain_s + (own.reconnect_ms + own.overlap_ms) / 1000
    return read.producer.drain_s


@pytest.mark.parametrize("variant", FILES)
@pytest.mark.parametrize("name", TABLES)
def test_compose_gives_a_service_time_to_leave(variant: str, name: str, tmp_path: Path) -> None:
    grace_s = seconds(compose(variant)["services"][name]["stop_grace_period"])
    assert grace_s >= leaving_s(name, settings(variant, tmp_path)) + MARGIN_S


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", TABLES)
def test_kubernetes_gives_a_service_time_to_leave(overlay: str, name: str) -> None:
    stopping_s = cluster(overlay).container(name).get("lifecycle", {}).get("preStop", {}).get("sleep", {})
    needed_s = stopping_s.get("seconds", 0) + leaving_s(name, cluster(overlay).settings()) + MARGIN_S
    assert cluster(overlay).pod(name)["terminationGracePeriodSeconds"] >= needed_s


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_gives_the_front_door_time_to_leave(overlay: str) -> None:
    container = cluster(overlay).container("haproxy")
    hard_stop_s = seconds(front_door.in_force(environment(container))["FRONT_HARD_STOP_AFTER"])
    needed_s = container["lifecycle"]["preStop"]["sleep"]["seconds"] + hard_stop_s + MARGIN_S
    assert cluster(overlay).pod("haproxy")["terminationGracePeriodSeconds"] >= needed_s


@pytest.mark.parametrize("overlay", [None, *OVERLAYS])
def test_the_front_door_holds_its_watchers_until_all_were_sent_away(overlay: str | None) -> None:
    """Silence, an interval in which each has its turn, one for those who were behind, and what follows a `goaway`."""
    variables, own = {}, PushServerSettings()
    if overlay is not None:
        variables, own = environment(cluster(overlay).container("haproxy")), cluster(overlay).settings().pushserver
    inforce = front_door.in_force(variables)
    silence_s = max(SILENT_CHECKS * seconds(inforce["FRONT_CHECK_INTERVAL"]), LEAST_SILENCE_S)
    hard_stop_s = seconds(inforce["FRONT_HARD_STOP_AFTER"])
    ends_s = (own.reconnect_ms + own.overlap_ms) / 1000
    assert silence_s + (1 + 1.2) * own.bookmark_interval_s + ends_s + MARGIN_S <= hard_stop_s < GONE_AFTER_S


def test_compose_gives_the_front_door_time_to_leave() -> None:
    service = compose("dev")["services"]["haproxy"]
    hard_stop_s = seconds(front_door.in_force(service["environment"])["FRONT_HARD_STOP_AFTER"])
    assert seconds(service["stop_grace_period"]) >= hard_stop_s + MARGIN_S


FRONTS = [
    *(
        pytest.param(compose(variant)["services"]["haproxy"]["environment"], id=f"compose-{variant}")
        for variant in FILES
    ),
    *(pytest.param(environment(cluster(o).container("haproxy")), id=f"k8s-{o}") for o in OVERLAYS),
]


@pytest.mark.parametrize("variables", FRONTS)
def test_the_front_door_is_given_what_it_knows(variables: dict[str, Any]) -> None:
    assert set(variables) <= front_door.known()


@pytest.mark.parametrize("variables", FRONTS)
def test_idle_connections_are_sent_away_before_the_front_door_closes(variables: dict[str, Any]) -> None:
    inforce = front_door.in_force(variables)
    assert seconds(inforce["FRONT_CLOSE_SPREAD"]) < seconds(inforce["FRONT_HARD_STOP_AFTER"])


@pytest.mark.parametrize("waited", [*(f"compose-{v}" for v in FILES), *(f"k8s-{o}" for o in OVERLAYS)])
def test_a_push_server_that_leaves_waits_until_the_front_door_has_noticed(waited: str, tmp_path: Path) -> None:
    kind, _, variant = waited.partition("-")
    if kind == "compose":
        read, variables = settings(variant, tmp_path), compose(variant)["services"]["haproxy"]["environment"]
    else:
        read, variables = cluster(variant).settings(), environment(cluster(variant).container("haproxy"))
    assert read.pushserver.drain_wait_s >= 2 * seconds(front_door.in_force(variables)["FRONT_CHECK_INTERVAL"])


@pytest.mark.parametrize("variables", FRONTS)
def test_the_front_door_looks_for_servers_at_the_ports_of_the_settings(variables: dict[str, Any]) -> None:
    inforce = front_door.in_force(variables)
    for name, table in TABLES.items():
        assert int(inforce[f"FRONT_{name.upper()}_PORT"]) == table().port
        assert int(inforce[f"FRONT_{name.upper()}_ADMIN"]) == table().admin_port


@pytest.mark.parametrize("variables", FRONTS)
def test_the_front_door_lets_in_what_a_producer_takes(variables: dict[str, Any]) -> None:
    assert int(front_door.in_force(variables)["FRONT_MAX_BODY_BYTES"]) == ProducerSettings().max_body_bytes


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_front_door_looks_for_services_of_the_namespace(overlay: str) -> None:
    variables = environment(cluster(overlay).container("haproxy"))
    for name in TABLES:
        namespace = cluster(overlay).one("Service", name)["metadata"]["namespace"]
        assert variables[f"FRONT_{name.upper()}_DNS"] == f"{name}.{namespace}.svc.cluster.local"


def test_the_front_door_of_compose_looks_for_its_services() -> None:
    inforce = front_door.in_force(compose("dev")["services"]["haproxy"]["environment"])
    for name in TABLES:
        assert inforce[f"FRONT_{name.upper()}_DNS"] in compose("dev")["services"]


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", TABLES)
def test_ports_are_those_of_the_settings(overlay: str, name: str) -> None:
    ports = {port["name"]: port["containerPort"] for port in cluster(overlay).container(name)["ports"]}
    own = getattr(cluster(overlay).settings(), name)
    assert ports == {"http": own.port, "admin": own.admin_port}
    template = cluster(overlay).one("Deployment", name)["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(own.admin_port)
    for port in cluster(overlay).one("Service", name)["spec"]["ports"]:
        assert port["port"] == ports[port["targetPort"]]


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", [*TABLES, "haproxy"])
def test_probes_ask_the_admin_port(overlay: str, name: str) -> None:
    container = cluster(overlay).container(name)
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        assert container[probe]["httpGet"] == {"path": path, "port": "admin"}


def test_the_front_door_is_published_at_the_ports_that_it_binds() -> None:
    inforce = front_door.in_force(compose("dev")["services"]["haproxy"]["environment"])
    published = [port.split(":")[1:] for port in compose("dev")["services"]["haproxy"]["ports"]]
    https, http = (str(front_door.port(inforce[name])) for name in ("FRONT_BIND", "FRONT_HTTP_BIND"))
    assert published == [[inforce["FRONT_REDIRECT_PORT"], https], [http, http]]
    admin = str(front_door.port(inforce["FRONT_ADMIN_BIND"]))
    assert compose("dev")["services"]["haproxy"]["expose"] == [admin]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_front_service_leads_to_the_ports_that_are_bound(overlay: str) -> None:
    container = cluster(overlay).container("haproxy")
    inforce = front_door.in_force(environment(container))
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {
        "https": front_door.port(inforce["FRONT_BIND"]),
        "http": front_door.port(inforce["FRONT_HTTP_BIND"]),
        "admin": front_door.port(inforce["FRONT_ADMIN_BIND"]),
    }
    https = next(port for port in cluster(overlay).one("Service", "front")["spec"]["ports"] if port["name"] == "https")
    assert inforce["FRONT_REDIRECT_PORT"] == str(https["port"])


@pytest.mark.parametrize("variant", FILES)
def test_there_is_a_descriptor_for_every_connection(variant: str, tmp_path: Path) -> None:
    services = compose(variant)["services"]
    watchers = settings(variant, tmp_path).pushserver.max_connections
    assert services["pushserver"]["ulimits"]["nofile"]["soft"] >= watchers + DESCRIPTORS
    maxconn = int(front_door.in_force(services["haproxy"]["environment"])["FRONT_MAXCONN"])
    assert services["haproxy"]["ulimits"]["nofile"]["soft"] >= 2 * maxconn + DESCRIPTORS
    first, last = map(int, services["haproxy"]["sysctls"]["net.ipv4.ip_local_port_range"].split())
    assert last - first >= min(maxconn, watchers)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_there_is_a_local_port_for_every_connection_to_one_server(overlay: str) -> None:
    (ports,) = cluster(overlay).pod("haproxy")["securityContext"]["sysctls"]
    first, last = map(int, ports["value"].split())
    assert last - first >= cluster(overlay).settings().pushserver.max_connections


def test_who_is_sent_away_is_taken_in_by_the_others_without_hurry() -> None:
    fewest = cluster("prod").one("HorizontalPodAutoscaler", "pushserver")["spec"]["minReplicas"]
    read = cluster("prod").settings().pushserver
    assert read.max_connections / read.drain_s <= (fewest - 1) * HANDSHAKES_S / 2


def test_the_autoscaler_leaves_room_for_the_watchers_of_a_neighbour() -> None:
    scaler = cluster("prod").one("HorizontalPodAutoscaler", "pushserver")["spec"]
    (pods,) = [metric["pods"] for metric in scaler["metrics"] if metric["type"] == "Pods"]
    read = cluster("prod").settings().pushserver
    assert 2 * int(pods["target"]["averageValue"]) <= read.max_connections
    assert pods["metric"]["name"] == "watchroute_connections"
    (rule,) = document(INFRA / "prometheus/adapter.yaml")["rules"]["custom"]
    assert rule["name"]["as"] == pods["metric"]["name"]
    assert "replicas" not in cluster("prod").one("Deployment", "pushserver")["spec"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_front_door_has_a_slot_for_every_server(overlay: str) -> None:
    inforce = front_door.in_force(environment(cluster(overlay).container("haproxy")))
    scalers = {s["metadata"]["name"]: s["spec"]["maxReplicas"] for s in cluster(overlay).all("HorizontalPodAutoscaler")}
    for name in TABLES:
        spec = cluster(overlay).one("Deployment", name)["spec"]
        most = scalers.get(name, spec.get("replicas")) + spec["strategy"]["rollingUpdate"]["maxSurge"]
        assert most <= int(inforce[f"FRONT_{name.upper()}_SLOTS"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_push_server_is_not_ready_before_it_is_killed_for_its_memory(overlay: str) -> None:
    limit = cluster(overlay).container("pushserver")["resources"]["limits"]["memory"]
    held = cluster(overlay).settings().pushserver.max_held_bytes
    assert 0 < held <= (1 - RESERVED_MEMORY) * _bytes(limit)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_producer_is_not_killed_for_what_it_may_hold(overlay: str) -> None:
    limit = cluster(overlay).container("producer")["resources"]["limits"]["memory"]
    read = cluster(overlay).settings().producer
    assert 2 * (read.max_buffered_bytes + read.max_in_flight_bytes) <= _bytes(limit)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_push_servers_hand_writes_to_the_producer_service(overlay: str) -> None:
    producer = cluster(overlay).one("Service", "producer")["spec"]["ports"][0]["port"]
    assert cluster(overlay).settings().pushserver.producer_url == f"http://producer:{producer}"


@pytest.mark.parametrize("variant", FILES)
def test_services_of_compose_find_each_other(variant: str, tmp_path: Path) -> None:
    read = settings(variant, tmp_path)
    services = compose(variant)["services"]
    assert read.pushserver.producer_url == f"http://producer:{ProducerSettings().port}"
    for broker in read.kafka.bootstrap.split(","):
        host, _, port = broker.partition(":")
        assert f"PLAINTEXT://:{port}" in services[host]["environment"]["KAFKA_LISTENERS"]
    brokers = [name for name in services if name.startswith("kafka")]
    assert {collection.replication for collection in read.collections.values()} == {len(brokers)}


def _bytes(quantity: str) -> int:
    units = {"Mi": 2**20, "Gi": 2**30}
    return int(quantity[:-2]) * units[quantity[-2:]]
