"""Apache Kafka as jars that Maven fetched, and the Java that runs them."""

import os
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from infra.cluster.process import ROOT

KAFKA_FOLDER = ROOT / "infra" / "kafka"
_LIBS = ROOT / ".kafka" / "libs"
_FETCH_TIMEOUT_S = 300

_JVM_OPTIONS = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # A test's broker lives for minutes: the second compiler would take more CPU than it gives back.
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    f"-Dlog4j2.configurationFile={KAFKA_FOLDER / 'log4j2.properties'}",
)
# An archive of another Java, or of jars elsewhere, is not used, and nothing is said of it.
_ARCHIVE_OPTIONS = ("-Xshare:auto", "-Xlog:cds*=off")


class KafkaJarsMissing(Exception):
    """There is no Kafka by Maven here; the message is what infra/kafka/fetch.sh said."""


@dataclass(frozen=True)
class KafkaJars:
    """A Java runtime and the folder of jars."""

    java: str
    libs: Path
    recorded: Path | None = None

    @property
    def archive(self) -> Path:
        """The classes as the JVM keeps them, once `infra.cluster.kafka_archive` has made that."""
        return self.libs / "classes.jsa"

    def recording(self, archive: Path) -> "KafkaJars":
        """The same, but a JVM that ends leaves an archive."""
        return replace(self, recorded=archive)

    def command(self, main_class: str, *arguments: str) -> list[str]:
        """The command line that runs one of Kafka's programs."""
        return [self.java, *_JVM_OPTIONS, *self._sharing(), "-cp", f"{self.libs}/*", main_class, *arguments]

    def _sharing(self) -> list[str]:
        if self.recorded:
            return [f"-XX:ArchiveClassesAtExit={self.recorded}", *_ARCHIVE_OPTIONS]
        return [f"-XX:SharedArchiveFile={self.archive}", *_ARCHIVE_OPTIONS] if self.archive.exists() else []


def kafka_version() -> str:
    """The version that pom.xml names: the one place to change it."""
    found = re.search(r"<kafka.version>(.+?)</kafka.version>", (KAFKA_FOLDER / "pom.xml").read_text())
    if found is None:
        raise AssertionError("infra/kafka/pom.xml names no kafka.version")
    return found[1]


def find_jars() -> KafkaJars:
    """The jars, fetched now when they are missing; installs no system package. Raises KafkaJarsMissing."""
    fetch = subprocess.run(
        ["bash", str(KAFKA_FOLDER / "fetch.sh"), "--no-install"],
        capture_output=True, text=True, check=False, timeout=_FETCH_TIMEOUT_S,
    )  # fmt: skip
    if fetch.returncode != 0:
        raise KafkaJarsMissing(fetch.stderr.strip())
    return KafkaJars(java=_java(), libs=_LIBS)


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/java" if home else "java"
