"""The load test in Kubernetes: its files are all there, its numbers agree, and its options are known."""

from pathlib import Path
from typing import Any

import pytest

from load.users.options import Options
from tests.unit.infra.cluster import cluster, environment
from tests.unit.infra.tree import ROOT, document

LOAD = cluster("load")
LOCUSTS = {"LOCUST_LOCUSTFILE", "LOCUST_HOST", "LOCUST_USERS", "LOCUST_RUN_TIME"}
"""Variables of locust's own options that are used here."""
LIMITS = ("CONNECTIONS", "STREAMS", "HANDSHAKES_10S")


def job(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = LOAD.one("Job", name)["spec"]
    return spec


def container(name: str) -> dict[str, Any]:
    (only,) = job(name)["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def test_every_file_of_the_users_is_mounted() -> None:
    folder = ROOT / "load" / "users"
    assert set(LOAD.one("ConfigMap", "locust-users")["data"]) == {path.name for path in folder.glob("*.py")}
    assert set(LOAD.one("ConfigMap", "locustfile")["data"]) == {"locustfile.py"}


@pytest.mark.parametrize("name", ["locust-master", "locust-worker"])
def test_the_files_are_where_they_are_looked_for(name: str) -> None:
    variables = environment(container(name))
    mounts = {mount["mountPath"] for mount in container(name)["volumeMounts"]}
    assert str(Path(variables["LOCUST_LOCUSTFILE"]).parent) in mounts
    assert f"{variables['PYTHONPATH']}/load/users" in mounts


def test_the_master_is_told_what_it_knows() -> None:
    given = {name for name in environment(container("locust-master")) if name.startswith("LOCUST_")} - LOCUSTS
    assert given <= {f"LOCUST_{name.upper()}" for name in vars(Options())}


def test_whom_to_trust_is_where_it_is_mounted() -> None:
    ca = environment(container("locust-master"))["LOCUST_CA"]
    for name in ("locust-master", "locust-worker"):
        assert str(Path(ca).parent) in {mount["mountPath"] for mount in container(name)["volumeMounts"]}


def test_the_master_waits_for_as_many_workers_as_there_are() -> None:
    args = container("locust-master")["args"]
    worker = job("locust-worker")
    assert worker["completions"] == worker["parallelism"] == int(args[args.index("--expect-workers") + 1])


def test_a_test_is_done_once() -> None:
    for name in ("locust-master", "locust-worker"):
        assert job(name)["backoffLimit"] == 0
        assert job(name)["template"]["spec"]["restartPolicy"] == "Never"


def test_workers_find_their_master_and_the_front_door() -> None:
    args = container("locust-worker")["args"]
    service = LOAD.one("Service", args[args.index("--master-host") + 1])
    assert service["spec"]["selector"] == {"app.kubernetes.io/name": "locust-master"}
    front = LOAD.one("Service", "front")["metadata"]
    host = environment(container("locust-master"))["LOCUST_HOST"]
    assert host == f"https://{front['name']}.{front['namespace']}.svc.cluster.local"
    (https,) = [port for port in LOAD.one("Service", "front")["spec"]["ports"] if port["name"] == "https"]
    assert https["port"] == 443


def test_the_front_door_lets_one_worker_bring_all_watchers() -> None:
    variables = environment(LOAD.container("haproxy"))
    users = int(environment(container("locust-master"))["LOCUST_USERS"])
    for limit in LIMITS:
        assert int(variables[f"FRONT_SOURCE_{limit}"]) > users
    assert int(variables["FRONT_SOURCE_REQUESTS_10S"]) > 10 * users


def test_locust_is_the_version_that_is_tested() -> None:
    pinned = [line for line in (ROOT / "requirements/dev.txt").read_text().splitlines() if line.startswith("locust==")]
    described = document(ROOT / "infra/k8s/overlays/load/kustomization.yaml")
    assert pinned[0].split()[0] == f"locust=={described['images'][0]['newTag']}"
