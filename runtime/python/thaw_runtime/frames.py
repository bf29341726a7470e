"""Frames on the call socket: u32le payload length | u8 kind | payload.

From the worker's keeper: INVOKE, whose payload is u16le length | JSON head | body.
To it: HELLO once, then for each call CONTENT_TYPE, CHUNK …, and DONE or ERROR. A reply over time begins with STREAM, which is
a content type too, and its chunks are sent as they come. In the middle of a call NESTED, u8 length | function | u16le length |
content type | body, calls another function; the keeper sends ANSWER, u8 outcome | u16le length | content type | body.
"""

import json
import struct

INVOKE = b"I"
HELLO = b"H"
CONTENT_TYPE = b"T"
STREAM = b"S"
CHUNK = b"C"
DONE = b"D"
ERROR = b"X"
NESTED = b"N"
ANSWER = b"A"

# A longer piece of a reply goes out as several chunks, so that whoever reads them needs no more room than this.
CHUNK_BYTES_MAX = 256 * 1024

_scan = json.JSONDecoder().scan_once
_PREFIX = struct.Struct("<Ic")
_PREFIX_BYTES = _PREFIX.size
# Most calls arrive in one read: their prefix, head and body together.
_READ_BYTES = 64 * 1024


def frame(kind, payload=b""):
    """One frame as bytes."""
    return _PREFIX.pack(len(payload), kind) + payload


def chunks(content):
    """The frames that carry `content` (bytes-like); none for nothing."""
    if len(content) <= CHUNK_BYTES_MAX:
        return frame(CHUNK, content) if content else b""
    view = memoryview(content)
    return b"".join(
        frame(CHUNK, view[start : start + CHUNK_BYTES_MAX]) for start in range(0, len(view), CHUNK_BYTES_MAX)
    )


class FrameReader:
    """Takes frames from a stream socket."""

    def __init__(self, connection):
        self._connection = connection
        self._buffer = b""

    def next(self):
        """Waits for one frame: (kind, payload), or None at the end of the connection."""
        buffer = self._buffer or self._connection.recv(_READ_BYTES)
        while len(buffer) < _PREFIX_BYTES:
            more = self._connection.recv(_READ_BYTES)
            if not more:
                return None
            buffer += more
        count, kind = _PREFIX.unpack_from(buffer)
        end = _PREFIX_BYTES + count
        if len(buffer) < end:
            buffer = self._filled(buffer, end)
            if buffer is None:
                return None
        self._buffer = buffer[end:]
        return kind, buffer[_PREFIX_BYTES:end]

    def _filled(self, start, count):
        """`start` and what follows it, `count` bytes in all; None where the connection ends before."""
        whole = bytearray(count)
        whole[: len(start)] = start
        view = memoryview(whole)[len(start) :]
        while view:
            received = self._connection.recv_into(view)
            if received == 0:
                return None
            view = view[received:]
        return whole


def parse_invoke(payload):
    """(head, body) of an INVOKE."""
    head_end = 2 + int.from_bytes(payload[:2], "little")
    # The keeper writes its JSON without a space around it, and in UTF-8.
    head, _ = _scan(payload[2:head_end].decode(), 0)
    return head, bytes(memoryview(payload)[head_end:])
