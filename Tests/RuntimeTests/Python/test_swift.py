"""A function in Swift, over the Runtime API."""

import base64
import json
import unittest

from runtime_api import ProgramCase

RESPONSE = "/2018-06-01/runtime/invocation/one/response"
ERROR = "/2018-06-01/runtime/invocation/one/error"


class Functions(ProgramCase):
    def test_json_is_decoded_and_encoded_over_one_connection(self):
        program = self.program("sum")
        for count in [1, 10_000]:
            answer = program.call(json.dumps({"terms": [2] * count}).encode(), is_chunked=count == 1)
            self.assertEqual(
                (answer.method, answer.path, json.loads(answer.body)),
                ("POST", RESPONSE, {"sum": 2 * count, "id": "one", "trace": "Root=1", "hasTime": True}),
            )
            self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(program.hang_up(), 1)
        self.assertEqual(program.printed(), "summed\nsummed\nthe Runtime API sends no more: it hung up\n")

    def test_an_error_is_the_reply_of_its_call_only(self):
        program = self.program("sum")
        for body, kind, message in [
            (b'{"terms": []}', "Refusal", "there are no terms"),
            (b'{"other": 1}', "Runtime.UnmarshalError", "the body of the call is no Terms: terms is missing"),
            (b'{"terms": "x"}', "Runtime.UnmarshalError", "the body of the call is no Terms: terms: "),
            (b"{", "Runtime.UnmarshalError", "the body of the call is no Terms: "),
            (b"", "Runtime.UnmarshalError", "the body of the call is no Terms: terms is missing"),
        ]:
            answer = program.call(body)
            document = json.loads(answer.body)
            self.assertEqual((answer.path, document["errorType"], document["stackTrace"]), (ERROR, kind, []))
            self.assertEqual(answer.headers["lambda-runtime-function-error-type"], kind)
            self.assertTrue(document["errorMessage"].startswith(message), document)
        self.assertEqual(json.loads(program.call(b'{"terms": [1]}').body)["sum"], 1)

    def test_bytes_go_through_as_they_are(self):
        program = self.program("reverse")
        for body in [b"", bytes(range(256)), b"x" * 3_000_000 + b"y"]:
            for is_chunked in [False, True]:
                answer = program.call(body, is_chunked=is_chunked)
                self.assertEqual((answer.path, answer.body), (RESPONSE, body[::-1]))
                self.assertEqual(answer.headers["content-type"], "application/octet-stream")

    def test_a_stream_leaves_piece_by_piece(self):
        program = self.program("count")
        answer = program.call(b"2")
        self.assertEqual(answer.chunks, [b"data: 0\n\n", b"data: 1\n\n"])
        self.assertEqual(answer.headers["lambda-runtime-function-response-mode"], "streaming")
        self.assertEqual((answer.headers["content-type"], answer.trailers), ("text/event-stream", {}))
        self.assertEqual(program.call(b"0").chunks, [])

    def test_an_error_in_a_stream_stands_behind_it(self):
        program = self.program("count")
        answer = program.call(b"-1")
        self.assertEqual((answer.path, answer.chunks), (RESPONSE, [b"data: 0\n\n"]))
        self.assertEqual(answer.trailers["lambda-runtime-function-error-type"], "Refusal")
        document = json.loads(base64.b64decode(answer.trailers["lambda-runtime-function-error-body"]))
        self.assertEqual(document, {"errorMessage": "no further", "errorType": "Refusal", "stackTrace": []})
        self.assertEqual(program.call(b"1").chunks, [b"data: 0\n\n"])

    def test_a_call_of_another_function_goes_over_the_same_connection(self):
        program = self.program("ask")
        wish = {"function": "other", "terms": [1]}
        failure = {"errorType": "E", "errorMessage": "no"}
        for status, document, expected in [
            ("502 Bad Gateway", failure, {"failed": "other failed: E: no"}),
            ("503 Service Unavailable", failure, {"refused": "no"}),
            ("400 Bad Request", "no JSON of an error", {"refused": '"no JSON of an error"'}),
        ]:
            program.begin_call(json.dumps(wish).encode())
            asked = program.request()
            self.assertEqual((asked.method, asked.path), ("POST", "/2018-06-01/runtime/invocation/one/calls/other"))
            self.assertEqual((json.loads(asked.body), asked.headers["content-type"]), (wish, "application/json"))
            body = json.dumps(document).encode()
            program.respond(f"HTTP/1.1 {status}\nContent-Length: {len(body)}\n", body)
            self.assertEqual(json.loads(program.take_reply().body), expected)

    def test_a_name_that_is_another_path_is_not_asked_for(self):
        program = self.program("ask")
        answer = program.call(json.dumps({"function": "../init/error?", "terms": []}).encode())
        self.assertIn("cannot be the name of a function", json.loads(answer.body)["refused"])

    def test_a_function_that_cannot_be_made_says_so_and_ends(self):
        program = self.program("unwilling")
        told = program.request()
        self.assertEqual(told.path, "/2018-06-01/runtime/init/error")
        self.assertEqual(json.loads(told.body)["errorMessage"], "not today")
        program.respond("HTTP/1.1 202 Accepted\nContent-Length: 0\n")
        self.assertEqual(program.process.wait(10), 1)

    def test_a_response_that_is_no_http_ends_the_program(self):
        program = self.program("sum")
        program.request()
        program.respond("HTTP/1.1 200 OK\nContent-Length: -4\n")
        self.assertEqual(program.process.wait(10), 1)
        self.assertEqual(program.printed(), "the response has a Content-Length of -4\n")


if __name__ == "__main__":
    unittest.main()
