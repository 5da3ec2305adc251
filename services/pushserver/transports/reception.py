"""The reception: what every transport needs to take a watch in."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from services.pushserver.channel import Channel
from services.pushserver.close import RATE_LIMITED, REVOKED, TOKEN_EXPIRED, CloseReason
from services.pushserver.counters import Counters
from services.pushserver.doors import Doors
from services.pushserver.freshness import Freshness
from services.pushserver.guard import Guard
from services.pushserver.hub import Hub
from services.pushserver.overlap import Overlap
from services.pushserver.quota import Quota
from services.pushserver.resume import Ahead, begin
from services.pushserver.session import CatchUp, Publish, Session, check_mode
from services.pushserver.settings import PushServerSettings
from services.pushserver.share import Share
from services.pushserver.sink import Sink
from services.pushserver.subscriber import Subscriber
from services.pushserver.tickets import Tickets
from services.pushserver.transports.request import Asked
from services.pushserver.turns import Turns
from services.pushserver.wire import Wire
from shared.address import source_of
from shared.audit import Decision
from shared.bucket import Buckets
from shared.credentials import Credentials
from shared.doorstep import admitted
from shared.gate import Gate
from shared.principal import Principal
from shared.problem import Problem

REQUEST_ID: Final = "x-request-id"
"""HAProxy's, the same when it brings a request that was refused to another server."""
DOOR: Final = "x-front-door"
"""Which process of HAProxy brings a request, or checks this server."""
MOST_BODIES: Final = 16
"""Of one principal (all who have no name are one) that are on their way at a time: they are small."""
_NOTED: Final = 5
_HANDSHAKES_AT_ONCE: Final = 10
"""Seconds' worth: those of a crowd behind one address come at once."""
_ENDS: Final[Mapping[CloseReason, Decision]] = {TOKEN_EXPIRED: "expired", REVOKED: "revoked", RATE_LIMITED: "limited"}
Publisher = Callable[[Publish], Awaitable[dict[str, str]]]
"""Does a write of a WebSocket client; returns `version` and `cursor`, raises Problem."""


class Reception:
    """The hub and what surrounds it, as transports see it; `leaving` once nobody is taken in any more."""

    def __init__(
        self,
        hub: Hub,
        freshness: Freshness,
        share: Share,
        doors: Doors,
        settings: PushServerSettings,
        gate: Gate,
        *,
        publish: Publisher | None = None,
    ) -> None:
        self.hub = hub
        self.freshness = freshness
        self.settings = settings
        self._share = share
        self._doors = doors
        self.gate = gate
        self.guard = Guard()
        self.overlap = Overlap(settings)
        self.quota = Quota(
            connections_per_principal=settings.max_connections_per_principal,
            connections_per_address=settings.max_connections_per_address,
            watches_per_principal=settings.max_watches_per_principal,
        )
        self._handshakes = Buckets(settings.handshakes_per_s, _HANDSHAKES_AT_ONCE * settings.handshakes_per_s)
        self._polls = 0
        self._bodies: Counter[str] = Counter()
        self.tickets = Tickets(gate.settings.ticket_secret() or secrets.token_bytes(32))
        self.publish = publish
        self.turns = Turns()
        self.leaving = False

    @property
    def counters(self) -> Counters:
        """The server's totals."""
        return self.hub.counters

    async def admit(self, asked: Asked, scope: Mapping[str, Any]) -> Asked:
        """Find out for whom it speaks, and that all it names is granted; raises Problem."""
        principal: Principal | None = None
        asked = asked._replace(asker=self.gate.asker(scope, asked.headers))
        try:
            principal, token = await self._who_asks(asked, scope)
            asked = asked._replace(
                watches=tuple(each._replace(watch=principal.watched(each.watch)) for each in asked.watches)
            )
            if not asked.watches:
                principal.require_any("watch")
        except Problem as problem:
            self._note("refused", asked, principal, problem.code)
            raise
        admitted(scope)
        self._note("accepted", asked, principal)
        return asked._replace(principal=principal, token=token)

    async def _who_asks(self, asked: Asked, scope: Mapping[str, Any]) -> tuple[Principal, str | None]:
        method, protocols = scope.get("method", ""), scope.get("subprotocols", ())
        credentials = Credentials(method, scope["scheme"], asked.headers, asked.shown, protocols)
        principal, token = await self.gate.admit(credentials)
        if asked.ticket is None or not self.gate.asks:
            return principal, token
        if token is not None:
            raise Problem("invalid", "either a token or a ticket")
        principal = self.tickets.take(asked.ticket, asked.headers)
        self.gate.check(principal)
        return principal, None

    def _note(self, decision: Decision, asked: Asked, principal: Principal | None, reason: str | None = None) -> None:
        if self.gate.asks:
            labels = " ".join(request.watch.label for request in asked.watches[:_NOTED])
            self.gate.audit.say(decision, principal=principal, asker=asked.asker, resource=labels, reason=reason)

    @contextmanager
    def limits_noted(self, asked: Asked) -> Iterator[None]:
        """Have the audit say of a refusal which limit was reached, if it was one."""
        try:
            yield
        except Problem as problem:
            if (limit := problem.members.get("limit")) is not None:
                self._note("limited", asked, asked.principal, limit)
            raise

    def ended(self, principal: Principal, reason: CloseReason) -> None:
        """Note that a connection has ended."""
        if self.gate.asks:
            self.gate.audit.say(_ENDS.get(reason, "closed"), principal=principal, reason=reason.name)

    def leave(self, subscriber: Subscriber) -> None:
        """Count a connection out, with all its watches."""
        self.guard.leave(subscriber)
        self.overlap.leave(subscriber)
        self.quota.leave(subscriber)
        self.hub.leave(subscriber)

    async def channel(self, asked: Asked) -> Channel:
        """The channel of an address, as fresh as `at_least` wants it; raises Problem."""
        self.check_open()
        channel = self.hub.channel(asked.watch.collection)
        if "at_least" in asked.parameters:
            await self.freshness.at_least(channel, asked.parameters["at_least"])
            self.check_token(asked)
        return channel

    def check_token(self, asked: Asked) -> None:
        """Raise Problem when the token of who was admitted, and had to wait, has been revoked meanwhile."""
        try:
            self.gate.check(asked.principal)
        except Problem as problem:
            self._note("refused", asked, asked.principal, problem.code)
            raise

    def check_open(self) -> None:
        """Raise Problem `going_away` once the server is leaving."""
        if self.leaving:
            raise Problem("going_away", "this server is leaving; another one has everything")

    def check_room(self, asked: Asked) -> None:
        """Raise Problem `too_many_connections` when there are as many watchers as may be, of all or of who asks."""
        if len(self.hub.wheel) >= self.settings.max_connections:
            detail = f"this server has {self.settings.max_connections} watchers"
            raise Problem("too_many_connections", detail, limit="connections")
        self.quota.check(asked.principal.sub, source_of(asked.asker.address))

    def _check_pace(self, asked: Asked) -> None:
        source = source_of(asked.asker.address)
        wait_s = self._handshakes.take(source, asyncio.get_running_loop().time()) if source else None
        if wait_s is not None:
            detail = f"one address opens at most {self._handshakes.rate:g} watches a second here"
            raise Problem("rate_limited", detail, retry_s=wait_s, limit="handshakes")

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Hold a long poll; raises Problem `too_many_connections` when too many are held."""
        if self._polls >= self.settings.max_polls:
            detail = f"this server holds {self.settings.max_polls} long polls"
            raise Problem("too_many_connections", detail, limit="polls")
        self._polls += 1
        try:
            yield
        finally:
            self._polls -= 1

    @contextmanager
    def body(self, principal: Principal) -> Iterator[None]:
        """Wait for a body; raises Problem `rate_limited` when too many of a principal are awaited."""
        if self._bodies[principal.sub] >= MOST_BODIES:
            detail = f"one principal sends at most {MOST_BODIES} bodies at a time here"
            raise Problem("rate_limited", detail, limit="bodies_per_principal")
        self._bodies[principal.sub] += 1
        try:
            yield
        finally:
            self._bodies[principal.sub] -= 1
            if not self._bodies[principal.sub]:
                del self._bodies[principal.sub]

    async def settle(self, asked: Asked) -> None:
        """Wait until every watch can begin: this server has reached its cursor, or Kafka says that none ever will."""
        self.check_open()
        self._check_pace(asked)
        self.check_room(asked)
        if self._share.refuses(asked.headers.get(REQUEST_ID)):
            raise Problem("try_again", "this server has more than its share of watchers, and others have less")
        for request in asked.watches:
            check_mode(self.hub, request)
            channel = self.hub.channel(request.watch.collection)
            if "at_least" in asked.parameters:
                await self.freshness.at_least(channel, asked.parameters["at_least"])
            if request.cursor is None:
                # Nothing can be ahead. All else that may be wrong is said when it opens.
                continue
            decision = begin(channel, request, settled=False)
            if isinstance(decision, Ahead):
                await self.freshness.settle(channel, decision.segment)

    def open(self, subscriber: Subscriber, asked: Asked) -> Session:
        """Count a connection in, with its watches, without a word yet: it gets bookmarks, until it leaves.

        Raises Problem, and then it has left.
        """
        # It may have begun to leave while this one waited, and then nobody would send it away any more; and nobody
        # would end one whose token was revoked meanwhile.
        self.check_token(asked)
        self.check_open()
        self.check_room(asked)
        principal = asked.principal
        subscriber.door = self._doors.named(asked.headers.get(DOOR))
        self.hub.join(subscriber)
        self.quota.enter(subscriber, principal.sub, source_of(asked.asker.address))
        self.guard.enter(subscriber, principal)
        session = Session(self.hub, subscriber, principal, max_watches=self.settings.max_watches)
        try:
            for request in asked.watches:
                session.subscribe(request, settled=True)
        except Problem:
            self.leave(subscriber)
            raise
        return session

    @contextmanager
    def leaving_unless_taken_over(self, subscriber: Subscriber) -> Iterator[None]:
        """Count a connection out when it can't be handed off."""
        try:
            yield
        except BaseException:
            self.leave(subscriber)
            raise

    def renewed(self, subscriber: Subscriber, principal: Principal) -> None:
        """It has a newer token; raises Problem `too_many_connections` when that is of somebody who has too many."""
        self.quota.rename(subscriber, principal.sub)
        self.guard.enter(subscriber, principal)
        self.gate.audit.say("renewed", principal=principal)

    def subscriber(self, wire: Wire, sink: Sink, *, together: bool, quiet: bool = False) -> Subscriber:
        """A subscriber with this server's limits."""
        return Subscriber(
            wire,
            sink,
            self.hub.counters,
            limit_bytes=self.settings.mailbox_bytes,
            together=together,
            quiet=quiet,
        )

    async def catch_up(self, waiting: CatchUp) -> None:
        """Wait for what an operation's cursor needs; raises Problem `try_again`."""
        channel = self.hub.channel(waiting.request.watch.collection)
        await self.freshness.settle(channel, waiting.segment)
