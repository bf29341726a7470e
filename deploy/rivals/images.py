"""images.py PLACE: answers the image rows of `thaw-bench kernels --rivals`, one JSON object a line.

    {"network": "resnet50", "calls": 20}  ->  {"nanoseconds": [ … one for each call … ], "logits": [ … ]}

ONNX Runtime with all optimisations on, one thread, over PLACE/image.f32.
"""

import json
import sys
import time

import numpy
import onnxruntime

place = sys.argv[1]
image = numpy.fromfile(f"{place}/image.f32", dtype=numpy.float32).reshape(1, 3, 224, 224)
sessions = {}


def session(network):
    if network not in sessions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        sessions[network] = onnxruntime.InferenceSession(
            f"{place}/{network}.onnx", options, providers=["CPUExecutionProvider"]
        )
    return sessions[network]


for line in sys.stdin:
    order = json.loads(line)
    run = session(order["network"]).run
    times = []
    for _ in range(order["calls"]):
        begin = time.perf_counter_ns()
        logits = run(None, {"image": image})[0]
        times.append(time.perf_counter_ns() - begin)
    print(json.dumps({"nanoseconds": times, "logits": logits.reshape(-1).astype(float).tolist()}), flush=True)
