import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.demo import demo
from cli.example import EXAMPLES, Example, NoSuchExample
from cli.settings import AllSettings
from shared.grants import ACTIONS

NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/producer.py"))


def test_the_use_cases_are_there() -> None:
    assert NAMES == ["chat", "cursors", "iot", "notifications", "orders", "scores"]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_catalogue_a_producer_and_a_page(name: str) -> None:
    example = Example.named(name)
    settings = AllSettings.load(example.config)
    assert settings.collections
    assert callable(example.produce)
    assert {"index.html", "app.js", "style.css"} <= {entry.name for entry in example.page.iterdir()}
    assert f"make demo EXAMPLE={name}" in (EXAMPLES / name / "README.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_tokens_are_asked_for_where_there_are_people_and_nowhere_else(name: str) -> None:
    example = Example.named(name)
    assert (AllSettings.load(example.config).auth.mode == "jwt") == bool(example.people)
    for person in example.people.values():
        assert all(word.split(":")[0] in ACTIONS for word in person["scope"].split())


@pytest.mark.parametrize("name", [*NAMES, None])
def test_no_page_has_an_inline_script_or_style_or_a_foreign_address(name: str | None) -> None:
    page = (Example.named(name) if name else Example.stocks()).page
    for entry in page.iterdir():
        text = entry.read_text(encoding="utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), entry.name
        if entry.name.endswith(".html"):
            assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", text), entry.name


@pytest.mark.parametrize("name", ["nothing", "../cli", "domain_service"])
def test_another_name_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(NoSuchExample, match="chat, cursors, iot"):
        Example.named(name)


def test_where_one_may_be_anybody_it_listens_at_this_machine_only() -> None:
    result = CliRunner().invoke(demo, ["--example", "chat", "--host", "0.0.0.0"])
    assert result.exit_code == 2
    assert "this machine only" in result.output


def test_every_picture_of_the_readme_is_there_and_small() -> None:
    root = Path(__file__).parents[3]
    shown = re.findall(r"\]\((docs/images/[^)]+)\)", (root / "README.md").read_text())
    assert len(shown) > 2 * len(NAMES)
    for name in shown:
        assert (root / name).stat().st_size <= 120 * 1024, name
