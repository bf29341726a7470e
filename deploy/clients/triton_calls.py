"""The stock Triton client over HTTP: every method of InferenceServerClient."""

import json
import pathlib
import urllib.parse

import numpy
import tritonclient.http as http
from saying import answers, refuses, token, url
from tritonclient.utils import InferenceServerException

client = http.InferenceServerClient(urllib.parse.urlparse(url).netloc)
headers = {"Authorization": f"Bearer {token}"} if token else None
root = pathlib.Path(__file__).resolve().parents[2]


def call(name: str, *arguments, check=lambda answer: True, **options):
    shown = ", ".join([repr(argument) for argument in arguments] + [f"{key}={value!r}" for key, value in options.items()])
    act = lambda: getattr(client, name)(*arguments, headers=headers, **options)  # noqa: E731
    return answers(f"{name}({shown})", act, check)


def refused(name: str, *arguments, words: str, **options) -> None:
    act = lambda: getattr(client, name)(*arguments, headers=headers, **options)  # noqa: E731
    refuses(f"{name}({', '.join(map(repr, arguments))})", act, InferenceServerException, words)


call("is_server_live", check=bool)
call("is_server_ready", check=bool)
call("is_model_ready", "embed", check=bool)
call("is_model_ready", "nobody", check=lambda ready: not ready)
call("get_server_metadata", check=lambda server: server["name"] == "thaw")
call("get_model_metadata", "embed", check=lambda model: model["inputs"][0]["datatype"] == "BYTES")
call("get_model_metadata", "digits", "1", check=lambda model: model["inputs"][0]["shape"] == [-1, 64])
refused("get_model_metadata", "nobody", words="nobody")
call("get_model_config", "digits", check=lambda config: config["input"][0]["data_type"] == "TYPE_FP32")
call("get_model_repository_index", check=lambda index: {"embed", "digits"} <= {entry["name"] for entry in index})
call("load_model", "embed")
call("is_model_ready", "embed", check=bool)


def infer(note: str, *arguments, check=lambda result: True, **options):
    result = client.infer(*arguments, headers=headers, **options)
    answers(f"infer({arguments[0]!r}, …)  # {note}", result.get_response, lambda _: check(result))
    return result


texts = http.InferInput("text", [2], "BYTES")
texts.set_data_from_numpy(numpy.array(["hello world", "goodbye"], dtype=object))
embedded = infer(
    "texts in binary, floats in binary",
    "embed",
    [texts],
    request_id="7",
    check=lambda result: result.as_numpy("embedding").shape == (2, 384) and result.get_response()["id"] == "7",
).as_numpy("embedding")
texts.set_data_from_numpy(numpy.array(["hello world", "goodbye"], dtype=object), binary_data=False)
same = lambda result: numpy.abs(result.as_numpy("embedding") - embedded).max() < 1e-6  # noqa: E731
infer("texts as JSON", "embed", [texts], check=same)
as_json = [http.InferRequestedOutput("embedding", binary_data=False)]
infer("floats as JSON", "embed", [texts], outputs=as_json, check=same)

request = json.loads((root / "functions/digits/request.json").read_text())["image"]
image = http.InferInput("image", [1, 64], "FP32")
image.set_data_from_numpy(numpy.array([request], dtype=numpy.float32))
scores = infer("numbers in binary", "digits", [image], model_version="1").as_numpy("scores")
best = int(scores[0].argmax())
same = lambda result: numpy.array_equal(result.as_numpy("scores"), scores)  # noqa: E731
for algorithm in ("gzip", "deflate"):
    infer(
        f"compressed with {algorithm}",
        "digits",
        [image],
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
        check=same,
    )
infer("priority and timeout", "digits", [image], priority=1, timeout=1_000_000, check=same)
infer(
    "the three best classes",
    "digits",
    [image],
    outputs=[http.InferRequestedOutput("scores", class_count=3)],
    check=lambda result: result.as_numpy("scores").shape == (1, 3)
    and int(result.as_numpy("scores")[0][0].split(b":")[1]) == best,
)
batch = http.InferInput("image", [5, 64], "FP32")
batch.set_data_from_numpy(numpy.array([request] * 5, dtype=numpy.float32))
infer("five examples", "digits", [batch], check=lambda result: result.as_numpy("scores").shape == (5, 10))
future = client.async_infer("digits", [image], headers=headers)
answers("async_infer('digits', …)", lambda: future.get_result().get_response())
body, length = client.generate_request_body([image], outputs=[http.InferRequestedOutput("scores")])
answers("generate_request_body([image])", lambda: f"{len(body)} bytes, {length} of them JSON", lambda _: length)

wrong = http.InferInput("image", [1, 3], "FP32")
wrong.set_data_from_numpy(numpy.zeros((1, 3), dtype=numpy.float32))
refused("infer", "digits", [wrong], words="shape [1, 3]")
refused("infer", "nobody", [image], words="nobody")
refused("infer", "digits", [image], words="no state", sequence_id=5)

call("get_inference_statistics", "digits", check=lambda stats: stats["model_stats"][0]["inference_count"] >= 5)
call("get_inference_statistics", check=lambda stats: len(stats["model_stats"]) >= 2)
call("unload_model", "embed")

# What this node does not do, it says.
refused("get_trace_settings", words="/v2/trace/setting")
refused("update_trace_settings", words="/v2/trace/setting")
refused("get_trace_settings", "embed", words="/trace/setting")
refused("get_log_settings", words="/v2/logging")
refused("update_log_settings", {}, words="/v2/logging")
refused("get_system_shared_memory_status", words="/v2/systemsharedmemory")
refused("register_system_shared_memory", "region", "/key", 64, words="/v2/systemsharedmemory")
refused("unregister_system_shared_memory", words="/v2/systemsharedmemory")
refused("get_cuda_shared_memory_status", words="/v2/cudasharedmemory")
refused("register_cuda_shared_memory", "region", b"handle", 0, 64, words="/v2/cudasharedmemory")
refused("unregister_cuda_shared_memory", words="/v2/cudasharedmemory")
client.close()
