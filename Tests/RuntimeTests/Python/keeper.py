"""The other side of the Python runtime: what a template and a worker's keeper do, for tests."""

import array
import contextlib
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

RUNTIME = str(pathlib.Path(__file__).resolve().parents[3] / "runtime" / "python")
PATIENCE_SECONDS = 20


class Ended(Exception):
    """The process at the other end hung up."""


class Reply:
    """What came back for one call: its chunks, and the error that ended it or None."""

    def __init__(self, content_type, chunks, error, is_stream):
        self.is_stream = is_stream
        self.content_type = content_type
        self.chunks = chunks
        self.error = error

    @property
    def body(self):
        return b"".join(self.chunks)

    @property
    def value(self):
        return json.loads(self.body)


class WorkerLine:
    """The keeper's end of one worker's call socket and log."""

    def __init__(self, connection, log):
        self._connection = connection
        self._log = log
        self._buffer = b""
        self.pid = None

    def frame(self):
        """The next frame: (kind, payload)."""
        while len(self._buffer) < 5:
            self._receive()
        count, kind = struct.unpack_from("<Ic", self._buffer)
        while len(self._buffer) < 5 + count:
            self._receive()
        payload, self._buffer = self._buffer[5 : 5 + count], self._buffer[5 + count :]
        return kind.decode(), payload

    def _receive(self):
        data, ancillary, _, _ = self._connection.recvmsg(1 << 20, socket.CMSG_SPACE(struct.calcsize("3i")))
        if not data:
            raise Ended
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                self.pid = struct.unpack("3i", content)[0]
        self._buffer += data

    def greeted(self):
        """Waits until the worker is ready."""
        kind, payload = self.frame()
        if kind == "X":
            raise AssertionError(payload.decode())
        assert (kind, payload) == ("H", b""), (kind, payload)
        return self

    def send(self, body=b"", content_type="application/json", **head):
        """Sends a call, in pieces where it is long."""
        head = {"id": "call-1", "deadline_ms": 0, "arn": "", "content_type": content_type, **head}
        text = json.dumps(head).encode()
        payload = struct.pack("<H", len(text)) + text + body
        self._connection.sendall(struct.pack("<Ic", len(payload), b"I") + payload)

    def reply(self):
        """Waits for all of a reply."""
        content_type, chunks, is_stream = None, [], False
        while True:
            kind, payload = self.frame()
            if kind in "TS":
                content_type, is_stream = payload.decode(), kind == "S"
            elif kind == "C":
                chunks.append(payload)
            elif kind == "D":
                return Reply(content_type, chunks, None, is_stream)
            elif kind == "X":
                return Reply(content_type, chunks, json.loads(payload), is_stream)
            else:
                raise AssertionError(f"a frame of kind {kind!r}")

    def call(self, value=None, **head):
        """One call with a JSON value as its body."""
        self.send(json.dumps(value).encode(), **head)
        return self.reply()

    def hang_up(self):
        """Ends the worker; returns all that it printed."""
        self._connection.close()
        return self.printed()

    def printed(self):
        """What the worker and its children printed until they ended."""
        with open(self._log, "rb", closefd=False) as log:
            return log.read().decode()

    def close(self):
        self._connection.close()
        os.close(self._log)


class Template:
    """A zygote of the files of one function, and the orders to it."""

    def __init__(self, folder, files, handler="app.handler", environment=None):
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._orders.settimeout(PATIENCE_SECONDS)
        self._lines = []
        self._output = tempfile.TemporaryFile()
        # Descriptor 3 is the contract; Popen would give the child another number.
        command = f'exec {sys.executable} -s {RUNTIME} {handler} 3<&{theirs.fileno()} {theirs.fileno()}<&-'
        self.process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=folder,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            env={"PATH": os.environ["PATH"], "LAMBDA_TASK_ROOT": folder, "PYTHONDONTWRITEBYTECODE": "1"}
            | (environment or {}),
        )
        theirs.close()

    def packet(self):
        """The next packet: (kind, the rest)."""
        data = self._orders.recv(1 << 16)
        if not data:
            raise Ended
        return data[:1].decode(), data[1:]

    def ready(self):
        """Waits for the import."""
        kind, rest = self.packet()
        assert kind == "R", rest.decode()
        return self

    def refusal(self):
        """Waits for the import to fail: its document."""
        kind, rest = self.packet()
        assert kind == "E", (kind, rest)
        assert self.process.wait(PATIENCE_SECONDS) == 1
        return json.loads(rest)

    def fork(self, token=1, groups=()):
        """Orders a worker."""
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ours.settimeout(PATIENCE_SECONDS)
        log, written = os.pipe()
        descriptors = [theirs.fileno(), written] + list(groups)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        self._orders.sendmsg([b"F" + struct.pack("<IB", token, 0)], [rights])
        theirs.close()
        os.close(written)
        line = WorkerLine(ours, log)
        self._lines.append(line)
        return line

    def exit_status(self):
        """Waits for the end of a worker: (token, status as a shell would say it, negative for a signal)."""
        kind, rest = self.packet()
        assert kind == "X", (kind, rest)
        token, status = struct.unpack("<Ii", rest)
        return token, os.waitstatus_to_exitcode(status)

    def printed(self):
        """What the zygote itself printed so far."""
        self._output.seek(0)
        return self._output.read().decode()

    def close(self):
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.close()
        self._orders.close()
        self._output.close()
        self.process.wait(PATIENCE_SECONDS)


class RuntimeCase(unittest.TestCase):
    """A test with templates of its own."""

    def template(self, app, handler="app.handler", environment=None, **files):
        """A template of `app.py`, and of files whose names have `__` for the dot."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        texts = {"app.py": app} | {name.replace("__", "."): text for name, text in files.items()}
        template = Template(folder.name, texts, handler, environment)
        self.addCleanup(template.close)
        return template

    def worker(self, app, **options):
        """A worker of `app.py`, ready for calls."""
        return self.template(app, **options).ready().fork().greeted()
