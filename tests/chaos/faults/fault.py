"""What a fault is."""

from abc import ABC, abstractmethod
from typing import ClassVar

from tests.chaos.trial import Trial


class Fault(ABC):
    """Something that goes wrong in the middle of everything; used once.

    `new_epochs` is how often it makes the log another one; `restless` is whether some watchers also leave by themselves
    meanwhile.
    """

    name: ClassVar[str]
    new_epochs: ClassVar[int] = 0
    restless: ClassVar[bool] = True

    async def prepare(self, trial: Trial) -> None:  # noqa: B027 -- most need nothing
        """What has to be changed before there is any load."""

    @abstractmethod
    async def strike(self, trial: Trial) -> str:
        """Do it, undo it as an operator would, and say what proves that it happened; raises AssertionError if not."""

    async def restore(self, trial: Trial) -> None:  # noqa: B027 -- most need nothing
        """Undo what `prepare` changed, once all load is gone."""
