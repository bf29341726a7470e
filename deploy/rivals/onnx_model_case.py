"""Makes a case of `thaw-bench graph` of a real ONNX model: onnx_model_case.py MODEL FOLDER [NAME=SIZE …] [input:NAME=HIGH …] [value:NAME=NUMBER …]

Writes FOLDER/model.onnx with its external data, inputs from one seed (floats around 0, integers from 0 to HIGH - 1, 2 by
default), and what ONNX Runtime answers on one thread. Open dimensions are 1, or what NAME=SIZE says of a symbol or of
`INPUT.PLACE`; value:NAME gives all of an input. Prints the best time of a call.
"""

import os
import shutil
import sys
import time

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper

TYPES = {
    "tensor(float)": numpy.float32, "tensor(double)": numpy.float64, "tensor(float16)": numpy.float16,
    "tensor(int64)": numpy.int64, "tensor(int32)": numpy.int32, "tensor(int8)": numpy.int8,
    "tensor(uint8)": numpy.uint8, "tensor(bool)": numpy.bool_,
}


def value(info, sizes, highs, random):
    shape = []
    for place, size in enumerate(info.shape):
        symbol = size if isinstance(size, str) else ""
        given = sizes.get(f"{info.name}.{place}", sizes.get(symbol, 1))
        shape.append(size if isinstance(size, int) else given)
    kind = TYPES[info.type]
    if numpy.issubdtype(kind, numpy.floating):
        return random.standard_normal(shape).astype(kind)
    return random.integers(0, highs.get(info.name, 2), shape).astype(kind)


def main():
    model, folder = sys.argv[1:3]
    words = [word.split("=") for word in sys.argv[3:]]
    highs = {name.removeprefix("input:"): int(text) for name, text in words if name.startswith("input:")}
    fixed = {name.removeprefix("value:"): float(text) for name, text in words if name.startswith("value:")}
    sizes = {name: int(text) for name, text in words if ":" not in name}
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(os.path.dirname(os.path.abspath(model))):
        if name.endswith((".data", ".onnx_data")):
            shutil.copy(os.path.join(os.path.dirname(os.path.abspath(model)), name), folder)
    shutil.copy(model, os.path.join(folder, "model.onnx"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    random = numpy.random.default_rng(7)
    inputs = {info.name: value(info, sizes, highs, random) for info in session.get_inputs()}
    for name, number in fixed.items():
        inputs[name] = numpy.full_like(inputs[name], number)
    outputs = session.run(None, inputs)
    best = 1e9
    for _ in range(10):
        start = time.perf_counter()
        session.run(None, inputs)
        best = min(best, time.perf_counter() - start)
    graph = onnx.load(model, load_external_data=False).graph
    for place, info in enumerate(graph.input):
        if info.name in inputs:
            with open(os.path.join(folder, f"input_{place}.pb"), "wb") as file:
                file.write(numpy_helper.from_array(inputs[info.name], info.name).SerializeToString())
    for place, (output, info) in enumerate(zip(outputs, graph.output)):
        with open(os.path.join(folder, f"output_{place}.pb"), "wb") as file:
            file.write(numpy_helper.from_array(numpy.asarray(output), info.name).SerializeToString())
    with open(os.path.join(folder, "case.txt"), "w") as file:
        file.write(f"{os.path.basename(folder)}\n1e-4\n1e-4\n")
    print(f"{os.path.basename(folder)}: ONNX Runtime {best * 1000:.3f} ms a call on one thread")


main()
