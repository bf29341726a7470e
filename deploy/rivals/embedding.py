"""What both rivals serve: a text's embedding by ONNX Runtime, the same model and tokenizer as functions/embed."""

import os

import numpy
import onnxruntime
import tokenizers

place = os.environ["RIVAL_PLACE"]
tokenizer = tokenizers.Tokenizer.from_file(f"{place}/tokenizer.json")
# One text at a time needs no filling up to a common length.
tokenizer.no_padding()
options = onnxruntime.SessionOptions()
# One thread a call, as ours has.
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(f"{place}/model.onnx", options, providers=["CPUExecutionProvider"])


def embed(text: str) -> list[float]:
    ids = numpy.array([tokenizer.encode(text).ids], dtype=numpy.int64)
    return session.run(None, {"input_ids": ids})[0][0].tolist()
