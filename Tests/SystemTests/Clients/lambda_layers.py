"""Gives a Python function layers through the Lambda API with stock boto3, replaces one and deletes one.

usage: lambda_layers.py URL ACCESS_KEY SECRET_KEY
"""

import io
import json
import sys
import zipfile

import boto3
from botocore.config import Config

url, access_key, secret_key = sys.argv[1:4]
lam = boto3.client(
    "lambda", endpoint_url=url, region_name="us-east-1", aws_access_key_id=access_key, aws_secret_access_key=secret_key,
    config=Config(retries={"max_attempts": 1, "mode": "standard"}))

HANDLER = '''
import os, subprocess, sys
import greeting, packaged

def handler(event, context):
    path = sys.path
    return {
        "word": greeting.WORD, "packaged": packaged.WORD, "data": open("/opt/data.txt").read(),
        "tool": subprocess.run(["tool"], capture_output=True, text=True).stdout,
        "libraries": os.environ["LD_LIBRARY_PATH"].split(":"),
        "is_after": path.index("/var/task") < path.index("/opt/python"),
    }
'''


def archive(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = (0o100755 if path.startswith("bin/") else 0o100644) << 16
            archive.writestr(member, text)
    return out.getvalue()


def layer(name, files):
    return lam.publish_layer_version(LayerName=name, Content={"ZipFile": archive(files)})["LayerVersionArn"]


def updated(**settings):
    lam.update_function_configuration(FunctionName="layered", **settings)
    lam.get_waiter("function_updated_v2").wait(FunctionName="layered")


def said(**more):
    reply = lam.invoke(FunctionName="layered", Payload=b"{}", **more)
    body = json.load(reply["Payload"])
    assert "FunctionError" not in reply, body
    return body


first = layer("words", {
    "python/greeting.py": "WORD = 'one'", "data.txt": "first", "bin/tool": "#!/bin/sh\necho from the layer",
    "python/lib/python3.12/site-packages/packaged.py": "WORD = 'site'"})
second = layer("more", {"data.txt": "over it"})
lam.create_function(
    FunctionName="layered", Runtime="python3.12", Role="arn:aws:iam::000000000000:role/any", Handler="app.handler",
    Code={"ZipFile": archive({"app.py": HANDLER})}, Timeout=10, MemorySize=256, Layers=[first])
lam.get_waiter("function_active_v2").wait(FunctionName="layered")
answer = said()
assert answer["word"] == "one" and answer["packaged"] == "site" and answer["data"] == "first", answer
assert answer["tool"] == "from the layer\n" and "/opt/lib" in answer["libraries"] and answer["is_after"], answer
shown = lam.get_function_configuration(FunctionName="layered")["Layers"]
assert shown[0]["Arn"] == first and shown[0]["CodeSize"] > 100, shown
print("layer: passed")

updated(Layers=[first, second])
assert said()["data"] == "over it"
updated(Layers=[second, first])
assert said()["data"] == "first"
print("order: passed")

lam.publish_version(FunctionName="layered")
changed = layer("words", {
    "python/greeting.py": "WORD = 'two'", "data.txt": "changed", "bin/tool": "#!/bin/sh\necho",
    "python/lib/python3.12/site-packages/packaged.py": "WORD = 'site'"})
assert said()["word"] == "one", "a version of a layer never changes"
updated(Layers=[changed])
assert said()["word"] == "two" and said(Qualifier="1")["word"] == "one"
print("replaced: passed")

lam.delete_layer_version(LayerName="words", VersionNumber=2)
assert said()["word"] == "two"
lam.update_function_code(FunctionName="layered", ZipFile=archive({"app.py": HANDLER + "\n# again"}))
lam.get_waiter("function_updated_v2").wait(FunctionName="layered")
assert said()["word"] == "two", "what a function has, it keeps"
print("deleted: passed")

try:
    updated(Layers=[changed])
    raise SystemExit("a layer that is gone was taken")
except lam.exceptions.InvalidParameterValueException as error:
    assert f"Layer version {changed} does not exist." in str(error), error
assert said()["word"] == "two"
updated(Layers=[])
failed = json.load(lam.invoke(FunctionName="layered", Payload=b"{}")["Payload"])
assert "Runtime.ImportModuleError" in failed["errorMessage"] and "'greeting'" in failed["errorMessage"], failed
lam.delete_function(FunctionName="layered")
print("ends: passed")
