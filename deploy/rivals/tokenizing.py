#!/usr/bin/env python3
"""The reference of `thaw-bench tokenizers --rivals`: Hugging Face `tokenizers`, one thread.

  prepare PLACE     writes PLACE/tokenizers/*.json: the tokenizer of an old wheel of `anthropic` (BPE, NFKC), that of
                    functions/embed where it was fetched, and small ones of other kinds that the library itself trains
  texts FILE COUNT  writes COUNT texts as a JSON array: many scripts, emoji, marks, controls, code, odd white space
  encode            reads {"tokenizer": path, "texts": path, "ids": path}, writes the ids (a JSON array of arrays) and
                    answers {"seconds": of encoding one text after the other, "load": seconds of reading the file}

Files that lie in PLACE/tokenizers already, whoever put them there, are compared as well.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import time
import zipfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

HERE = pathlib.Path(__file__).resolve().parent
EMBED = HERE.parent.parent / "functions" / "embed"
sys.path.insert(0, str(EMBED / "golden"))

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
O200K = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def make_texts(count: int) -> list[str]:
    """The texts of functions/embed and mixtures of their parts: the same list on every machine."""
    from texts import all_texts

    base = all_texts()
    rng = random.Random(20)
    code = [
        "def f(x: int) -> str:\n    return f'{x:>10}'  # café\n",
        "for (int i = 0; i < n; ++i) {\n\tsum += a[i] * b[i];\n}\r\n",
        '{"key": [1, 2.5e-3, null, true], "ключ": "значение"}',
        "SELECT * FROM t WHERE a='x' AND b IN (1,22,333,4444);",
        "https://example.com/a/b?c=d&e=%20f#g user@example.org",
        "I'LL don'T we'Ve IT'S y'all'd've ’tis o’clock",
        "1234567890 12 345 6,789.01 ٣٤٥ ४५६ Ⅷ½²",
    ]
    pieces = base + code
    texts = list(pieces)
    scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    while len(texts) < count:
        kind = rng.randrange(6)
        if kind == 0:
            text = rng.choice([" ", "", "\n", "  ", "\t", "\u3000"]).join(rng.choices(pieces, k=rng.randint(2, 4)))
        elif kind == 1:
            words = " ".join(rng.choices(base[:30], k=6)).split(" ")
            rng.shuffle(words)
            text = " ".join(words)
        elif kind == 2:
            text = "".join(chr(c) for c in rng.choices(scalars, k=rng.randint(1, 60)))
        elif kind == 3:
            text = bytes(rng.choices(range(256), k=rng.randint(1, 200))).decode("utf-8", "replace")
        elif kind == 4:
            source = rng.choice(pieces)
            cut = rng.randrange(len(source) + 1)
            text = rng.choice(["", " ", "  ", "\n\n", "\u00a0", "\t "]) + source[cut:] + rng.choice(["", " ", "   ", "\r\n"])
        else:
            alphabet = rng.choice([(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x400, 0x500), (0x590, 0x700),
                                   (0x900, 0xE00), (0x1100, 0x1200), (0x1E00, 0x2070), (0x2000, 0x2C00),
                                   (0x3040, 0x3100), (0x4E00, 0x5000), (0xAC00, 0xAD00), (0xFB00, 0xFB50),
                                   (0xFE70, 0x10000), (0x1F300, 0x1FB00), (0x1D400, 0x1D800)])
            text = "".join(rng.choice([chr(rng.randrange(*alphabet)), chr(rng.randrange(*alphabet)), " "])
                           for _ in range(rng.randint(1, 80)))
        # What an HTTP body of JSON can hold is what Python can encode.
        texts.append(text.encode("utf-8", "replace").decode("utf-8")[:4000])
    return texts[:count]


def trained(texts: list[str], size: int | None = None) -> dict:
    """Tokenizers of kinds that no wheel carries, trained by the library itself; of `size` pieces if that is given."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    # A vocabulary of which a piece holds a zero byte is no JSON that Thaw's parser takes as keys.
    texts = [text.replace("\0", "") for text in texts]
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    made = {}

    def train(name, tokenizer, trainer):
        # A unigram model has a piece for each character: only of the texts that are texts.
        is_unigram = name.startswith("unigram")
        tokenizer.train_from_iterator(texts[:300] if is_unigram else texts, trainer)
        made[name] = tokenizer

    byte_alphabet = pre_tokenizers.ByteLevel.alphabet()
    for name, pattern in [("bpe-llama3", LLAMA3), ("bpe-o200k", O200K)]:
        tokenizer = Tokenizer(models.BPE(ignore_merges=name == "bpe-llama3"))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
        )
        tokenizer.normalizer = normalizers.NFC() if name == "bpe-o200k" else None
        train(name, tokenizer, trainers.BpeTrainer(vocab_size=size or 6000, initial_alphabet=byte_alphabet,
                                                   special_tokens=["<|begin_of_text|>", "<|end_of_text|>"]))
        tokenizer.post_processor = processors.Sequence(
            [processors.ByteLevel(trim_offsets=False),
             processors.TemplateProcessing("<|begin_of_text|> $A", "<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                                           [("<|begin_of_text|>", 0)])])

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    train("bpe-roberta", tokenizer, trainers.BpeTrainer(vocab_size=size or 5000, initial_alphabet=byte_alphabet,
                                                        special_tokens=special))
    tokenizer.add_special_tokens([__import__("tokenizers").AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    train("bpe-metaspace", tokenizer, trainers.BpeTrainer(
        vocab_size=size or 5000, special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)],
        limit_alphabet=1500))

    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(CLIP), "removed", invert=True), pre_tokenizers.ByteLevel(False)])
    train("bpe-clip", tokenizer, trainers.BpeTrainer(vocab_size=size or 5000, initial_alphabet=byte_alphabet,
                                                     end_of_word_suffix="</w>",
                                                     special_tokens=["<|startoftext|>", "<|endoftext|>"]))
    tokenizer.post_processor = processors.RobertaProcessing(("<|endoftext|>", 1), ("<|startoftext|>", 0), False, False)

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    train("unigram-nfkc", tokenizer, trainers.UnigramTrainer(vocab_size=size or 6000, special_tokens=special, unk_token="<unk>"))
    tokenizer.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)])

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip(True, False)])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous"),
         pre_tokenizers.Digits(True), pre_tokenizers.Metaspace(prepend_scheme="first")])
    train("unigram-splits", tokenizer, trainers.UnigramTrainer(vocab_size=size or 6000, special_tokens=special,
                                                               unk_token="<unk>"))

    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFKD()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.CharDelimiterSplit("_"), pre_tokenizers.Digits(False)])
    train("words", tokenizer, trainers.WordLevelTrainer(vocab_size=size or 3000, special_tokens=special))

    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace("--", "—"), normalizers.BertNormalizer()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(" ", "merged_with_next"), pre_tokenizers.Punctuation("contiguous")])
    train("wordpiece-splits", tokenizer, trainers.WordPieceTrainer(vocab_size=size or 4000, special_tokens=special))
    for name in ("unigram-nfkc", "wordpiece-splits", "bpe-metaspace"):
        token = __import__("tokenizers").AddedToken
        made[name].add_tokens([token("Igel", normalized=True), token("the", single_word=True),
                               token("fox", lstrip=True, rstrip=True)])
    return made


def prepare(place: pathlib.Path) -> None:
    folder = place / "tokenizers"
    folder.mkdir(parents=True, exist_ok=True)
    claude = folder / "anthropic.json"
    if not claude.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(place),
                        "anthropic==0.30.0"], check=True)
        with zipfile.ZipFile(place / "anthropic-0.30.0-py3-none-any.whl") as wheel:
            claude.write_bytes(wheel.read("anthropic/tokenizer.json"))
    fetched = EMBED / "model" / "tokenizer.json"
    if fetched.exists():
        (folder / "minilm.json").write_bytes(fetched.read_bytes())
    own = HERE / "tokenizing.py"
    if not (folder / "words.json").exists() or (folder / "words.json").stat().st_mtime < own.stat().st_mtime:
        for name, tokenizer in trained(make_texts(4000)).items():
            tokenizer.save(str(folder / f"{name}.json"))


def encode() -> None:
    import tokenizers

    order = json.loads(sys.stdin.readline())
    texts = json.loads(pathlib.Path(order["texts"]).read_text())
    begin = time.perf_counter()
    tokenizer = tokenizers.Tokenizer.from_file(order["tokenizer"])
    tokenizer.no_truncation()
    tokenizer.no_padding()
    load = time.perf_counter() - begin
    begin = time.perf_counter()
    ids = [tokenizer.encode(text).ids for text in texts]
    seconds = time.perf_counter() - begin
    pathlib.Path(order["ids"]).write_text(json.dumps(ids))
    print(json.dumps({"seconds": seconds, "load": load}))


if __name__ == "__main__":
    verb = sys.argv[1]
    if verb == "prepare":
        prepare(pathlib.Path(sys.argv[2]))
    elif verb == "texts":
        pathlib.Path(sys.argv[2]).write_text(json.dumps(make_texts(int(sys.argv[3]))))
    else:
        encode()
