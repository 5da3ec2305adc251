import re

import pytest

from cli.__main__ import main
from services.producer.settings import ProducerSettings
from services.pushserver.settings import PushServerSettings
from shared.settings import PREFIX
from tests.unit.infra.dockerfile import copied, instructions, sent, stages
from tests.unit.infra.tree import INFRA, ROOT

FINAL = ("pushserver", "producer", "tool", "pages", "certificate")
SETTINGS = {"pushserver": PushServerSettings(), "producer": ProducerSettings()}


def test_there_is_an_image_for_each_process() -> None:
    assert set(FINAL) <= set(stages())


@pytest.mark.parametrize("name", FINAL)
def test_an_image_runs_as_a_number_that_is_not_root(name: str) -> None:
    user = stages()[name].last("USER")
    assert user is not None
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


@pytest.mark.parametrize("name", FINAL)
def test_no_shell_starts_an_image(name: str) -> None:
    command = stages()[name].exec_form("ENTRYPOINT")
    assert command[0] in ("python", "watchroute")


@pytest.mark.parametrize("name", SETTINGS)
def test_a_service_image_runs_its_service(name: str) -> None:
    assert stages()[name].exec_form("ENTRYPOINT") == ["python", "-m", f"services.{name}"]
    assert (ROOT / f"services/{name}/__main__.py").is_file()


@pytest.mark.parametrize(("name", "settings"), SETTINGS.items())
def test_the_ports_are_those_of_the_settings(name: str, settings: PushServerSettings | ProducerSettings) -> None:
    stage = stages()[name]
    assert stage.last("EXPOSE") == f"{settings.port} {settings.admin_port}"
    script, port = stage.exec_form("HEALTHCHECK")[1:]
    assert port == str(settings.admin_port)
    assert f"COPY infra/docker/livez.py {script}" in (INFRA / "docker/Dockerfile").read_text()


@pytest.mark.parametrize(("name", "settings"), SETTINGS.items())
def test_a_service_is_reached_from_outside_of_its_container(name: str, settings: object) -> None:
    environment = stages()[name].environment()
    for key in ("host", "admin_host"):
        assert hasattr(settings, key)
        assert environment[f"{PREFIX}{name.upper()}_{key.upper()}"] == "0.0.0.0"


@pytest.mark.parametrize("name", FINAL)
def test_a_variable_of_an_image_is_a_setting(name: str) -> None:
    ours = {variable for variable in stages()[name].environment() if variable.startswith(PREFIX)}
    known = {
        f"{PREFIX}{table.upper()}_{field.upper()}" for table, s in SETTINGS.items() for field in type(s).model_fields
    }
    assert ours <= known | {PREFIX + "CONFIG"}


@pytest.mark.parametrize("source", copied())
def test_what_is_copied_is_there_and_sent_to_the_builder(source: str) -> None:
    assert (ROOT / source).exists()
    assert source in sent()


def test_nothing_else_is_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    assert sent() == set(copied())


def test_every_base_is_pinned_to_the_python_that_is_tested() -> None:
    (base,) = {stage.base for stage in stages().values() if stage.base not in stages()}
    assert base == "python:${PYTHON}"
    (argument,) = [i.rest for i in instructions(INFRA / "docker/Dockerfile") if i.word == "ARG"]
    assert re.fullmatch(r"PYTHON=3\.1[1-9]-slim-[a-z]+", argument)


def test_what_is_installed_has_a_hash_and_needs_no_compiler() -> None:
    (install,) = [i.rest for i in stages()["build"].own if "-r requirements/runtime.txt" in i.rest]
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(install.split())
    locked = (ROOT / "requirements/runtime.txt").read_text()
    (removed,) = [i.rest for i in stages()["build"].own if "uninstall" in i.rest]
    for distribution in removed.rpartition("--yes")[2].split():
        assert distribution in ("pip", "setuptools") or f"\n{distribution}==" in locked


def test_the_tool_image_has_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["topics", "ensure", "--help"])
    assert exited.value.code == 0
    assert stages()["tool"].exec_form("ENTRYPOINT") == ["watchroute"]
