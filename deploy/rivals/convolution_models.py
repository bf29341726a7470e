"""Writes ResNet-50 and MobileNetV2 with random weights as ONNX files, in the shape that exporters give them, and an image.

    python convolution_models.py FOLDER [--size 224] [--fold]

Each convolution is followed by a batch normalisation, as a file exported in training mode has it; with --fold the
normalisation is in the convolution's weights and bias already, as `torch.onnx.export` leaves it. Weights are drawn so
that activations keep their size from layer to layer (He et al., 2015), from one seed.
"""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    """A graph that grows node by node; each method takes and returns a value's name."""

    def __init__(self, name: str, size: int, fold: bool, seed: int = 7) -> None:
        self.name, self.size, self.fold = name, size, fold
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.count = 0

    def constant(self, array: np.ndarray) -> str:
        self.count += 1
        name = f"w{self.count}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operator: str, inputs: list[str], **attributes) -> str:
        self.count += 1
        name = f"v{self.count}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=f"{operator}_{self.count}", **attributes))
        return name

    def convolution(
        self, x: str, channels_in: int, channels_out: int, kernel: int, stride: int = 1, group: int = 1,
        gain: float = 2.0,
    ) -> str:
        inner = channels_in // group * kernel * kernel
        shape = (channels_out, channels_in // group, kernel, kernel)
        weights = (self.random.standard_normal(shape) * np.sqrt(gain / inner)).astype(np.float32)
        shift = (self.random.standard_normal(channels_out) * 0.1).astype(np.float32)
        settings = dict(
            kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[kernel // 2] * 4, group=group,
            dilations=[1, 1],
        )
        if self.fold:
            return self.node("Conv", [x, self.constant(weights), self.constant(shift)], **settings)
        y = self.node("Conv", [x, self.constant(weights)], **settings)
        one = lambda spread: (1 + spread * self.random.standard_normal(channels_out)).astype(np.float32)
        parameters = [one(0.05), shift, (0.1 * self.random.standard_normal(channels_out)).astype(np.float32)]
        parameters.append(np.abs(one(0.05)))
        return self.node("BatchNormalization", [y] + [self.constant(p) for p in parameters], epsilon=1e-5)

    def linear(self, x: str, inner: int, columns: int) -> str:
        weights = (self.random.standard_normal((columns, inner)) / np.sqrt(inner)).astype(np.float32)
        bias = np.zeros(columns, np.float32)
        return self.node("Gemm", [x, self.constant(weights), self.constant(bias)], transB=1)

    def write(self, folder: pathlib.Path, output: str) -> None:
        shape = [1, 3, self.size, self.size]
        graph = helper.make_graph(
            self.nodes + [helper.make_node("Identity", [output], ["logits"])], self.name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1000])], self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, folder / f"{self.name}.onnx")


def resnet50(folder: pathlib.Path, size: int, fold: bool) -> None:
    net = Network("resnet50", size, fold)
    x = net.node("Relu", [net.convolution("image", 3, 64, 7, 2)])
    x = net.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = x
            if block == 0:
                shortcut = net.convolution(x, channels, width * 4, 1, stride, gain=0.5)
            y = net.node("Relu", [net.convolution(x, channels, width, 1)])
            y = net.node("Relu", [net.convolution(y, width, width, 3, stride)])
            y = net.convolution(y, width, width * 4, 1, gain=0.5)
            x = net.node("Relu", [net.node("Add", [y, shortcut])])
            channels = width * 4
    x = net.node("Flatten", [net.node("GlobalAveragePool", [x])])
    net.write(folder, net.linear(x, channels, 1000))


def mobilenetv2(folder: pathlib.Path, size: int, fold: bool) -> None:
    net = Network("mobilenetv2", size, fold)
    bounds = [net.constant(np.array(bound, np.float32)) for bound in (0, 6)]
    relu6 = lambda x: net.node("Clip", [x] + bounds)
    x = relu6(net.convolution("image", 3, 32, 3, 2))
    channels = 32
    settings = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, width, blocks, first_stride in settings:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            inner = channels * expansion
            y = x if expansion == 1 else relu6(net.convolution(x, channels, inner, 1))
            y = relu6(net.convolution(y, inner, inner, 3, stride, group=inner))
            y = net.convolution(y, inner, width, 1, gain=1.0)
            x = net.node("Add", [x, y]) if stride == 1 and channels == width else y
            channels = width
    x = relu6(net.convolution(x, channels, 1280, 1))
    x = net.node("Flatten", [net.node("GlobalAveragePool", [x])])
    net.write(folder, net.linear(x, 1280, 1000))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--fold", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    resnet50(options.folder, options.size, options.fold)
    mobilenetv2(options.folder, options.size, options.fold)
    image = np.random.default_rng(1).standard_normal((1, 3, options.size, options.size)).astype(np.float32)
    image.tofile(options.folder / "image.f32")
