"""Runs a Python function of the author's through the Lambda API with stock boto3: create, invoke, errors, logs, versions.

usage: lambda_python.py URL ACCESS_KEY SECRET_KEY
"""

import base64
import io
import json
import os
import sys
import time
import urllib.request
import zipfile

import boto3
from botocore.config import Config

url, access_key, secret_key = sys.argv[1:4]
lam = boto3.client(
    "lambda", endpoint_url=url, region_name="us-east-1", aws_access_key_id=access_key, aws_secret_access_key=secret_key,
    config=Config(retries={"max_attempts": 1, "mode": "standard"}))

HANDLER = '''
import os, time

def handler(event, context):
    print("seen", event.get("what"))
    if event.get("what") == "raise":
        raise ValueError("told to")
    if event.get("what") == "exit":
        os._exit(3)
    if event.get("what") == "sleep":
        time.sleep(30)
    if "requestContext" in event:
        return {"statusCode": 201, "headers": {"X-Own": "yes"}, "body": event["rawPath"]}
    client = context.client_context
    return {"event": event, "arn": context.invoked_function_arn, "id": context.aws_request_id, "note": os.environ["NOTE"],
            "custom": client.custom if client else None, "left": context.get_remaining_time_in_millis()}

def other(event, context):
    return "other"

def pieces(event, context):
    for number in range(3):
        yield f"{number} "
'''


def archive(source):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("app.py", source)
    return out.getvalue()


def invoke(payload, **more):
    return lam.invoke(FunctionName="code", Payload=json.dumps(payload).encode(), **more)


lam.create_function(
    FunctionName="code", Runtime="python3.12", Role="arn:aws:iam::000000000000:role/any", Handler="app.handler",
    Code={"ZipFile": archive(HANDLER)}, Timeout=2, MemorySize=256, Environment={"Variables": {"NOTE": "one"}})
lam.get_waiter("function_active_v2").wait(FunctionName="code")

context = base64.b64encode(json.dumps({"custom": {"k": "v"}}).encode()).decode()
reply = invoke({"a": 1}, LogType="Tail", ClientContext=context)
said = json.load(reply["Payload"])
assert said["event"] == {"a": 1} and said["note"] == "one" and said["custom"] == {"k": "v"}, said
assert said["arn"] == "arn:aws:lambda:us-east-1:000000000000:function:code", said
assert said["id"] == reply["ResponseMetadata"]["RequestId"] and 0 < said["left"] <= 2000, said
print("invoke: passed")

tail = base64.b64decode(invoke({"what": "logged"}, LogType="Tail")["LogResult"]).decode()
assert "seen logged" in tail and "REPORT RequestId: " in tail, tail
print("logs: passed")

failed = invoke({"what": "raise"})
error = json.load(failed["Payload"])
assert failed["StatusCode"] == 200 and failed["FunctionError"] == "Unhandled", failed
assert error["errorType"] == "ValueError" and error["errorMessage"] == "told to" and error["stackTrace"], error
print("error: passed")

ended = invoke({"what": "exit"})
error = json.load(ended["Payload"])
assert ended["FunctionError"] == "Unhandled" and error["errorType"] == "Runtime.ExitError", error
print("exit:", error["errorMessage"])

late = invoke({"what": "sleep"})
error = json.load(late["Payload"])
assert late["FunctionError"] == "Unhandled" and error["errorType"] == "Sandbox.Timedout", error
assert error["errorMessage"].endswith("Error: Task timed out after 2.00 seconds"), error
print("timeout: passed")

lam.publish_version(FunctionName="code")
lam.update_function_configuration(FunctionName="code", Environment={"Variables": {"NOTE": "two"}})
lam.get_waiter("function_updated_v2").wait(FunctionName="code")
assert json.load(invoke({})["Payload"])["note"] == "two"
assert json.load(invoke({}, Qualifier="1")["Payload"])["note"] == "one"
lam.update_function_configuration(FunctionName="code", Handler="app.other")
lam.get_waiter("function_updated_v2").wait(FunctionName="code")
assert json.load(invoke({})["Payload"]) == "other"
print("versions: passed")

lam.update_function_configuration(FunctionName="code", Handler="app.pieces")
lam.get_waiter("function_updated_v2").wait(FunctionName="code")
events = list(lam.invoke_with_response_stream(FunctionName="code")["EventStream"])
assert [event.get("PayloadChunk", {}).get("Payload") for event in events] == [b"0 ", b"1 ", b"2 ", None], events
print("stream: passed")

HANDLER_OF_NETWORK = "import socket\n\ndef handler(event, context):\n    return [name for _, name in socket.if_nameindex()]\n"
lam.update_function_code(FunctionName="code", ZipFile=archive(HANDLER_OF_NETWORK + "\npieces = handler\n"))
lam.get_waiter("function_updated_v2").wait(FunctionName="code")
lam.update_function_configuration(FunctionName="code", Handler="app.handler")
lam.get_waiter("function_updated_v2").wait(FunctionName="code")
assert json.load(invoke({})["Payload"]) == ["lo"]
try:
    lam.update_function_configuration(FunctionName="code", Environment={"Variables": {"THAW_NETWORK": "sideways"}})
    raise SystemExit("a network that there is not was taken")
except lam.exceptions.InvalidParameterValueException as error:
    assert "THAW_NETWORK is none or egress" in str(error), error
if os.access("/usr/bin/pasta", os.X_OK):
    lam.update_function_configuration(FunctionName="code", Environment={"Variables": {"THAW_NETWORK": "egress"}})
    lam.get_waiter("function_updated_v2").wait(FunctionName="code")
    devices = json.load(invoke({})["Payload"])
    assert len(devices) == 2, devices
    lam.update_function_configuration(FunctionName="code", Environment={"Variables": {}})
    lam.get_waiter("function_updated_v2").wait(FunctionName="code")
    assert json.load(invoke({})["Payload"]) == ["lo"]
print("network: passed")

lam.create_alias(FunctionName="code", Name="live", FunctionVersion="1")
made = lam.create_function_url_config(FunctionName="code", Qualifier="live", AuthType="NONE")
lam.add_permission(FunctionName="code", Qualifier="live", StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*")
answer = urllib.request.urlopen(made["FunctionUrl"] + "a/b")
assert answer.status == 201 and answer.headers["X-Own"] == "yes" and answer.read() == b"/a/b"
print("url: passed")

BOOTSTRAP = """#!/usr/bin/python3
import os, urllib.request
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
while True:
    call = urllib.request.urlopen(base + "next")
    id, said = call.headers["Lambda-Runtime-Aws-Request-Id"], os.environ["_HANDLER"] + " " + os.environ.get("NOTE", "")
    urllib.request.urlopen(base + id + "/response", said.encode()).read()
"""
out = io.BytesIO()
with zipfile.ZipFile(out, "w") as files:
    info = zipfile.ZipInfo("bootstrap")
    info.external_attr = 0o755 << 16
    files.writestr(info, BOOTSTRAP)
lam.create_function(
    FunctionName="own", Runtime="provided.al2023", Role="arn:aws:iam::000000000000:role/any", Handler="first.handler",
    Code={"ZipFile": out.getvalue()})
lam.get_waiter("function_active_v2").wait(FunctionName="own")
invoked = lam.invoke(FunctionName="own", Payload=b"{}", LogType="Tail")
assert invoked["Payload"].read() == b"first.handler ", invoked
tail = base64.b64decode(invoked["LogResult"]).decode()
used = int(tail.split("Max Memory Used: ")[1].split()[0])
assert 5 <= used <= 128, tail
for change, expected in [({"Environment": {"Variables": {"NOTE": "n"}}}, b"first.handler n"), ({"Handler": "second"}, b"second n")]:
    lam.update_function_configuration(FunctionName="own", **change)
    lam.get_waiter("function_updated_v2").wait(FunctionName="own")
    assert lam.invoke(FunctionName="own", Payload=b"{}")["Payload"].read() == expected, change
shown = lam.get_function_configuration(FunctionName="own")
assert shown["Handler"] == "second" and shown["Environment"]["Variables"] == {"NOTE": "n"}, shown
lam.delete_function(FunctionName="own")
print("provided: passed")

lam.delete_function(FunctionName="code")
print("ends: passed")
