"""trees.py PLACE [--write]: answers the rows `trees` of `thaw-bench kernels --rivals`, one JSON object a line.

    {"batch": 1, "sweeps": 3}  ->  {"nanoseconds": [ … of a call, one for each sweep … ], "scores": [ … ]}

With --write it makes PLACE/trees.onnx, 500 full trees of depth 8 over 50 features with random thresholds, and PLACE/rows.f32, 1,000
random rows. A sweep goes over all of them, `batch` rows a call. ONNX Runtime, one thread.
"""

import json
import sys
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper

TREES, DEPTH, FEATURES, ROWS = 500, 8, 50, 1000
place = sys.argv[1]


def write():
    random = numpy.random.default_rng(7)
    branches = 2**DEPTH - 1
    nodes = numpy.arange(2 * branches + 1)
    leaf = nodes >= branches
    count = TREES * len(nodes)
    tree = numpy.repeat(numpy.arange(TREES), len(nodes))
    node = numpy.tile(nodes, TREES)
    is_leaf = numpy.tile(leaf, TREES)
    values = numpy.where(is_leaf, 0, random.standard_normal(count)).astype(numpy.float32)
    regressor = helper.make_node(
        "TreeEnsembleRegressor", ["rows"], ["scores"], domain="ai.onnx.ml", n_targets=1,
        nodes_treeids=tree.tolist(), nodes_nodeids=node.tolist(), nodes_values=values.tolist(),
        nodes_featureids=numpy.where(is_leaf, 0, random.integers(FEATURES, size=count)).tolist(),
        nodes_modes=numpy.where(is_leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_truenodeids=numpy.where(is_leaf, 0, 2 * node + 1).tolist(),
        nodes_falsenodeids=numpy.where(is_leaf, 0, 2 * node + 2).tolist(),
        target_treeids=tree[is_leaf].tolist(), target_nodeids=node[is_leaf].tolist(),
        target_ids=[0] * int(is_leaf.sum()),
        target_weights=(0.01 * random.standard_normal(int(is_leaf.sum()))).astype(numpy.float32).tolist(),
    )
    graph = helper.make_graph(
        [regressor], "trees", [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", FEATURES])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 1])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), f"{place}/trees.onnx")
    random.standard_normal((ROWS, FEATURES)).astype(numpy.float32).tofile(f"{place}/rows.f32")


def serve():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(f"{place}/trees.onnx", options, providers=["CPUExecutionProvider"])
    rows = numpy.fromfile(f"{place}/rows.f32", dtype=numpy.float32).reshape(ROWS, FEATURES)
    for line in sys.stdin:
        order = json.loads(line)
        calls = [{"rows": part} for part in numpy.split(rows, ROWS // order["batch"])]
        times = []
        for _ in range(order["sweeps"]):
            begin = time.perf_counter_ns()
            scores = [session.run(None, call)[0] for call in calls]
            times.append((time.perf_counter_ns() - begin) / len(calls))
        flat = numpy.concatenate(scores).reshape(-1).astype(float).tolist()
        print(json.dumps({"nanoseconds": times, "scores": flat}), flush=True)


write() if "--write" in sys.argv else serve()
