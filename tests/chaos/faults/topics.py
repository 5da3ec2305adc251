"""A log that becomes another one."""

from tests.chaos.faults.fault import Fault
from tests.chaos.stage import PARTITIONS
from tests.chaos.trial import Trial


class TopicRecreated(Fault):
    """Deleted, and made again under the same name."""

    name = "topic re-created"
    new_epochs = 1
    restless = False

    async def strike(self, trial: Trial) -> str:
        kafka, before = trial.stage.kafka, trial.writers.acknowledged
        # What the old log held can be known only while nobody writes to it.
        await trial.quiet()
        await trial.close_log()
        await kafka.delete(trial.collection)
        trial.writers.open.set()
        await trial.stage.ensure_topics()
        await trial.flowing(20)
        first = min(write.version for write in trial.writers.writes[before:] if write.version is not None)
        assert first == 0, f"the new log begins at {first}"
        return f"deleted with {before} writes, and begun again at version 0"


class PartitionAdded(Fault):
    """The topic grows."""

    name = "partition added"
    new_epochs = 1
    restless = False

    async def strike(self, trial: Trial) -> str:
        await trial.stage.kafka.grow(trial.collection, PARTITIONS + 1)
        await trial.flowing(20)
        written = await trial.until_written_to(PARTITIONS)
        return f"{written} writes went to the new partition"
