"""export.py MODEL OUTPUT: a sentence-transformers BERT encoder as ONNX, with mean pooling and normalisation inside.

The graph is written by hand from the published architecture, so that no deep-learning framework has to be installed; one text at a
time, so that there is no mask. Attention is written as plain MatMul and Softmax: ONNX Runtime fuses what it can.
"""

import json
import struct
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

folder, output = sys.argv[1:3]
config = json.load(open(f"{folder}/config.json"))
hidden, heads = config["hidden_size"], config["num_attention_heads"]
epsilon = config["layer_norm_eps"]

with open(f"{folder}/model.safetensors", "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    index = json.loads(file.read(length))
    data = file.read()

nodes, initializers = [], []


def weight(name):
    entry = index[name]
    if entry["dtype"] != "F32":
        raise SystemExit(f"export.py: {name} is {entry['dtype']}; only F32 is read")
    begin, end = entry["data_offsets"]
    return numpy.frombuffer(data[begin:end], dtype=numpy.float32).reshape(entry["shape"])


def constant(name, array):
    initializers.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
    return name


def add(kind, inputs, name, **attributes):
    nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
    return name


def linear(value, source, name):
    product = add("MatMul", [value, constant(f"{name}.w", weight(f"{source}.weight").T)], f"{name}.product")
    return add("Add", [product, constant(f"{name}.b", weight(f"{source}.bias"))], name)


def norm(value, source, name):
    scale = constant(f"{name}.scale", weight(f"{source}.weight"))
    shift = constant(f"{name}.shift", weight(f"{source}.bias"))
    return add("LayerNormalization", [value, scale, shift], name, axis=-1, epsilon=epsilon)


# [1, tokens, hidden] -> [1, heads, tokens, hidden / heads]
split = constant("split", numpy.array([0, 0, heads, hidden // heads], dtype=numpy.int64))
join = constant("join", numpy.array([0, 0, hidden], dtype=numpy.int64))


def attention(value, source, name):
    parts = {}
    for part in ("query", "key", "value"):
        projected = linear(value, f"{source}.self.{part}", f"{name}.{part}")
        shaped = add("Reshape", [projected, split], f"{name}.{part}.heads")
        order = [0, 2, 3, 1] if part == "key" else [0, 2, 1, 3]
        parts[part] = add("Transpose", [shaped], f"{name}.{part}.turned", perm=order)
    scores = add("MatMul", [parts["query"], parts["key"]], f"{name}.scores")
    root = constant(f"{name}.root", numpy.array(float(hidden // heads) ** 0.5, dtype=numpy.float32))
    shares = add("Softmax", [add("Div", [scores, root], f"{name}.scaled")], f"{name}.shares", axis=-1)
    mixed = add("MatMul", [shares, parts["value"]], f"{name}.mixed")
    joined = add("Reshape", [add("Transpose", [mixed], f"{name}.back", perm=[0, 2, 1, 3]), join], f"{name}.joined")
    return linear(joined, f"{source}.output.dense", f"{name}.dense")


def gelu(value, name):
    half = constant(f"{name}.half", numpy.array(0.5, dtype=numpy.float32))
    one = constant(f"{name}.one", numpy.array(1, dtype=numpy.float32))
    root = constant(f"{name}.root", numpy.array(2**0.5, dtype=numpy.float32))
    error = add("Erf", [add("Div", [value, root], f"{name}.scaled")], f"{name}.erf")
    return add("Mul", [add("Mul", [value, add("Add", [error, one], f"{name}.plus")], f"{name}.times"), half], name)


words = add("Gather", [constant("words", weight("embeddings.word_embeddings.weight")), "input_ids"], "word")
shape = add("Shape", ["input_ids"], "shape")
count = add("Slice", [shape, constant("1", numpy.array([1])), constant("2", numpy.array([2]))], "count")
zero = constant("0", numpy.array([0]))
places = constant("places", weight("embeddings.position_embeddings.weight"))
place = add("Slice", [places, zero, count, zero], "place")
kind = constant("kind", weight("embeddings.token_type_embeddings.weight")[0])
summed = add("Add", [add("Add", [words, place], "placed"), kind], "summed")
value = norm(summed, "embeddings.LayerNorm", "embedded")
for layer in range(config["num_hidden_layers"]):
    source, name = f"encoder.layer.{layer}", f"layer{layer}"
    seen = add("Add", [attention(value, f"{source}.attention", f"{name}.attention"), value], f"{name}.seen")
    seen = norm(seen, f"{source}.attention.output.LayerNorm", f"{name}.seen.norm")
    wide = gelu(linear(seen, f"{source}.intermediate.dense", f"{name}.wide"), f"{name}.gelu")
    back = add("Add", [linear(wide, f"{source}.output.dense", f"{name}.narrow"), seen], f"{name}.back")
    value = norm(back, f"{source}.output.LayerNorm", f"{name}.norm")
mean = add("ReduceMean", [value, constant("tokens", numpy.array([1]))], "mean", keepdims=0)
add("LpNormalization", [mean], "embedding", axis=-1, p=2)

graph = helper.make_graph(
    nodes,
    "encoder",
    [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])],
    [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, hidden])],
    initializers,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
onnx.checker.check_model(model)
onnx.save(model, output)
