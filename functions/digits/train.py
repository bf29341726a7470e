#!/usr/bin/env python3
"""Trains the network of functions/digits on scikit-learn's bundled digits and exports it.

Run it in an environment with: pip install scikit-learn onnx onnxruntime

  digits.onnx      image [N, 64] float32 (0 … 16, as the data set has them) → scores [N, 10] (softmax)
  heldout.json     the first 50 images of the held-out split, with their true labels

The split (scikit-learn's default quarter, random_state=0) and the training are seeded; the held-out images are never
trained on.
"""

import json
import pathlib
import warnings

import numpy
import onnx
import onnxruntime
import scipy.ndimage
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

HERE = pathlib.Path(__file__).resolve().parent
SEED = 0
HIDDEN = 256
COPIES = 24
COMMITTED = 50
PIXEL_MAX = 16.0


def warped(images: numpy.ndarray, source: numpy.random.Generator) -> numpy.ndarray:
    """Each image turned, stretched, sheared and moved a little, as another hand would have written it.

    The ranges were chosen by cross-validation inside the training split.
    """
    squares = images.reshape(-1, 8, 8)
    count = len(squares)
    turns = numpy.deg2rad(source.uniform(-10, 10, count))
    stretches = source.uniform(0.9, 1.1, (count, 2))
    shears = source.uniform(-0.15, 0.15, count)
    moves = source.uniform(-0.6, 0.6, (count, 2))
    centre = numpy.array([3.5, 3.5])
    moved = numpy.empty_like(squares)
    for index, square in enumerate(squares):
        cosine, sine = numpy.cos(turns[index]), numpy.sin(turns[index])
        turn = numpy.array([[cosine, -sine], [sine, cosine]])
        matrix = turn @ numpy.array([[stretches[index, 0], 0], [shears[index], stretches[index, 1]]])
        offset = centre - matrix @ centre + moves[index]
        moved[index] = scipy.ndimage.affine_transform(square, matrix, offset=offset, order=1)
    return moved.reshape(-1, 64)


def exported(network: MLPClassifier) -> onnx.ModelProto:
    """The trained network as plain operators: Div, Gemm, Relu, Gemm, Softmax."""
    constants = [numpy_helper.from_array(numpy.array([PIXEL_MAX], dtype=numpy.float32), "pixelMax")]
    for layer, (weight, bias) in enumerate(zip(network.coefs_, network.intercepts_)):
        constants.append(numpy_helper.from_array(weight.astype(numpy.float32), f"weight{layer}"))
        constants.append(numpy_helper.from_array(bias.astype(numpy.float32), f"bias{layer}"))
    nodes = [
        helper.make_node("Div", ["image", "pixelMax"], ["scaled"], "scale"),
        helper.make_node("Gemm", ["scaled", "weight0", "bias0"], ["hidden"], "first"),
        helper.make_node("Relu", ["hidden"], ["active"], "activate"),
        helper.make_node("Gemm", ["active", "weight1", "bias1"], ["logits"], "second"),
        helper.make_node("Softmax", ["logits"], ["scores"], "normalise", axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 64])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 10])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="thaw-digits")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    images, labels = load_digits(return_X_y=True)
    train_images, held_images, train_labels, held_labels = train_test_split(images, labels, random_state=SEED)
    source = numpy.random.default_rng(SEED)
    inputs = numpy.concatenate([train_images] + [warped(train_images, source) for _ in range(COPIES)])
    targets = numpy.tile(train_labels, COPIES + 1)
    network = MLPClassifier((HIDDEN,), alpha=1e-3, max_iter=20, random_state=SEED)
    with warnings.catch_warnings():
        # Twenty passes over 25 copies are what the cross-validation was done with; it says so each time.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(inputs / PIXEL_MAX, targets)

    model = exported(network)
    path = HERE / "digits.onnx"
    path.write_bytes(model.SerializeToString())

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    scores = session.run(["scores"], {"image": held_images.astype(numpy.float32)})[0]
    right = scores.argmax(axis=1) == held_labels
    print(f"{path.name}: {path.stat().st_size} bytes")
    print(f"held-out accuracy: {right.sum()} of {right.size} ({right.mean():.4f})")
    print(f"of the first {COMMITTED}: {right[:COMMITTED].sum()}")

    rows = [
        {"image": [int(pixel) for pixel in image], "label": int(label)}
        for image, label in zip(held_images[:COMMITTED], held_labels[:COMMITTED])
    ]
    (HERE / "heldout.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
