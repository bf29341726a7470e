"""Writes heads-rank.json, heads-tag.json and heads-embed.json: models of toy size as transformers and sentence-transformers save them, and what those libraries
answer.

    pip install torch transformers sentence-transformers
    python heads.py

Weights are random, rounded to half floats and saved as such, so that the file stays small and loses nothing.
"""

import base64, json, os, pathlib, shutil, tempfile

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig, BertForSequenceClassification, BertForTokenClassification, BertModel, BertTokenizerFast,
    DistilBertConfig, DistilBertForTokenClassification, MPNetConfig, MPNetForSequenceClassification, MPNetModel,
    PreTrainedTokenizerFast, RobertaConfig, RobertaForTokenClassification, XLMRobertaConfig,
    XLMRobertaForSequenceClassification, pipeline,
)
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

TEXTS = [
    "Ada Lovelace met Charles Babbage in London.",
    "The café in São Paulo sells coffee 🙂 and tea.",
    "Rivers flow to the sea",
    "Kafka lived in Prague, near the river.",
    "a",
]
QUERY = "Where do rivers flow?"
LONG = " ".join(TEXTS * 3)
LENGTH = 32
LABELS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
SMALL = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=12)


def word_piece(first, last, pad, pair, is_normalized):
    """A cased WordPiece tokenizer with the special tokens of BERT, or those of MPNet."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    # A table of all characters, which a debug build takes a second for: where the normalizer is not the matter, none.
    if is_normalized:
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = [first, pad, last, "[UNK]", "<mask>"]
    trainer = trainers.WordPieceTrainer(vocab_size=90, special_tokens=special, show_progress=False)
    # The emoji and the tilde stay unknown.
    tokenizer.train_from_iterator([text.replace("🙂", "").replace("ã", "") for text in TEXTS], trainer)
    ids = [(first, tokenizer.token_to_id(first)), (last, tokenizer.token_to_id(last))]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=pair, special_tokens=ids
    )
    return tokenizer


def byte_pairs():
    """As RoBERTa's: bytes, merged, with the space in front of a word a part of it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=120, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def pieces():
    """As XLM-R's: Unigram behind a metaspace."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Replace("  ", " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=90, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def fast(tokenizer, names, cls=PreTrainedTokenizerFast, **more):
    keys = ["cls_token", "pad_token", "sep_token", "unk_token"]
    return cls(tokenizer_object=tokenizer, model_max_length=LENGTH, **dict(zip(keys, names)), **more)


BERT = ("[CLS]", "[PAD]", "[SEP]", "[UNK]")


def bert_tokenizer(is_normalized=False):
    pair = "[CLS] $A [SEP] $B:1 [SEP]:1"
    return fast(
        word_piece("[CLS]", "[SEP]", "[PAD]", pair, is_normalized), BERT,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def mpnet_tokenizer():
    pair = "<s> $A </s> </s> $B </s>"
    return fast(
        word_piece("<s>", "</s>", "<pad>", pair, False), ("<s>", "<pad>", "</s>", "[UNK]"),
        model_input_names=["input_ids", "attention_mask"],
    )


def roberta_tokenizer(tokenizer):
    return fast(
        tokenizer, ("<s>", "<pad>", "</s>", "<unk>"), model_input_names=["input_ids", "attention_mask"]
    )


def randomised(model):
    """Weights large enough that heads and positions matter."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            wide = 0.6 if parameter.dim() > 1 else 0.3
            values = torch.randn_like(parameter) * wide + (1 if "LayerNorm.weight" in name or "layer_norm.weight" in name else 0)
            parameter.copy_(values.half().float())
    return model.eval()


def saved(model, tokenizer):
    """A directory with the model, in half floats, and its tokenizer."""
    directory = tempfile.mkdtemp()
    model.half().save_pretrained(directory)
    model.float()
    tokenizer.save_pretrained(directory)
    return directory


def files(directory):
    texts, weights = {}, {}
    for path in sorted(pathlib.Path(directory).rglob("*")):
        name = str(path.relative_to(directory))
        if path.suffix == ".json":
            texts[name] = json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":"))
        elif path.suffix == ".safetensors":
            weights[name] = base64.b64encode(path.read_bytes()).decode()
    return {"files": texts, "weights": weights}


def ranker(name, model, tokenizer, marker=None):
    directory = saved(randomised(model), tokenizer)
    if marker is not None:
        path = os.path.join(directory, "config.json")
        config = json.loads(open(path).read())
        config.update(marker)
        open(path, "w").write(json.dumps(config))
    encoder = CrossEncoder(directory, device="cpu", model_kwargs={"dtype": torch.float32})
    pairs = [[QUERY, text] for text in TEXTS] + [[QUERY, LONG], [LONG, LONG[5:]], [LONG[5:], "a tea"], ["", ""]]
    scores = [float(encoder.predict([pair])[0]) for pair in pairs]
    encoded = [tokenizer([a], [b], truncation=True) for a, b in pairs]
    if marker is None:
        # As sentence-transformers writes it: with a modules.json.
        shutil.rmtree(directory)
        encoder.half().save_pretrained(directory, create_model_card=False)
    yield {
        "name": name, "task": "rank", **files(directory), "pairs": pairs, "scores": scores,
        "ids": [item["input_ids"][0] for item in encoded],
    }
    shutil.rmtree(directory)


def tagger(name, model, tokenizer, strategies=("none", "simple", "first", "max", "average")):
    directory = saved(randomised(model), tokenizer)
    results = {}
    for strategy in strategies:
        tag = pipeline("token-classification", model=directory, dtype=torch.float32, aggregation_strategy=strategy)
        results[strategy] = [
            [
                [
                    entity.get("entity", entity.get("entity_group")), round(float(entity["score"]), 7),
                    int(entity["start"]), int(entity["end"]),
                ]
                for entity in tag(text)
            ]
            for text in TEXTS
        ]
    yield {"name": name, "task": "tag", **files(directory), "texts": TEXTS, "entities": results}
    shutil.rmtree(directory)


def embedder(name, model, tokenizer, modules, is_legacy=False):
    directory = saved(randomised(model), tokenizer)
    out = tempfile.mkdtemp()
    transformer = Transformer(directory, max_seq_length=LENGTH, model_kwargs={"dtype": torch.float32})
    sentences = SentenceTransformer(modules=[transformer] + modules, device="cpu")
    with torch.no_grad():
        vectors = [[float(x) for x in sentences.encode(text)] for text in TEXTS + [LONG]]
    sentences.half().save(out, create_model_card=False)
    if is_legacy:
        # As written before version 5: a flag for each mode.
        path = os.path.join(out, "1_Pooling", "config.json")
        config = json.loads(open(path).read())
        chosen = config.pop("pooling_mode")
        for key, mode in [
            ("cls_token", "cls"), ("mean_tokens", "mean"), ("max_tokens", "max"),
            ("mean_sqrt_len_tokens", "mean_sqrt_len_tokens"), ("weightedmean_tokens", "weightedmean"),
            ("lasttoken", "lasttoken"),
        ]:
            config["pooling_mode_" + key] = mode in ([chosen] if isinstance(chosen, str) else chosen)
        open(path, "w").write(json.dumps(config))
        again = SentenceTransformer(out, device="cpu", model_kwargs={"dtype": torch.float32})
        assert abs(float(again.encode(TEXTS[0])[0]) - vectors[0][0]) < 2e-3
    yield {"name": name, "task": "embed", **files(out), "texts": TEXTS + [LONG], "vectors": vectors}
    shutil.rmtree(directory)
    shutil.rmtree(out)


def half(module):
    """A dense module whose weights are half floats already."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(parameter.half().float())
    return module


def main():
    torch.manual_seed(11)
    names = dict(id2label=LABELS, label2id={name: number for number, name in LABELS.items()})
    bert, normal, mpnet = bert_tokenizer(), bert_tokenizer(is_normalized=True), mpnet_tokenizer()
    roberta, xlm = roberta_tokenizer(byte_pairs()), roberta_tokenizer(pieces())
    shared = dict(max_position_embeddings=LENGTH + 8)
    behind = dict(max_position_embeddings=LENGTH + 2, pad_token_id=1, type_vocab_size=1, layer_norm_eps=1e-5)
    identity = {"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity", "version": "5.0.0"}}
    old = {"sbert_ce_default_activation_function": "torch.nn.modules.activation.Sigmoid"}
    results = []
    results += ranker(
        "bert-rank", BertForSequenceClassification(BertConfig(vocab_size=len(bert), num_labels=1, **SMALL, **shared)),
        bert, identity,
    )
    results += ranker(
        "xlm-rank",
        XLMRobertaForSequenceClassification(XLMRobertaConfig(vocab_size=len(xlm), num_labels=1, **SMALL, **behind)),
        xlm,
    )
    behind_mpnet = dict(max_position_embeddings=LENGTH + 2, pad_token_id=1, layer_norm_eps=1e-5)
    results += ranker(
        "mpnet-rank",
        MPNetForSequenceClassification(
            MPNetConfig(vocab_size=len(mpnet), num_labels=1, **{**SMALL, "num_hidden_layers": 2}, **behind_mpnet)
        ),
        mpnet, old,
    )
    results += tagger(
        "bert-tag", BertForTokenClassification(BertConfig(vocab_size=len(normal), **names, **SMALL, **shared)), normal
    )
    results += tagger(
        "roberta-tag",
        RobertaForTokenClassification(RobertaConfig(vocab_size=len(roberta), **names, **SMALL, **behind)), roberta,
    )
    results += tagger(
        "distilbert-tag",
        DistilBertForTokenClassification(
            DistilBertConfig(
                vocab_size=len(bert), dim=8, n_layers=1, n_heads=2, hidden_dim=12, **names, **shared
            )
        ),
        roberta_free(bert), ["simple"],
    )
    results += embedder(
        "mpnet-mean",
        MPNetModel(
            MPNetConfig(vocab_size=len(mpnet), **SMALL, **behind_mpnet), add_pooling_layer=False
        ),
        mpnet, [Pooling(8, "mean"), Normalize()], is_legacy=True,
    )
    modes = ("cls", "max", "mean", "mean_sqrt_len_tokens", "lasttoken")
    results += embedder(
        "bert-dense", BertModel(BertConfig(vocab_size=len(bert), **SMALL, **shared)), bert,
        [
            Pooling(8, modes), half(Dense(40, 12)),
            half(Dense(12, 6, bias=False, activation_function=torch.nn.Identity())), Normalize(),
        ],
    )
    for task in ["rank", "tag", "embed"]:
        lines = [
            json.dumps(result, ensure_ascii=False, separators=(",", ":")) for result in results if result["task"] == task
        ]
        place = pathlib.Path(__file__).with_name(f"heads-{task}.json")
        place.write_text("[\n" + ",\n".join(lines) + "\n]\n")
        print(place.stat().st_size, "bytes")


def roberta_free(tokenizer):
    """The tokenizer for a model that takes no types."""
    return fast(tokenizer._tokenizer, BERT, model_input_names=["input_ids", "attention_mask"])


if __name__ == "__main__":
    main()
