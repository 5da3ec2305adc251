"""What a WebSocket client sends: bytes in, messages out (RFC 6455, sections 5 and 7)."""

from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from services.pushserver.close import NOT_TEXT, PROTOCOL, TOO_LARGE, CloseReason
from shared.errors import WatchrouteError

_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class Violation(WatchrouteError):
    """The client broke the WebSocket protocol; `reason` ends the connection."""

    def __init__(self, reason: CloseReason) -> None:
        self.reason = reason
        super().__init__(reason.name)


class Message(NamedTuple):
    """A whole message (`opcode` TEXT or BINARY), or a control frame (PING, PONG, CLOSE)."""

    opcode: Opcode
    data: bytes


class Inbound:
    """A parser, made when bytes arrive; once `idle` it holds nothing and can be let go."""

    __slots__ = ("_gathered", "_max_bytes", "_opcode", "_parser", "_reader")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._reader = StreamReader()
        self._parser: Generator[None, None, Frame] | None = None
        # Not a list of fragments: they may be small, or empty and without end.
        self._gathered = bytearray()
        self._opcode: Opcode | None = None

    @property
    def idle(self) -> bool:
        """Whether it is between two messages, with nothing read of the next one."""
        return self._opcode is None and self._parser is None and not self._reader.buffer

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes; yields what they complete, to be asked for to the end. Raises Violation in its place."""
        self._reader.feed_data(data)
        while self._parser is not None or self._reader.buffer:
            frame = self._next_frame()
            if frame is None:
                return
            message = self._assemble(frame)
            if message is not None:
                yield message

    def _next_frame(self) -> Frame | None:
        if self._parser is None:
            self._parser = Frame.parse(self._reader.read_exact, mask=True, max_size=self._max_bytes)
        try:
            next(self._parser)
        except StopIteration as done:
            self._parser = None
            frame: Frame = done.value
            return frame
        except PayloadTooBig:
            raise Violation(TOO_LARGE) from None
        except ProtocolError:
            raise Violation(PROTOCOL) from None
        return None

    def _assemble(self, frame: Frame) -> Message | None:
        if frame.opcode not in _DATA:
            return Message(frame.opcode, _checked_close(frame) if frame.opcode is Opcode.CLOSE else bytes(frame.data))
        if (frame.opcode is Opcode.CONT) == (self._opcode is None):
            raise Violation(PROTOCOL)
        if self._opcode is None:
            self._opcode = frame.opcode
        self._gathered += frame.data
        if len(self._gathered) > self._max_bytes:
            raise Violation(TOO_LARGE)
        return self._complete() if frame.fin else None

    def _complete(self) -> Message:
        message = Message(self._opcode or Opcode.BINARY, bytes(self._gathered))
        self._opcode = None
        self._gathered.clear()
        if message.opcode is Opcode.TEXT:
            try:
                message.data.decode()
            except UnicodeDecodeError:
                raise Violation(NOT_TEXT) from None
        return message


def _checked_close(frame: Frame) -> bytes:
    try:
        Close.parse(frame.data)
    except ProtocolError:
        raise Violation(PROTOCOL) from None
    except UnicodeDecodeError:
        raise Violation(NOT_TEXT) from None
    return bytes(frame.data)
