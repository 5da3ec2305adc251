"""What the lanes of a client share."""

from collections.abc import Callable

from watchroute_client.link import FIRST_INTERVAL_S
from watchroute_client.negotiation import Negotiation
from watchroute_client.outputs import Output
from watchroute_client.token_keeper import TokenKeeper


class Surroundings:
    """`clock` gives seconds, `random` a number from 0 to 1; `outputs` is what is to be done, in order.

    `parameters` go with the address of every connection.
    """

    def __init__(
        self,
        negotiation: Negotiation,
        tokens: TokenKeeper,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        form: str | None = None,
    ) -> None:
        self.negotiation = negotiation
        self.tokens = tokens
        self.clock = clock
        self.random = random
        self.parameters: dict[str, str] = {"format": form} if form else {}
        self.outputs: list[Output] = []
        self.connections = 0
        self.interval_s = FIRST_INTERVAL_S

    def put(self, *outputs: Output) -> None:
        """Want something done."""
        self.outputs.extend(outputs)
