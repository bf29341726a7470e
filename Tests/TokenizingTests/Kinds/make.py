#!/usr/bin/env python3
"""Writes kinds.json: small tokenizers of many kinds, trained by Hugging Face `tokenizers`, and what it answers.

Run it in an environment with: pip install tokenizers

For each kind {"name", "tokenizer": a tokenizer.json, "cases": [[text, ids, offsets], …], "pairs": [[text, text, most
tokens, ids, types], …]}; offsets in Unicode scalars, as the library counts.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent.parent / "deploy" / "rivals"))

from tokenizing import make_texts, trained  # noqa: E402

TRAINED_ON = [
    "The quick brown fox jumps over the lazy dog; the dogs don't mind, and the foxes can't stop.",
    "Der Igel läuft über die Straße, 12 345 mal.",
    "Où est la bibliothèque? L'œuvre coûte 3 000.",
    "Съешь же ещё этих мягких французских булок.",
    "你好世界",
]
PAIRS = [("the quick fox", "lazy dogs don't mind"), ("the", "a much longer text than the first one is"), ("", "x")]


def main() -> None:
    texts = [text for text in make_texts(500) if len(text) < 60 and "\0" not in text]
    texts = texts[:60:2] + texts[60::6][:60]
    kinds = []
    for name, tokenizer in trained(TRAINED_ON * 3, 330).items():
        cases = []
        for text in texts[len(kinds) :: 2][:12] + TRAINED_ON + ["  the the  fox x<mask>y Igel's", "IGEL igel Igels thefox"]:
            text = text.replace("\ufffe", "").replace("\uffff", "")
            encoding = tokenizer.encode(text)
            cases.append([text, encoding.ids, [x for pair in encoding.offsets for x in pair]])
        pairs = []
        for first, second in PAIRS:
            for most in (100, 9):
                tokenizer.enable_truncation(most)
                encoding = tokenizer.encode(first, second)
                pairs.append([first, second, most, encoding.ids, encoding.type_ids])
        tokenizer.no_truncation()
        kinds.append({"name": name, "tokenizer": json.loads(tokenizer.to_str()), "cases": cases, "pairs": pairs})
    lines = ",\n".join(json.dumps(kind, separators=(",", ":"), ensure_ascii=False) for kind in kinds)
    (HERE / "kinds.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
