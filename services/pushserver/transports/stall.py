"""A stall: a peer lives, and doesn't take what there is for it."""

from services.pushserver.transports.peer import Look


class Stall:
    """Begins when something waits that the peer doesn't take; it is shown a look from time to time.

    `lenient`: the kernel was told to be patient with it. A reader that has stopped acknowledges probes of its shut
    window; still the kernel would end it after `TCP_USER_TIMEOUT`, as if its network were dead.
    """

    __slots__ = ("_since", "_taken", "lenient")

    def __init__(self, look: Look, now: float) -> None:
        self.lenient = False
        self._taken = look.taken
        self._since = now

    def lasts_s(self, look: Look, now: float) -> float:
        """For how long it has taken no byte, as far as looks can tell."""
        if look.taken != self._taken:
            self.begin_anew(look, now)
        return now - self._since

    def begin_anew(self, look: Look, now: float) -> None:
        """Count from now on."""
        self._taken = look.taken
        self._since = now
