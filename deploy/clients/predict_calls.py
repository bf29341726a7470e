"""POST /predict/{name} as somebody who comes from FastAPI would call it: the standard library is enough."""

import json
import pathlib
import urllib.error
import urllib.request

from saying import answers, show, token, url

root = pathlib.Path(__file__).resolve().parents[2]


def post(name: str, body) -> tuple[int, dict]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/predict/{name}", data, {"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def call(name: str, body, check) -> None:
    shown = str(body) if len(str(body)) < 80 else str(body)[:80] + " …"
    answers(f"POST /predict/{name} {shown}", lambda: post(name, body), lambda answer: check(*answer))


def is_fault(kind: str, *loc):
    return lambda status, body: status == 422 and body["detail"][0]["loc"] == ["body", *loc] and body["detail"][0]["type"] == kind


image = json.loads((root / "functions/digits/request.json").read_text())["image"]
call("embed", {"text": "hello"}, lambda status, body: status == 200 and len(body["embedding"]) == 384)
call("embed", {"inputs": ["hello", "world"]}, lambda status, body: status == 200 and len(body["embedding"]) == 2)
call("digits", {"image": image}, lambda status, body: status == 200 and len(body["scores"]) == 10 and "label" in body)
call("digits", {"inputs": {"image": [image, image]}}, lambda status, body: status == 200 and len(body["labels"]) == 2)
call("embed", {"txet": "hello"}, is_fault("missing", "text"))
call("digits", {"image": [1, 2, 3]}, is_fault("value_error", "image"))
call("digits", b"{", is_fault("json_invalid"))
call("nobody", {}, lambda status, body: status == 404 and isinstance(body["detail"], str))
show("all of them", "as they should be")
