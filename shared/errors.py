"""The root of every exception that Watchroute raises on purpose."""


class WatchrouteError(Exception):
    """Something that a caller can decide about; subclasses are named after the fact that they state."""


class ConfigurationError(WatchrouteError):
    """The configuration can't be used.

    `mistakes` has one line for each mistake, so that an operator mends all of them in one go.
    """

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("the configuration has mistakes:\n" + "\n".join(f"  - {line}" for line in mistakes))
