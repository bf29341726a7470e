"""Calls of other functions on the node, made in the middle of one's own: over the worker's socket, so without any network."""

import json
import struct
import threading

from . import frames, marshalling

# What the node takes for one call, and what its answer may have.
BODY_BYTES_MAX = 16 * 1024 * 1024

_REPLY = 0
_FUNCTION_FAILED = 1


class InvokeError(Exception):
    """A call of another function came to nothing; the message says why."""


class FunctionError(InvokeError):
    """The function that was called failed: `error_type` and the message are its own words."""

    def __init__(self, function, document):
        super().__init__(document.get("errorMessage") or f"{function} failed")
        self.function = function
        self.error_type = document.get("errorType") or "Function.Unknown"
        self.stack_trace = document.get("stackTrace") or []


class Caller:
    """One worker's side; calls of several threads go one after the other."""

    def __init__(self, connection, reader):
        self._connection = connection
        self._reader = reader
        self._lock = threading.Lock()

    def call(self, function, content, content_type):
        """(content, content type) of the reply."""
        name, kind = function.encode(), content_type.encode()
        if not 0 < len(name) < 256:
            raise InvokeError(f"{function[:80]!r} cannot be the name of a function")
        if len(content) > BODY_BYTES_MAX:
            raise InvokeError(f"{len(content)} bytes are more than a call may bring ({BODY_BYTES_MAX})")
        head = struct.pack("<B", len(name)) + name + struct.pack("<H", len(kind)) + kind
        with self._lock:
            self._connection.sendall(frames.frame(frames.NESTED, head + bytes(content)))
            received = self._reader.next()
        if received is None:
            raise InvokeError("the worker is ending")
        answer_kind, answer = received
        if answer_kind != frames.ANSWER:
            raise ValueError(f"a frame of kind {answer_kind!r} arrived where an answer does")
        outcome, type_count = struct.unpack_from("<BH", answer)
        rest = bytes(memoryview(answer)[3 + type_count :])
        if outcome == _REPLY:
            return rest, bytes(answer[3 : 3 + type_count]).decode(errors="replace")
        if outcome == _FUNCTION_FAILED:
            raise FunctionError(function, _document(rest))
        raise InvokeError(rest.decode(errors="replace"))


# Of this process: there is one in each worker, none where the handler is imported.
current = None


def invoke(function, payload=None, content_type=None):
    """Calls a function that `calls` in function.yaml names, and returns what it answers: JSON as a value, else bytes.

    `payload` goes out as JSON; bytes go out as they are, as `content_type` (default application/octet-stream). Raises
    FunctionError where the function failed, InvokeError where the call was refused or came to nothing.
    """
    if current is None:
        raise InvokeError("functions are called from a handler, not while it is imported")
    if isinstance(payload, (bytes, bytearray, memoryview)):
        content, kind = bytes(payload), content_type or marshalling.BYTES
    else:
        content, kind = marshalling.to_json(payload), content_type or marshalling.JSON
    reply, reply_type = current.call(function, content, kind)
    media_type = reply_type.partition(";")[0].strip().lower()
    return json.loads(reply) if media_type == marshalling.JSON or media_type.endswith("+json") else reply


def _document(content):
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"errorMessage": content.decode(errors="replace")}
