#!/usr/bin/env python3
"""Writes the golden set of functions/embed: what sentence-transformers itself answers for the texts of texts.py.

Run it after ../fetch, in an environment with: pip install torch sentence-transformers tokenizers

  texts.json        the texts (ASCII JSON, so that no editor changes a byte)
  ids.json          token ids of each text, special ones included, truncated as sentence_bert_config.json says (256)
  embeddings.f32    little-endian float32, [texts, 384], normalised
  check.json        every fourth of the first 64 of both, which are sentences: what `golden:` in ../function.yaml names

One text at a time (no padding), float32, one thread.
"""

import json
import os
import pathlib

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy
import sentence_transformers
import tokenizers
import torch

from texts import all_texts

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent / "model"


def reference_ids(texts: list[str], tokens_max: int) -> list[list[int]]:
    """Ids of the Hugging Face tokenizer alone, with the truncation and padding of tokenizer.json replaced."""
    tokenizer = tokenizers.Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(tokens_max)
    return [tokenizer.encode(text).ids for text in texts]


def write_check(texts: list[str], embeddings: numpy.ndarray) -> None:
    """Seven decimals: far below the tolerance, and half the file."""
    rows = range(0, 64, 4)
    inputs = ",\n".join(json.dumps(texts[row]) for row in rows)
    outputs = ",\n".join("[" + ",".join(f"{number:.7f}" for number in embeddings[row]) + "]" for row in rows)
    (HERE / "check.json").write_text(f'{{"inputs": [\n{inputs}\n],\n"outputs": [\n{outputs}\n]}}\n')


def main() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    texts = all_texts()
    model = sentence_transformers.SentenceTransformer(str(MODEL), device="cpu")
    model.eval()
    assert model.max_seq_length == 256, model.max_seq_length

    ids = reference_ids(texts, model.max_seq_length)
    embeddings = numpy.zeros((len(texts), 384), dtype="<f4")
    for row, text in enumerate(texts):
        fed = model.preprocess([text])["input_ids"][0].tolist()
        assert fed == ids[row], f"text {row}: sentence-transformers and tokenizers disagree on the ids"
        embeddings[row] = model.encode([text], batch_size=1, convert_to_numpy=True)[0]
    norms = numpy.linalg.norm(embeddings.astype("f8"), axis=1)
    assert abs(norms - 1).max() < 1e-6, "an embedding is not normalised"

    (HERE / "texts.json").write_text("[\n" + ",\n".join(json.dumps(text) for text in texts) + "\n]\n")
    (HERE / "ids.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in ids) + "\n]\n")
    (HERE / "embeddings.f32").write_bytes(embeddings.tobytes())
    write_check(texts, embeddings)
    print(f"{len(texts)} texts, {sum(map(len, ids))} ids, longest {max(map(len, ids))}")
    print(
        f"sentence-transformers {sentence_transformers.__version__}, torch {torch.__version__}, "
        f"tokenizers {tokenizers.__version__}"
    )


if __name__ == "__main__":
    main()
