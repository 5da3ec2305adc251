"""The session: what each operation of a client means. An operation goes in; frames come out through the subscriber.

What can't be answered at once is returned as a value (`CatchUp`, `Publish`, `Renew`): the transport waits for it, and
comes back. Mistakes of the client become `problem` frames; a client that persists in them is closed.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from pydantic import SecretStr

from services.pushserver import frames
from services.pushserver.close import INVALID
from services.pushserver.hub import Hub
from services.pushserver.resume import Ahead, begin
from services.pushserver.subscriber import Subscriber
from services.pushserver.subscription import Subscription, WatchRequest
from shared.catalog import MODES
from shared.cursor import Segment
from shared.event import parse_time_ms
from shared.principal import Principal
from shared.problem import Problem
from shared.resource import Watch, checked_prefix

MAX_MISTAKES: Final = 16
_REF_TYPES: Final = (int, float, str)
_MAX_REF_CHARS: Final = 64
_MAX_LABEL_CHARS: Final = 1024


class CatchUp(NamedTuple):
    """A watch whose cursor is ahead of this server: ask Kafka, wait, and call `Session.subscribe` again as settled."""

    request: WatchRequest
    segment: Segment

    @property
    def asked_as(self) -> tuple[object, str]:
        """The client's mark on the operation, and what it was about."""
        return self.request.ref, self.request.watch.label


class Publish(NamedTuple):
    """A write that the client wants done; `data` is any JSON value, ignored when `delete`."""

    watch: Watch
    data: object
    delete: bool
    ref: object
    token: SecretStr | None = None


class Renew(NamedTuple):
    """A newer token of the same principal, to be verified; then call `Session.renew`."""

    token: SecretStr
    ref: object


class Session:
    """One connection's operations."""

    __slots__ = ("_mistakes", "_token", "hub", "max_watches", "principal", "subscriber")

    def __init__(self, hub: Hub, subscriber: Subscriber, principal: Principal, *, max_watches: int) -> None:
        self.hub = hub
        self.subscriber = subscriber
        self.principal = principal
        self.max_watches = max_watches
        self._token: SecretStr | None = None
        self._mistakes = 0

    def hold(self, token: str | None) -> None:
        """Keep the token that writes are passed on with, if it grants any."""
        self._token = SecretStr(token) if token and self.principal.grants.some("publish") else None

    def renew(self, principal: Principal, token: str, ref: object) -> None:
        """Go on as a newer token says; watches that it doesn't cover end. One of somebody else raises Problem."""
        self.check_same(principal)
        self.principal = principal
        self.hold(token)
        for subscription in self.subscriber.subscriptions:
            try:
                _check_covered(principal, subscription.watch)
            except Problem as problem:
                problem.members["watch"] = subscription.watch.label
                self.subscriber.fail(subscription, problem)
        self.subscriber.tell(frames.ack(ref))

    def check_same(self, principal: Principal) -> None:
        """Raise Problem `forbidden` unless it may take over here."""
        if self.principal.sub and principal.sub != self.principal.sub:
            raise Problem("forbidden", "this connection is of another `sub`: open one of your own")

    def on_op(self, op: object, too_much: Problem | None = None) -> CatchUp | Publish | Renew | None:
        """Do an operation, or say what it waits for; one that is `too_much` isn't done."""
        ref = watch = None
        try:
            members = _members(op)
            ref, watch = _checked_ref(members), members.get("watch")
            if too_much is not None:
                raise too_much
            return _operation(members)(self, members)
        except Problem as problem:
            self.refuse(problem, ref, watch)
        return None

    def refuse(self, problem: Problem, ref: object = None, watch: object = None) -> None:
        """Answer an operation with a problem; `watch` is what it was about, as the client wrote it."""
        if isinstance(watch, str):
            problem.members.setdefault("watch", watch[:_MAX_LABEL_CHARS])
        self.hub.counters.refuse(problem)
        self.subscriber.tell(frames.problem(problem, ref))
        if problem.code == "invalid":
            self._mistakes += 1
            if self._mistakes >= MAX_MISTAKES:
                self.subscriber.end(INVALID)

    def subscribe(self, request: WatchRequest, *, settled: bool = False) -> CatchUp | None:
        """Add a watch; raises Problem when it can't be had."""
        request = request._replace(watch=self.principal.watched(request.watch))
        channel = self.hub.channel(request.watch.collection)
        if self.subscriber.subscriptions.get(request.watch) is not None:
            self._acknowledge(request)
            return None
        self._check(request)
        decision = begin(channel, request, settled=settled)
        if isinstance(decision, Ahead):
            return CatchUp(request, decision.segment)
        if channel.collection.deprecation is not None:
            self.hub.counters.deprecated[channel.name] += 1
        subscription = Subscription(self.subscriber, channel, request.watch, request.mode)
        self._acknowledge(request)
        self.subscriber.open(subscription, decision, request.ref)
        return None

    def _check(self, request: WatchRequest) -> None:
        check_mode(self.hub, request)
        subscriptions = self.subscriber.subscriptions
        if len(subscriptions) >= self.max_watches:
            detail = f"a connection has at most {self.max_watches} watches"
            raise Problem("too_many_watches", detail, limit="watches_per_connection")
        subscriptions.account.check_watches()
        # Records are told as they were: a second telling would go back behind the first.
        of_state = request.mode == "state" and self.hub.channel(request.watch.collection).table.held
        for other in subscriptions.overlapping(request.watch):
            if not (of_state and other.mode == "state"):
                detail = f"{request.watch.label} overlaps {other.watch.label}: only watches of held state may"
                raise Problem("invalid", detail, watch=request.watch.label)

    def _acknowledge(self, request: WatchRequest) -> None:
        if request.ref is not None:
            self.subscriber.tell(frames.ack(request.ref, watch=request.watch.label))

    def _subscribe(self, members: Mapping[str, Any]) -> CatchUp | None:
        _only(members, {"watch", "prefix", "mode", "snapshot", "cursor", "since"})
        catch_up = self.subscribe(_request(members))
        if catch_up is None and self.subscriber.pump():
            self.subscriber.sink.wake()
        return catch_up

    def _unsubscribe(self, members: Mapping[str, Any]) -> None:
        _only(members, {"watch", "prefix"})
        watch = self._as_watched(_watch(members))
        subscription = self.subscriber.subscriptions.get(watch)
        if subscription is None:
            raise Problem("invalid", f"{watch.label} isn't watched on this connection", watch=watch.label)
        self.subscriber.drop(subscription)
        if members.get("ref") is not None:
            self.subscriber.tell(frames.ack(members["ref"], watch=watch.label))

    def _as_watched(self, watch: Watch) -> Watch:
        try:
            return self.principal.watched(watch)
        except Problem:
            return watch

    def _publish(self, members: Mapping[str, Any]) -> Publish:
        _only(members, {"resource", "data", "delete"})
        watch = Watch.parse(_text(members, "resource"))
        delete = members.get("delete", False)
        if watch.id is None or not isinstance(delete, bool) or delete == ("data" in members):
            raise Problem("invalid", "publish takes a resource and either data or delete:true")
        self.principal.require("publish", watch)
        self.hub.catalog.get(watch.collection)
        return Publish(watch, members.get("data"), delete, members.get("ref"), self._token)

    def _ping(self, members: Mapping[str, Any]) -> None:
        _only(members, set())
        self.subscriber.tell(frames.pong(members.get("ref")))

    def _auth(self, members: Mapping[str, Any]) -> Renew:
        _only(members, {"token"})
        return Renew(SecretStr(_text(members, "token")), members.get("ref"))

    OPERATIONS: ClassVar[Mapping[str, Callable[..., CatchUp | Publish | Renew | None]]] = {
        "subscribe": _subscribe,
        "unsubscribe": _unsubscribe,
        "publish": _publish,
        "auth": _auth,
        "ping": _ping,
    }


def _check_covered(principal: Principal, watch: Watch) -> None:
    if principal.watched(watch) != watch:
        raise Problem("forbidden", "the newer token grants another part of it: watch it again")


def check_mode(hub: Hub, request: WatchRequest) -> None:
    """Raise Problem `invalid` when the collection isn't watched in this mode."""
    modes = hub.catalog.get(request.watch.collection).settings.modes
    if request.mode not in modes:
        allowed = ", ".join(modes)
        detail = f"{request.watch.collection} is watched in mode {allowed}, not {request.mode}"
        raise Problem("invalid", detail, watch=request.watch.label)


def _members(op: object) -> Mapping[str, Any]:
    if not isinstance(op, dict):
        raise Problem("invalid", "an operation is an object")
    return op


def _checked_ref(members: Mapping[str, Any]) -> object:
    ref = members.get("ref")
    # For Python a bool is a number.
    if ref is None or (isinstance(ref, _REF_TYPES) and ref is not True and ref is not False and _is_short(ref)):
        return ref
    raise Problem("invalid", f"a ref is a number or a text of at most {_MAX_REF_CHARS} characters")


def _is_short(ref: float | str) -> bool:
    return not isinstance(ref, str) or len(ref) <= _MAX_REF_CHARS


def _operation(members: Mapping[str, Any]) -> Callable[..., CatchUp | Publish | Renew | None]:
    name = members.get("op")
    operation = Session.OPERATIONS.get(name) if isinstance(name, str) else None
    if operation is None:
        raise Problem("invalid", f'"op" is one of {", ".join(Session.OPERATIONS)}')
    return operation


def _only(members: Mapping[str, Any], allowed: set[str]) -> None:
    unknown = sorted(str(name)[:40] for name in members.keys() - allowed - {"op", "ref"})
    if unknown:
        raise Problem("invalid", f"{members['op']} has no member {', '.join(map(repr, unknown[:5]))}")


def _request(members: Mapping[str, Any]) -> WatchRequest:
    mode, snapshot, cursor = members.get("mode"), members.get("snapshot"), members.get("cursor")
    mode = "state" if mode is None else mode
    if mode not in MODES:
        raise Problem("invalid", f"mode is one of {', '.join(MODES)}")
    if not isinstance(snapshot, bool | None) or not isinstance(cursor, str | None):
        raise Problem("invalid", "snapshot is true or false, cursor a text")
    return WatchRequest(
        _watch(members), mode, snapshot is not False, cursor or None, _since(members.get("since")), members.get("ref")
    )


def _watch(members: Mapping[str, Any]) -> Watch:
    watch = Watch.parse(_text(members, "watch"))
    prefix = members.get("prefix")
    if prefix is None:
        return watch
    if not isinstance(prefix, str) or watch.narrow:
        raise Problem("invalid", "prefix is a text, and goes with a collection")
    return Watch(watch.collection, prefix=checked_prefix(prefix))


def _text(members: Mapping[str, Any], name: str) -> str:
    text = members.get(name)
    if not isinstance(text, str):
        raise Problem("invalid", f"{members['op']} needs a text {name}")
    return text


def _since(since: object) -> int | None:
    if since is None:
        return None
    ms = parse_time_ms(since) if isinstance(since, str) else None
    if ms is None:
        raise Problem("invalid", "since is a time as in RFC 3339")
    return ms
