"""The token of a client: kept until a server says that it ends."""


class TokenKeeper:
    """`value` is what to show; `renewable` says whether there is a callback to ask for another."""

    __slots__ = ("_stale", "asking", "renewable", "value")

    def __init__(self, *, renewable: bool) -> None:
        self.renewable = renewable
        self.value: str | None = None
        self.asking = False
        self._stale = renewable

    @property
    def wanted(self) -> bool:
        """Whether there is none that is worth showing."""
        return self._stale

    def refuse(self) -> None:
        """It has expired, or was not accepted."""
        self._stale = self.renewable

    def take(self, value: str | None) -> None:
        """What the callback gave."""
        self.value = value
        self._stale = self.asking = False
