"""What goes into a handler and what comes out of it."""

import json
import os
import tempfile
import time
import unittest

from keeper import RuntimeCase

SAY_WHAT_COMES = "def handler(event, context): return [type(event).__name__, str(event)]\n"


class Events(RuntimeCase):
    def test_a_json_body_is_its_value(self):
        worker = self.worker("def handler(event, context): return event\n")
        for value in [{"a": [1, 2.5, None, "ü\n"]}, [], "text", 7, None, True]:
            reply = worker.call(value)
            self.assertEqual((reply.value, reply.content_type, reply.error), (value, "application/json", None))

    def test_the_content_type_decides_what_a_body_is(self):
        worker = self.worker(SAY_WHAT_COMES)
        form = "application/x-www-form-urlencoded"
        for content_type, body, kind in [
            ("application/json; charset=utf-8", b"[1]", "list"),
            ("application/cloudevents+json", b"{}", "dict"),
            ("", b'"x"', "str"),
            (None, b"", "dict"),
            ("text/plain", b"", "dict"),
            ("application/octet-stream", b"[1]", "list"),
            ("application/octet-stream", b"\x00[1]", "bytes"),
            ("text/plain", b"[1]", "bytes"),
            ("image/png", b"\x89PNG", "bytes"),
            (form, b'{"a": 1}', "dict"),
            (form, b"a=1&b=2", "bytes"),
        ]:
            worker.send(body, content_type)
            self.assertEqual(worker.reply().value[0], kind, (content_type, body))

    def test_a_body_that_is_no_json_is_refused_by_name(self):
        worker = self.worker(SAY_WHAT_COMES)
        for body in [b'{"a": ', b"\xff\xfe", b"[" * 100_000]:
            worker.send(body)
            error = worker.reply().error
            self.assertEqual(error["errorType"], "Runtime.UnmarshalError")
            self.assertTrue(error["errorMessage"].startswith("Unable to unmarshal input: "))
        self.assertEqual(worker.call(1).value, ["int", "1"])

    def test_a_long_body_arrives_whole(self):
        worker = self.worker("def handler(event, context): return [len(event), event[-1:].decode()]\n")
        worker.send(b"x" * 7_000_000 + b"y", "application/octet-stream")
        self.assertEqual(worker.reply().value, [7_000_001, "y"])

    def test_the_context_is_that_of_lambda(self):
        worker = self.worker(
            """
import os
def handler(event, context):
    client = context.client_context
    return [context.aws_request_id, context.invoked_function_arn, context.function_name, context.function_version,
            context.memory_limit_in_mb, context.log_group_name, context.log_stream_name != None,
            client and client.custom, client and client.client.app_title, context.identity.cognito_identity_id,
            os.environ.get("_X_AMZN_TRACE_ID")]
""",
            environment={
                "AWS_LAMBDA_FUNCTION_NAME": "f",
                "AWS_LAMBDA_FUNCTION_VERSION": "3",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
            },
        )
        same = ["f", "3", "128", "/aws/lambda/f", True]
        client = {"custom": {"k": "v"}, "client": {"app_title": "t"}}
        first = worker.call({}, id="one", arn="arn:aws:lambda:x", client_context=client, trace="Root=1")
        self.assertEqual(first.value, ["one", "arn:aws:lambda:x", *same, {"k": "v"}, "t", None, "Root=1"])
        second = worker.call({}, id="two", client_context=json.dumps(client))
        self.assertEqual(second.value, ["two", "", *same, {"k": "v"}, "t", None, None])
        self.assertEqual(worker.call({}, id="three").value, ["three", "", *same, None, None, None, None])
        self.assertEqual(worker.call({}, client_context="{").error["errorType"], "Runtime.LambdaContextUnmarshalError")

    def test_the_time_that_remains_is_that_until_the_deadline(self):
        worker = self.worker("def handler(event, context): return context.get_remaining_time_in_millis()\n")
        remaining = worker.call({}, deadline_ms=int(time.time() * 1000) + 60_000).value
        self.assertTrue(59_000 < remaining <= 60_000, remaining)
        self.assertEqual(worker.call({}, deadline_ms=1).value, 0)


class Replies(RuntimeCase):
    def test_bytes_go_out_as_they_are(self):
        reply = self.worker("def handler(event, context): return bytearray(range(256))\n").call({})
        self.assertEqual((reply.body, reply.content_type), (bytes(range(256)), "application/octet-stream"))

    def test_json_keeps_what_lambda_keeps(self):
        worker = self.worker(
            """
from decimal import Decimal
def handler(event, context):
    return [Decimal("0.12345678901234567890123"), Decimal("7"), "ü", "half \\ud83d", {"decimal-0;": Decimal("1E+3")}]
"""
        )
        for _ in range(2):
            self.assertEqual(
                worker.call({}).body,
                '[0.12345678901234567890123, 7, "ü", "half \\ud83d", {"decimal-0;": 1E+3}]'.encode(),
            )

    def test_what_json_cannot_say_is_refused_by_name(self):
        worker = self.worker(
            """
def handler(event, context):
    ring = []
    ring.append(ring)
    return {"set": {1}, "ring": ring, "object": object()}[event]
"""
        )
        for event in ["set", "ring", "object"]:
            error = worker.call(event).error
            self.assertEqual(error["errorType"], "Runtime.MarshalError")
            self.assertTrue(error["errorMessage"].startswith("Unable to marshal response: "))

    def test_a_long_reply_goes_out_in_chunks_of_a_bounded_length(self):
        reply = self.worker("def handler(event, context): return b'ab' * 500_000\n").call({})
        self.assertEqual(reply.body, b"ab" * 500_000)
        self.assertEqual(max(map(len, reply.chunks)), 256 * 1024)

    def test_a_generator_goes_out_piece_by_piece_as_it_yields(self):
        worker = self.worker(
            """
def handler(event, context):
    yield "one"
    open(event).read()
    yield b"two"
    yield {"three": 3}
"""
        )
        # The worker waits until we say so, and what it yielded before is here already.
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        gate = os.path.join(folder.name, "gate")
        os.mkfifo(gate)
        worker.send(json.dumps(gate).encode())
        self.assertEqual([worker.frame(), worker.frame()], [("S", b"text/plain; charset=utf-8"), ("C", b"one")])
        open(gate, "w").close()
        self.assertEqual(worker.reply().chunks, [b"two", b'{"three": 3}\n'])

    def test_the_first_piece_decides_the_content_type(self):
        worker = self.worker("def handler(event, context): return iter({'j': [[1], 2], 'b': [b''], 'e': []}[event])\n")
        reply = worker.call("j")
        self.assertEqual((reply.content_type, reply.body), ("application/x-ndjson", b"[1]\n2\n"))
        self.assertEqual(worker.call("b").content_type, "application/octet-stream")
        self.assertTrue(reply.is_stream)
        empty = worker.call("e")
        self.assertEqual((empty.body, empty.content_type, empty.is_stream), (b"", "text/plain; charset=utf-8", False))

    def test_a_generator_that_fails_ends_its_reply_with_the_error(self):
        worker = self.worker(
            """
def handler(event, context):
    yield "a"
    raise KeyError("gone")
"""
        )
        reply = worker.call({})
        self.assertEqual((reply.chunks, reply.error["errorType"]), ([b"a"], "KeyError"))
        self.assertEqual(worker.call({}).chunks, [b"a"])

    def test_a_reply_may_name_its_content_type(self):
        worker = self.worker(
            """
import thaw
def pieces():
    yield "data: 1\\n\\n"
def handler(event, context):
    return {"page": thaw.Reply("<p>", "text/html"), "json": thaw.Reply({"a": 1}, "application/hal+json"),
            "events": thaw.Reply(pieces(), "text/event-stream")}[event]
"""
        )
        for event, body in [("page", b"<p>"), ("json", b'{"a": 1}'), ("events", b"data: 1\n\n")]:
            self.assertEqual(worker.call(event).body, body)
        self.assertEqual(worker.call("page").content_type, "text/html")
        self.assertEqual(worker.call("events").content_type, "text/event-stream")


class Coroutines(RuntimeCase):
    def test_calls_of_an_async_handler_share_one_loop(self):
        worker = self.worker(
            """
import asyncio
loops = set()
async def handler(event, context):
    loops.add(asyncio.get_running_loop())
    await asyncio.sleep(0)
    return [event, len(loops)]
"""
        )
        self.assertEqual([worker.call(1).value, worker.call(2).value], [[1, 1], [2, 1]])

    def test_an_async_generator_streams(self):
        worker = self.worker(
            """
async def handler(event, context):
    for number in range(3):
        yield number
"""
        )
        self.assertEqual(worker.call({}).chunks, [b"0\n", b"1\n", b"2\n"])

    def test_a_cancelled_task_is_an_error_of_its_call_only(self):
        worker = self.worker(
            """
import asyncio
async def handler(event, context):
    if event:
        raise asyncio.CancelledError
"""
        )
        self.assertEqual(worker.call(True).error["errorType"], "CancelledError")
        self.assertEqual(worker.call(False).value, None)

    def test_a_loop_made_at_import_belongs_to_each_worker_alone(self):
        template = self.template(
            """
import asyncio, os
loop = asyncio.new_event_loop()
reading, writing = os.pipe()
async def wait():
    seen = asyncio.Event()
    loop.add_reader(reading, seen.set)
    await asyncio.wait_for(seen.wait(), 10)
    loop.remove_reader(reading)
    return os.getpid()
def handler(event, context):
    if event == "count":
        return len(os.listdir("/proc/self/fd"))
    os.write(writing, b"x")
    return loop.run_until_complete(wait())
"""
        ).ready()
        first, second = template.fork().greeted(), template.fork().greeted()
        for worker in [first, second, first]:
            self.assertEqual(worker.call("go").value, worker.pid)
        self.assertEqual(first.call("count").value, second.call("count").value)


if __name__ == "__main__":
    unittest.main()
