"""A Runtime API for one program, which asks for its calls: what a test hands out, and what the program answers."""

import os
import socket
import subprocess
import tempfile
import unittest

PATIENCE_SECONDS = 20


class Request:
    """What the program sent: `trailers` only after a chunked body, whose chunks are kept."""

    def __init__(self, method, path, headers):
        self.method = method
        self.path = path
        self.headers = headers
        self.chunks = []
        self.trailers = {}

    @property
    def body(self):
        return b"".join(self.chunks)


class Program:
    """A program, connected."""

    def __init__(self, path, handler):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(PATIENCE_SECONDS)
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [path],
            stdout=self.output,
            stderr=self.output,
            env={"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}", "_HANDLER": handler},
        )
        connection, _ = listener.accept()
        # A program that connects again is refused: it is to keep its connection.
        listener.close()
        connection.settimeout(PATIENCE_SECONDS)
        self._connection = connection
        self._stream = connection.makefile("rb")

    def request(self):
        """The next request, whole."""
        method, path, version = self._stream.readline().decode().split()
        assert version == "HTTP/1.1"
        request = Request(method, path, self._headers())
        if request.headers.get("transfer-encoding") == "chunked":
            while (count := int(self._stream.readline(), 16)) > 0:
                request.chunks.append(self._stream.read(count))
                assert self._stream.readline() == b"\r\n"
            request.trailers = self._headers()
        elif "content-length" in request.headers:
            request.chunks.append(self._stream.read(int(request.headers["content-length"])))
        return request

    def _headers(self):
        headers = {}
        while (line := self._stream.readline().decode().strip()) != "":
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        return headers

    def respond(self, head, body=b""):
        """Answers, byte by byte where `body` is a list of pieces."""
        self._connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n" + body)

    def call(self, body, request_id="one", is_chunked=False):
        """Hands out one call, and takes the reply: the request that brings it."""
        self.begin_call(body, request_id, is_chunked)
        return self.take_reply()

    def begin_call(self, body, request_id="one", is_chunked=False):
        """Hands out one call."""
        asked = self.request()
        assert (asked.method, asked.path) == ("GET", "/2018-06-01/runtime/invocation/next"), asked.path
        head = f"HTTP/1.1 200 OK\nLambda-Runtime-Aws-Request-Id: {request_id}\nLambda-Runtime-Deadline-Ms: 9999999999999\n"
        head += "Lambda-Runtime-Trace-Id: Root=1\n"
        if is_chunked:
            half = len(body) // 2
            parts = [part for part in (body[:half], body[half:]) if part]
            text = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
            self.respond(head + "Transfer-Encoding: chunked\n", text)
        else:
            self.respond(head + f"Content-Length: {len(body)}\n", body)

    def take_reply(self):
        """Takes the reply of the call that was handed out: the request that brings it."""
        answer = self.request()
        self.respond("HTTP/1.1 202 Accepted\nContent-Length: 16\n", b'{"status":"OK"}\n')
        return answer

    def printed(self):
        """All that it printed."""
        self.output.seek(0)
        return self.output.read().decode()

    def hang_up(self):
        """Ends the connection; the status of the program, which ends then."""
        self._connection.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        self._connection.close()
        return self.process.wait(PATIENCE_SECONDS)


class ProgramCase(unittest.TestCase):
    """A test of the program that `THAW_TEST_PROGRAM` names."""

    def program(self, handler):
        program = Program(os.environ["THAW_TEST_PROGRAM"], handler)
        self.addCleanup(program.output.close)
        self.addCleanup(program.process.wait, PATIENCE_SECONDS)
        self.addCleanup(program.process.kill)
        return program
