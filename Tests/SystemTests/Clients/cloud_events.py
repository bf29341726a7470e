"""CloudEvents between a node and the stock SDK for Python, in both directions.

usage: cloud_events.py send URL    sends events in all modes to the function "seen", which echoes
       cloud_events.py read        reads messages from standard input, one JSON document a line, and prints what they hold

Ends with status 1 at the first thing that is not as the specification has it.
"""

import datetime
import json
import sys
import urllib.error
import urllib.request

from cloudevents.core.bindings.http import HTTPMessage, from_http, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

FORMAT = JSONFormat()


def request(url, method, path, headers, body=None):
    asked = urllib.request.Request(url + path, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def event(number, data, **more):
    return CloudEvent(
        {"id": f"n{number}", "source": "/tests", "type": "com.example.test", "specversion": "1.0",
         "time": datetime.datetime(2026, 2, 26, 11, 7, 30, tzinfo=datetime.timezone.utc), **more}, data)


def send(url):
    events = [
        event(1, {"a": [1, "é"]}, datacontenttype="application/json", subject="Euro € 100% \"x\""),
        event(2, "some text", datacontenttype="text/plain"),
        event(3, b"\x00\x01\xff", datacontenttype="application/octet-stream"),
    ]
    for made in events:
        for mode in (to_binary, to_structured):
            message = mode(made, FORMAT)
            status, _, body = request(url, "POST", "/functions/seen/events", message.headers, message.body)
            assert status == 202, (status, body)
            [row] = json.loads(body)["events"]
            assert row["id"] == made.get_id() and row["source"] == "/tests", row
            # The second mode brings the same event again.
            assert row["isKnown"] == (mode is to_structured), row
    print("modes: passed")

    documents = [json.loads(to_structured(event(number, {"n": number}), FORMAT).body) for number in range(3, 8)]
    batch = {"Content-Type": "application/cloudevents-batch+json"}
    status, _, body = request(url, "POST", "/functions/seen/events", batch, json.dumps(documents).encode())
    rows = json.loads(body)["events"]
    assert status == 202 and [row["isKnown"] for row in rows] == [True, False, False, False, False], rows
    broken = documents + [{"id": "x"}]
    status, _, body = request(url, "POST", "/functions/seen/events", batch, json.dumps(broken).encode())
    assert status == 400 and b"event 5 of the batch" in body, body
    print("batch: passed")

    # A call that is waited for takes events as they are, and an echo brings them back.
    for mode in (to_structured, to_binary):
        message = mode(events[0], FORMAT)
        status, headers, body = request(url, "POST", "/functions/seen/invocations", message.headers, message.body)
        assert status == 200 and body == message.body, (status, body)
        if mode is to_structured:
            back = from_http(HTTPMessage({"content-type": headers["Content-Type"]}, body), FORMAT)
            assert back.get_attributes() == events[0].get_attributes() and back.get_data() == events[0].get_data()
    print("calls: passed")

    asks = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}
    status, headers, _ = request(url, "OPTIONS", "/functions/seen/events", asks)
    assert status == 200 and headers["WebHook-Allowed-Origin"] == "eventemitter.example.com", headers
    assert headers["WebHook-Allowed-Rate"] == "*" and "POST" in headers["Allow"], headers
    for path, headers, expected in [
        ("/functions/none/events", to_binary(events[0], FORMAT).headers, 404),
        ("/functions/seen/events", {"Content-Type": "application/cloudevents+avro"}, 415),
        ("/functions/seen/events", {"Content-Type": "application/json"}, 415),
    ]:
        status, _, body = request(url, "POST", path, headers, b"{}")
        assert status == expected, (path, status, body)
    print("handshake: passed")
    print("ends: passed")


def read():
    for line in sys.stdin:
        message = json.loads(line)
        body = bytes(message["body"])
        found = from_http(HTTPMessage(message["headers"], body), FORMAT)
        data = found.get_data()
        attributes = {name: str(value) for name, value in found.get_attributes().items()}
        print(json.dumps({"attributes": attributes, "data": data.hex() if isinstance(data, bytes) else data}))


if sys.argv[1] == "send":
    send(sys.argv[2])
else:
    read()
