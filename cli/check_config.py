"""`watchroute check-config`: find every mistake in the configuration, and show what it amounts to."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cli.settings import AllSettings, config_option, config_path, load_settings
from cli.topic_admin import TopicAdmin
from cli.topic_plan import Finding, all_wanted
from cli.topics import finding_lines


@click.command()
@config_option
@click.option("--connect", is_flag=True, help="Also ask the brokers whether they answer, and how the topics are.")
def check_config(config: Path | None, *, connect: bool) -> None:
    """Check the configuration and print the effective settings, secrets masked.

    All mistakes are printed at once, with exit status 1.
    """
    settings = load_settings(config)
    click.echo(f"# From {config_path(config) or 'no file'}, the environment, and defaults.")
    for line in toml_lines(settings.model_dump(mode="json", by_alias=True, exclude_none=True)):
        click.echo(line)
    if connect:
        for finding in asyncio.run(_ask(settings)):
            for line in finding_lines(finding, dry_run=True):
                click.echo(f"# {line}")


def toml_lines(tables: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Settings as TOML: plain values first, then the tables, named from the top."""
    nested = {name: value for name, value in tables.items() if isinstance(value, dict)}
    plain = {name: value for name, value in tables.items() if name not in nested}
    if path and plain:
        yield f"\n[{path}]"
    for name, value in plain.items():
        yield f"{name} = {json.dumps(value, ensure_ascii=False)}"
    for name, value in nested.items():
        yield from toml_lines(value, f"{path}.{name}" if path else name)


async def _ask(settings: AllSettings) -> list[Finding]:
    async with TopicAdmin(settings.kafka) as admin:
        click.echo(f"\n# Kafka answers at {settings.kafka.bootstrap}.")
        return await admin.compare(all_wanted(settings.collections, settings.auth))
