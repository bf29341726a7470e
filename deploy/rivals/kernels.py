"""kernels.py PLACE: answers `thaw-bench kernels --rivals`, one JSON object a line.

    {"rival": "onnxruntime f32", "ids": [[101, …, 102]], "calls": 20}
 -> {"nanoseconds": [ … one for each call … ], "embedding": [ … ], "variant": "fused"}

Token ids in, the normalised embedding out, one thread, no mask and no padding, the shape fixed where the rival can use that. Where a
rival can be set up in several ways (as exported or fused beforehand, quantised by tensor or by column) the fastest on these very
ids is taken.
"""

import json
import sys
import time

import numpy

place = sys.argv[1]


def onnxruntime_session(file):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(f"{place}/{file}.onnx", options, providers=["CPUExecutionProvider"])
    return lambda ids: session.run(None, {"input_ids": ids})[0]


def openvino_request(precision, shape):
    import openvino

    core = openvino.Core()
    model = core.read_model(f"{place}/model.onnx")
    model.reshape(shape)
    compiled = core.compile_model(
        model,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        },
    )
    request, output = compiled.create_infer_request(), compiled.output(0)

    def run(ids):
        # Neither input nor output is copied more than it must be.
        request.infer([ids], share_inputs=True)
        return request.get_tensor(output).data

    return run


def variants(rival, shape):
    match rival:
        case "onnxruntime f32":
            return {file: onnxruntime_session(file) for file in ("model", "fused")}
        case "onnxruntime int8":
            files = ("model-int8", "model-int8-channel", "fused-int8", "fused-int8-channel")
            return {file: onnxruntime_session(file) for file in files}
        case "openvino f32":
            return {"static": openvino_request("f32", shape)}
        case "openvino bf16":
            return {"static": openvino_request("bf16", shape)}
    raise SystemExit(f"kernels.py: there is no rival {rival}")


def measure(run, ids, calls):
    times = []
    for _ in range(calls):
        begin = time.perf_counter_ns()
        run(ids)
        times.append(time.perf_counter_ns() - begin)
    return times


chosen = {}
for line in sys.stdin:
    order = json.loads(line)
    ids = numpy.array(order["ids"], dtype=numpy.int64)
    key = (order["rival"], ids.shape)
    if key not in chosen:
        candidates = variants(order["rival"], list(ids.shape))
        speeds = {}
        for name, run in candidates.items():
            measure(run, ids, 5)
            speeds[name] = min(measure(run, ids, 20))
        best = min(speeds, key=speeds.get)
        chosen[key] = (best, candidates[best])
    variant, run = chosen[key]
    times = measure(run, ids, order["calls"])
    embedding = numpy.asarray(run(ids)).reshape(-1).astype(float).tolist()
    print(json.dumps({"nanoseconds": times, "embedding": embedding, "variant": variant}), flush=True)
