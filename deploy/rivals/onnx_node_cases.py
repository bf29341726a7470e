"""Writes the node tests of the ONNX standard as files: onnx_node_cases.py DIRECTORY.

A folder a case: model.onnx, input_K.pb and output_K.pb (TensorProto, SequenceProto or OptionalProto as the model's
types say), and case.txt with the operator's name and the relative and absolute tolerance. Further data sets of a case
are folders of their own, NAME.1, NAME.2, ….
"""

import os
import sys

import numpy
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def encoded(value, info):
    if isinstance(value, onnx.TensorProto):
        return value.SerializeToString()
    kind = info.type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name).SerializeToString()
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name).SerializeToString()
    if kind == "map_type":
        return numpy_helper.from_dict(value, info.name).SerializeToString()
    return numpy_helper.from_array(numpy.asarray(value), info.name).SerializeToString()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def operator(case):
    """The operator that a case is of: its node's, or the standard's word in the name where it is written out."""
    nodes = case.model.graph.node
    names = {node.op_type: node.domain for node in nodes}
    if "_expanded" in case.name or not nodes:
        return "(written out)"
    name = nodes[-1].op_type if len(names) > 1 else next(iter(names))
    domain = names[name]
    return f"{domain}.{name}" if domain not in ("", "ai.onnx") else name


def main():
    directory = sys.argv[1]
    cases = collect_testcases(None)
    for case in cases:
        for number, (inputs, outputs) in enumerate(case.data_sets):
            name = case.name.removeprefix("test_") + (f".{number}" if number else "")
            folder = os.path.join(directory, name)
            os.makedirs(folder, exist_ok=True)
            graph = case.model.graph
            write(os.path.join(folder, "model.onnx"), case.model.SerializeToString())
            for place, (value, info) in enumerate(zip(inputs, graph.input)):
                write(os.path.join(folder, f"input_{place}.pb"), encoded(value, info))
            for place, (value, info) in enumerate(zip(outputs, graph.output)):
                write(os.path.join(folder, f"output_{place}.pb"), encoded(value, info))
            text = f"{operator(case)}\n{case.rtol}\n{case.atol}\n"
            write(os.path.join(folder, "case.txt"), text.encode())
    print(f"{len(cases)} cases of onnx {onnx.__version__} are in {directory}")


main()
