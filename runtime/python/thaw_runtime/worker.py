"""Serves the calls of one worker, one after the other, until its keeper hangs up."""

import os
import sys

from . import calls, failures, frames, logs, loops, marshalling
from .context import Context


class KeeperGone(BaseException):
    """Nobody reads replies any more; not an Exception, so that no handler swallows it."""


class Worker:
    """`handler` on the connection to the keeper."""

    def __init__(self, handler, connection):
        self._handler = handler
        self._connection = connection
        self._frames = frames.FrameReader(connection)

    def run(self):
        """Returns when the keeper hangs up; raises SystemExit where the handler does, which has been reported then."""
        calls.current = calls.Caller(self._connection, self._frames)
        self._send(frames.frame(frames.HELLO))
        while (received := self._frames.next()) is not None:
            kind, payload = received
            if kind != frames.INVOKE:
                raise ValueError(f"a frame of kind {kind!r} arrived where only calls do")
            self._serve(*frames.parse_invoke(payload))

    def _serve(self, head, body):
        request_id = head.get("id")
        logs.begin_call(request_id)
        _publish_trace(head.get("trace"))
        try:
            event = marshalling.event(body, head.get("content_type"))
            last = self._reply(self._handler(event, Context(head)))
        except KeeperGone:
            raise
        except BaseException as error:
            self._fail(error, request_id)
            if isinstance(error, SystemExit):
                raise
        else:
            logs.flush()
            self._send(last + frames.frame(frames.DONE))

    def _reply(self, value):
        """Sends what a generator yields as it yields it; returns the frames that are still to be sent."""
        if hasattr(value, "__await__"):
            value = loops.run(value)
        content_type = None
        thaw = sys.modules.get("thaw")
        if thaw is not None and isinstance(value, thaw.Reply):
            content_type, value = value.content_type, value.content
        if hasattr(value, "__anext__"):
            value = loops.iterate(value)
        if hasattr(value, "__next__"):
            return self._stream(value, content_type)
        # Of a chosen type, text is text; as JSON it would have quotes.
        is_text = content_type is not None and isinstance(value, str)
        content, own_type = marshalling.piece(value) if is_text else marshalling.reply(value)
        return frames.frame(frames.CONTENT_TYPE, (content_type or own_type).encode()) + frames.chunks(content)

    def _stream(self, pieces, content_type):
        is_first = True
        for value in pieces:
            content, own_type = marshalling.piece(value)
            if is_first:
                self._send(frames.frame(frames.STREAM, (content_type or own_type).encode()))
                is_first = False
            self._send(frames.chunks(content))
        return frames.frame(frames.CONTENT_TYPE, (content_type or marshalling.TEXT).encode()) if is_first else b""

    def _fail(self, error, request_id):
        document = failures.describe(error, request_id)
        failures.log(document)
        logs.flush()
        self._send(frames.frame(frames.ERROR, failures.encode(document)))

    def _send(self, content):
        try:
            self._connection.sendall(content)
        except OSError as error:
            raise KeeperGone from error


def _publish_trace(trace):
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    elif "_X_AMZN_TRACE_ID" in os.environ:
        del os.environ["_X_AMZN_TRACE_ID"]
