"""`watchroute topics`: make the configured topics, and see how they differ from what is there."""

import asyncio
import sys
from pathlib import Path

import click

from cli.progress import progress
from cli.settings import config_option, load_settings
from cli.topic_admin import TopicAdmin
from cli.topic_plan import Finding, Wanted, all_wanted
from shared.kafka import KafkaSettings

_CREATED = {False: "created", True: "would be created"}


@click.group()
def topics() -> None:
    """The Kafka topics of the configuration."""


@topics.command()
@config_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def ensure(config: Path | None, *, dry_run: bool) -> None:
    """Create the topics that are missing.

    A topic that exists is never changed: where it differs that is reported, and what would break cursors or lose
    state is refused, with exit status 1.
    """
    settings = load_settings(config)
    wanted = all_wanted(settings.collections, settings.auth)
    findings = asyncio.run(ensure_topics(settings.kafka, wanted, dry_run=dry_run))
    for finding in findings:
        for line in finding_lines(finding, dry_run=dry_run):
            click.echo(line, err=finding.verdict == "refused")
    sys.exit(any(finding.verdict == "refused" for finding in findings))


async def ensure_topics(kafka: KafkaSettings, wanted: list[Wanted], *, dry_run: bool = False) -> list[Finding]:
    """Create what is missing, and change nothing that is there; raises KafkaRefused."""
    async with TopicAdmin(kafka) as admin:
        findings = await admin.compare(wanted)
        missing = [] if dry_run else [finding.wanted for finding in findings if finding.verdict == "missing"]
        with progress("creating topics", len(missing)) as advance:
            for topic in missing:
                await admin.create(topic)
                advance(1)
    return findings


def finding_lines(finding: Finding, *, dry_run: bool) -> list[str]:
    """What to tell of a topic, a line each."""
    topic = finding.wanted
    match finding.verdict:
        case "missing":
            config = ", ".join(f"{name}={value}" for name, value in topic.config.items())
            size = f"{topic.partitions} partitions, replication {topic.replication}, {config}"
            return [f"{topic.topic}: {_CREATED[dry_run]} ({size})"]
        case "same":
            return [f"{topic.topic}: exists as configured"]
        case "differs":
            return [f"{topic.topic}: exists, but {note}" for note in finding.notes]
        case "refused":
            return [f"{topic.topic}: refused: {note}" for note in finding.notes]
