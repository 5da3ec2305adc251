from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from cli.topic_plan import all_wanted
from tests.unit.infra.cluster import OVERLAYS, SERVICES, WORKLOADS, cluster
from tests.unit.infra.kustomization import apply
from tests.unit.infra.tree import INFRA, ROOT, document, documents

VERSIONS = ("1.32", "1.37")
STRIMZI = "kafka.strimzi.io/v1"
PODS = [
    pytest.param(overlay, resource["spec"]["template"], id=f"{overlay}-{resource['metadata']['name']}")
    for overlay in OVERLAYS
    for resource in cluster(overlay).all(*WORKLOADS)
]
FILES = sorted((INFRA / "k8s").rglob("*.yaml"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_resource_is_what_kubernetes_takes(overlay: str, version: str) -> None:
    builtin = [resource for resource in cluster(overlay).resources if resource["apiVersion"] != STRIMZI]
    assert len(builtin) > 10
    for resource in builtin:
        kubernetes_validate.validate(resource, version, strict=True)


def test_a_misspelt_field_is_refused() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"clusterIp": "None"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, VERSIONS[0], strict=True)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/a/-", "value": 3}, {"a": [1, 2, 3]}),
        ({"op": "replace", "path": "/a/0", "value": 3}, {"a": [3, 2]}),
        ({"op": "remove", "path": "/a"}, {}),
        ({"op": "add", "path": "/b~1c", "value": 3}, {"a": [1, 2], "b/c": 3}),
    ],
)
def test_a_patch_does_what_its_standard_says(operation: dict[str, Any], expected: dict[str, Any]) -> None:
    resource: dict[str, Any] = {"a": [1, 2]}
    apply(operation, resource)
    assert resource == expected


def test_a_patch_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(LookupError):
        apply({"op": "replace", "path": "/b", "value": 1}, {"a": 1})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(INFRA)))
def test_every_file_belongs_to_a_kustomization(path: Path) -> None:
    described = document(path.parent / "kustomization.yaml")
    used = described["resources"] + [patch.get("path") for patch in described.get("patches", [])]
    assert path.name == "kustomization.yaml" or path.name in used


def test_no_two_resources_have_the_same_name() -> None:
    for overlay in OVERLAYS:
        names = [(r["kind"], r["metadata"]["name"]) for r in cluster(overlay).resources]
        assert len(names) == len(set(names))
        assert {r["metadata"]["namespace"] for r in cluster(overlay).resources} == {"watchroute"}


@pytest.mark.parametrize(("overlay", "template"), PODS)
def test_a_pod_can_do_nothing_but_its_work(overlay: str, template: dict[str, Any]) -> None:
    pod, (container,) = template["spec"], template["spec"]["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    # Kafka's image writes its own configuration.
    assert security.get("readOnlyRootFilesystem", False) is (container["name"] != "kafka")
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]
    assert container["image"].rpartition(":")[2] not in ("", "latest", container["image"])


@pytest.mark.parametrize(("overlay", "template"), PODS)
def test_what_is_mounted_is_a_volume_that_is_there(overlay: str, template: dict[str, Any]) -> None:
    pod, (container,) = template["spec"], template["spec"]["containers"]
    mounted = [mount["name"] for mount in container["volumeMounts"]]
    assert sorted(mounted) == sorted(volume["name"] for volume in pod["volumes"])
    for volume in pod["volumes"]:
        if "configMap" in volume:
            assert cluster(overlay).one("ConfigMap", volume["configMap"]["name"])
    assert "ACCOUNT" not in str(pod)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_find_pods(overlay: str) -> None:
    labels = [workload["spec"]["template"]["metadata"]["labels"] for workload in cluster(overlay).all(*WORKLOADS)]

    def finds(wanted: dict[str, str]) -> bool:
        return any(wanted.items() <= pod.items() for pod in labels)

    for service in cluster(overlay).all("Service"):
        assert finds(service["spec"]["selector"]), service["metadata"]["name"]
    for budget in cluster(overlay).all("PodDisruptionBudget", "Deployment", "StatefulSet"):
        assert finds(budget["spec"]["selector"]["matchLabels"]), budget["metadata"]["name"]
    for policy in cluster(overlay).all("NetworkPolicy"):
        for selector in _pod_selectors(policy["spec"]):
            assert selector
            for expression in selector.get("matchExpressions", []):
                assert all(finds({expression["key"]: value}) for value in expression["values"])
            # Kafka's pods are Strimzi's.
            if "strimzi.io/cluster" not in selector.get("matchLabels", {}):
                assert finds(selector.get("matchLabels", {}))


def _pod_selectors(part: Any) -> Iterator[dict[str, Any]]:
    """Every `podSelector`, wherever it is."""
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key == "podSelector")
        part = list(part.values())
    for inner in part if isinstance(part, list) else []:
        yield from _pod_selectors(inner)


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_spread_and_leaves_one_by_one(overlay: str, name: str) -> None:
    assert cluster(overlay).one("PodDisruptionBudget", name)["spec"]["maxUnavailable"] == 1
    assert cluster(overlay).one("Deployment", name)["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    keys = {constraint["topologyKey"] for constraint in cluster(overlay).pod(name)["topologySpreadConstraints"]}
    assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    for constraint in cluster(overlay).pod(name)["topologySpreadConstraints"]:
        assert constraint["labelSelector"]["matchLabels"] == {"app.kubernetes.io/name": name}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_dns_keeps_a_push_server_that_leaves(overlay: str) -> None:
    service = cluster(overlay).one("Service", "pushserver")["spec"]
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is True


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nobody_of_ours_is_reached_but_by_policy(overlay: str) -> None:
    nothing = cluster(overlay).one("NetworkPolicy", "nothing")["spec"]
    assert nothing["policyTypes"] == ["Ingress", "Egress"]
    assert not nothing.keys() & {"ingress", "egress"}
    for name in SERVICES:
        labels = cluster(overlay).one("Deployment", name)["spec"]["template"]["metadata"]["labels"]
        assert nothing["podSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_policy_opens_ports_that_there_are(overlay: str) -> None:
    for policy in cluster(overlay).all("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            assert {port["port"] for port in rule["ports"]} <= _ports(overlay, policy["spec"]["podSelector"])
        for rule in policy["spec"].get("egress", []):
            named = {port["port"] for port in rule["ports"] if isinstance(port["port"], str)}
            for peer in rule.get("to", []) if named else []:
                assert named <= _ports(overlay, peer["podSelector"])


def _ports(overlay: str, selector: dict[str, Any]) -> set[str]:
    """The names of the ports that every pod of one label has."""
    pods = {
        workload["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]: workload["spec"]["template"]
        for workload in cluster(overlay).all(*WORKLOADS)
    }
    (container,) = pods[selector["matchLabels"]["app.kubernetes.io/name"]]["spec"]["containers"]
    return {port["name"] for port in container["ports"]}


def test_what_strimzi_makes_is_what_topics_ensure_would_make() -> None:
    prod = cluster("prod")
    topics = {
        topic["metadata"]["name"]: (topic["spec"]["partitions"], topic["spec"]["replicas"], topic["spec"]["config"])
        for topic in prod.all("KafkaTopic")
    }
    assert topics == {
        wanted.topic: (wanted.partitions, wanted.replication, {k: _typed(v) for k, v in wanted.config.items()})
        for wanted in all_wanted(prod.settings().collections, prod.settings().auth)
    }
    for resource in documents(INFRA / "k8s/overlays/prod/topics.yaml"):
        assert resource["apiVersion"] == STRIMZI


def _typed(value: str) -> str | int | bool:
    return {"true": True, "false": False}.get(value, int(value) if value.isdecimal() else value)


def test_each_service_mounts_the_account_that_strimzi_makes_for_it() -> None:
    prod = cluster("prod")
    for name in ("pushserver", "producer"):
        user = prod.one("KafkaUser", f"watchroute-{name}")
        secrets = [v["secret"]["secretName"] for v in prod.pod(name)["volumes"] if "secret" in v]
        assert secrets == [f"{user['metadata']['labels']['strimzi.io/cluster']}-cluster-ca-cert", f"watchroute-{name}"]
        named = {acl["resource"].get("name") for acl in user["spec"]["authorization"]["acls"]}
        assert {topic["metadata"]["name"] for topic in prod.all("KafkaTopic")} <= named
        mounts = {mount["mountPath"] for mount in prod.container(name)["volumeMounts"]}
        kafka = prod.settings().kafka
        for path in (kafka.tls_ca_file, kafka.tls_cert_file, kafka.tls_key_file):
            assert path is not None
            assert str(path.parent) in mounts


def test_the_schema_is_the_one_of_the_demo() -> None:
    assert (INFRA / "k8s/base/stock.json").read_bytes() == (ROOT / "cli/schemas/stock.json").read_bytes()
