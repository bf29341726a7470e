#!/usr/bin/env python3
"""Writes encoders.json: sequence classifiers of toy size and random weights, and the scores that numpy works out for them.

The forward passes are written from the papers and the tensors' names, with padded positions and one token at a time in
float64, and share nothing with Thaw. Run it in an environment with: pip install numpy
"""

import json
import math
import pathlib

import numpy as np

HIDDEN, HEADS, INNER, LAYERS, VOCABULARY, LABELS = 8, 2, 12, 2, 11, 3
rng = np.random.default_rng(7)


def draw(*shape: int) -> np.ndarray:
    return np.round(rng.normal(0, 0.5, shape), 3)


def pair(tensors: dict, name: str, rows: int, columns: int | None = None) -> None:
    tensors[f"{name}.weight"] = draw(rows, columns) if columns else np.round(1 + 0.1 * rng.normal(size=rows), 3)
    tensors[f"{name}.bias"] = draw(rows)


def names(family: str, layer: int) -> dict:
    if family == "distilbert":
        base = f"distilbert.transformer.layer.{layer}."
        return {"q": base + "attention.q_lin", "k": base + "attention.k_lin", "v": base + "attention.v_lin",
                "o": base + "attention.out_lin", "n1": base + "sa_layer_norm", "w": base + "ffn.lin1",
                "d": base + "ffn.lin2", "n2": base + "output_layer_norm"}
    base = f"{family}.encoder.layer.{layer}."
    return {"q": base + "attention.self.query", "k": base + "attention.self.key", "v": base + "attention.self.value",
            "o": base + "attention.output.dense", "n1": base + "attention.output.LayerNorm",
            "w": base + "intermediate.dense", "d": base + "output.dense", "n2": base + "output.LayerNorm"}


def make(family: str, positions: int) -> dict:
    tensors = {f"{family}.embeddings.word_embeddings.weight": draw(VOCABULARY, HIDDEN),
               f"{family}.embeddings.position_embeddings.weight": draw(positions, HIDDEN)}
    if family != "distilbert":
        tensors[f"{family}.embeddings.token_type_embeddings.weight"] = draw(2 if family == "bert" else 1, HIDDEN)
    pair(tensors, f"{family}.embeddings.LayerNorm", HIDDEN)
    for layer in range(LAYERS):
        n = names(family, layer)
        for key in "qkvo":
            pair(tensors, n[key], HIDDEN, HIDDEN)
        pair(tensors, n["n1"], HIDDEN)
        pair(tensors, n["w"], INNER, HIDDEN)
        pair(tensors, n["d"], HIDDEN, INNER)
        pair(tensors, n["n2"], HIDDEN)
    dense, out = HEADS_OF[family]
    pair(tensors, dense, HIDDEN, HIDDEN)
    pair(tensors, out, LABELS, HIDDEN)
    return tensors


HEADS_OF = {"bert": ("bert.pooler.dense", "classifier"), "roberta": ("classifier.dense", "classifier.out_proj"),
            "distilbert": ("pre_classifier", "classifier")}


def linear(tensors: dict, name: str, x: np.ndarray) -> np.ndarray:
    return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]


def norm(tensors: dict, name: str, x: np.ndarray, epsilon: float) -> np.ndarray:
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)
    return x * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def forward(family: str, t: dict, ids: list[int], epsilon: float, kind: str) -> np.ndarray:
    # RoBERTa numbers positions from padding_idx + 1 (transformers: create_position_ids_from_input_ids).
    offset = 2 if family == "roberta" else 0
    x = t[f"{family}.embeddings.word_embeddings.weight"][ids]
    x = x + t[f"{family}.embeddings.position_embeddings.weight"][[i + offset for i in range(len(ids))]]
    if family != "distilbert":
        x = x + t[f"{family}.embeddings.token_type_embeddings.weight"][0]
    x = norm(t, f"{family}.embeddings.LayerNorm", x, epsilon)
    for layer in range(LAYERS):
        n = names(family, layer)
        q, k, v = (linear(t, n[key], x) for key in "qkv")
        parts = []
        for head in range(HEADS):
            c = slice(head * HIDDEN // HEADS, (head + 1) * HIDDEN // HEADS)
            parts.append(softmax(q[:, c] @ k[:, c].T / math.sqrt(HIDDEN // HEADS)) @ v[:, c])
        x = norm(t, n["n1"], linear(t, n["o"], np.concatenate(parts, 1)) + x, epsilon)
        h = linear(t, n["w"], x)
        h = h * 0.5 * (1 + np.vectorize(math.erf)(h / math.sqrt(2)))
        x = norm(t, n["n2"], linear(t, n["d"], h) + x, epsilon)
    dense, out = HEADS_OF[family]
    pooled = linear(t, dense, x[0])
    pooled = np.maximum(pooled, 0) if family == "distilbert" else np.tanh(pooled)
    logits = linear(t, out, pooled)
    if kind == "multi_label_classification":
        return 1 / (1 + np.exp(-logits))
    return logits if kind == "regression" else softmax(logits)


def configuration(family: str, positions: int, kind: str) -> dict:
    labels = {"id2label": {"0": "bad", "1": "so-so", "2": "good"}, "problem_type": kind}
    if family == "distilbert":
        return labels | {"model_type": "distilbert", "architectures": ["DistilBertForSequenceClassification"],
                         "activation": "gelu", "dim": HIDDEN, "hidden_dim": INNER, "n_heads": HEADS,
                         "n_layers": LAYERS, "max_position_embeddings": positions, "vocab_size": VOCABULARY}
    title = {"bert": "Bert", "roberta": "Roberta"}[family]
    return labels | {"model_type": family, "architectures": [f"{title}ForSequenceClassification"],
                     "hidden_act": "gelu", "hidden_size": HIDDEN, "intermediate_size": INNER,
                     "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
                     "max_position_embeddings": positions, "vocab_size": VOCABULARY, "pad_token_id": 1,
                     "type_vocab_size": 2 if family == "bert" else 1, "layer_norm_eps": 1e-5}


def main() -> None:
    models = []
    for family, positions, kind in [("bert", 9, "single_label_classification"), ("roberta", 11, "multi_label_classification"),
                                    ("distilbert", 9, "regression")]:
        tensors = make(family, positions)
        epsilon = 1e-12 if family == "distilbert" else 1e-5
        texts = [[2, 5, 6, 3], [2, 3], [2, 7, 8, 9, 10, 4, 5, 6, 3]]
        models.append({
            "config": configuration(family, positions, kind),
            "tensors": {name: {"shape": list(t.shape), "floats": t.ravel().tolist()} for name, t in tensors.items()},
            "texts": texts,
            "scores": [forward(family, tensors, ids, epsilon, kind).tolist() for ids in texts],
        })
    path = pathlib.Path(__file__).with_name("encoders.json")
    path.write_text("[\n" + ",\n".join(json.dumps(m, separators=(",", ":")) for m in models) + "\n]\n")


if __name__ == "__main__":
    main()
