"""The 300 texts of the golden set: the same list on every machine (nothing here reads a clock, a locale or a file)."""

import random

ENGLISH = [
    "hello world",
    "The quick brown fox jumps over the lazy dog.",
    "A serverless function sleeps until somebody calls it.",
    "How do I reset my password?",
    "I would like to return the shoes that I bought last week; they're too small.",
    "It was the best of times, it was the worst of times.",
    "THE WHOLE SENTENCE IS SHOUTED AT YOU!!!",
    "don't won't can't it's we'll they'd I've y'all o'clock rock'n'roll",
    "state-of-the-art, well-known, twenty-one, e-mail, co-operate",
    "Antidisestablishmentarianism and floccinaucinihilipilification are long words.",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "The patient (aged 63) presented with acute dyspnea & bilateral rales.",
    'Party of the first part hereinafter referred to as the "Licensor".',
    "To be, or not to be -- that is the question...",
    "Mr. and Mrs. Smith of No. 4, St. John's Rd., arrived at 9 a.m.",
    "a",
    "I",
    "ok",
    "unaffable unbelievable unhappiness reunification",
    "colour color grey gray theatre theater",
    "Buffalo buffalo Buffalo buffalo buffalo buffalo Buffalo buffalo",
    "What is the capital of France? Paris.",
    "naive cafe resume",
    "naïve café résumé façade jalapeño Zürich smörgåsbord",
    "He said: “Don’t go – it’s a trap…” and left—quickly.",
    "«Guillemets» ‹single› „low“ ‚low‘ 「corner」『white corner』",
    "GPT-4, BERT-base, T5-11B and LLaMA-2-70B-chat were compared.",
    "COVID-19 vaccines by BioNTech/Pfizer reached ~95% efficacy.",
    "C3PO R2D2 3D 4K 5G B2B i18n l10n k8s",
    "one. two! three? four; five: six, seven",
]

SCRIPTS = [
    "Der Igel läuft über die große Straße; Übermut tut selten gut.",
    "Où est la bibliothèque ? L'œuvre d'art coûte 3 000 €.",
    "¿Dónde está el baño? ¡Qué sorpresa, señor Muñoz!",
    "O coração não aguenta; a ação começou às três.",
    "Zażółć gęślą jaźń. Łódź, Kraków, Gdańsk.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "Árvíztűrő tükörfúrógép",
    "Pijamalı hasta yağız şoföre çabucak güvendi. İstanbul ıssız ISPARTA",
    "Þetta er íslenska: ég æfi mig á hverjum degi, Eyjafjallajökull.",
    "Quizdeltagerne spiste jordbær med fløde, mens cirkusklovnen Walther spillede på xylofon.",
    "Tiếng Việt có nhiều dấu: ngựa, mỹ, đường, người, được, những.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "Ґрунт, їжак, єдність, й'ому, Київ",
    "Љубазни фењерџија чађавог лица хоће да ми покаже штос.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΌΣΟΣ ΣΊΣΥΦΟΣ ὀδυσσεύς ᾳ ῥ",
    "Բարև աշխարհ, ինչպե՞ս ես։",
    "გამარჯობა მსოფლიო ᲒᲐᲛᲐᲠᲯᲝᲑᲐ",
    "שלום עולם, מה שלומך היום?",
    "שָׁלוֹם עִם נִקּוּד",
    "مرحبا بالعالم، كيف حالك اليوم؟",
    "الْعَرَبِيَّةُ بِالتَّشْكِيلِ ١٢٣٤٥",
    "سلام دنیا، می‌خواهم بروم ۱۲۳",
    "آپ کیسے ہیں؟ میں ٹھیک ہوں۔",
    "नमस्ते दुनिया, आप कैसे हैं? क्षत्रिय १२३।",
    "হ্যালো বিশ্ব, কেমন আছেন?",
    "ਸਤ ਸ੍ਰੀ ਅਕਾਲ ਦੁਨੀਆ",
    "હેલો વિશ્વ, તમે કેમ છો?",
    "வணக்கம் உலகம், எப்படி இருக்கிறீர்கள்?",
    "హలో ప్రపంచం, మీరు ఎలా ఉన్నారు?",
    "ಹಲೋ ವರ್ಲ್ಡ್, ಹೇಗಿದ್ದೀರಾ?",
    "ഹലോ വേൾഡ്, സുഖമാണോ?",
    "හෙලෝ වර්ල්ඩ්, කොහොමද?",
    "สวัสดีชาวโลก สบายดีไหม ๑๒๓",
    "ສະບາຍດີຊາວໂລກ",
    "မင်္ဂလာပါ ကမ္ဘာလောက",
    "សួស្តី​ពិភពលោក",
    "བཀྲ་ཤིས་བདེ་ལེགས། འཇིག་རྟེན།",
    "Сайн байна уу, дэлхий? ᠰᠠᠢᠨ ᠪᠠᠢᠨ᠎ᠠ",
    "ሰላም ልዑል፣ እንዴት ነህ።",
    "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ꭳꮟᏺ",
    "你好，世界！今天天气怎么样？",
    "繁體中文：機器學習與自然語言處理。",
    "こんにちは世界。カタカナとひらがなと漢字が混ざっています。",
    "ﾊﾝｶｸ ｶﾀｶﾅ ﾞﾟ ガギグゲゴ がぎぐげご",
    "안녕하세요 세계, 오늘 날씨가 어떻습니까?",
    "각 ᄀ ᅡ ᆨ ㄱㅏㄱ",
    "𠀀𠀁𠀂 𪜀𪝀 𫝀𫠝 𫠠𬺡 𬺰 𰀀 𱍐",
    "豈更車 丽丸乁 〇々〆〻 ㍻ ㈱ ㊙",
    "𐐀𐐁𐐂 𐐨𐐩𐐪 𐓀𐓨 𞤀𞤢",
    "𒀀𒀁 𓀀𓀁 𐎀𐎁 𐤀𐤁 𐌀𐌁",
]

EMOJI = [
    "😀",
    "I love this! ❤️🎉🎉",
    "👍🏽 👍🏿 👎",
    "👨‍👩‍👧‍👦 family",
    "👩🏾‍🚀👨🏻‍⚕️🧑‍🤝‍🧑",
    "🏳️‍🌈 🏴‍☠️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "🇩🇪🇫🇷🇯🇵🇺🇳",
    "1️⃣ 2️⃣ #️⃣ *️⃣",
    "☺ ☺️ ☺︎ ☹️",
    "good😀morning",
    "🫠🫡🫢 🪿🫨",
    "❤❤️‍🔥❤️‍🩹",
    "→←↑↓⇒ ✓✔✗ ★☆ ♥♦♣♠",
    "©®™ ℃ № ℡ ½ ¾ ⅓ ² ³ ¹",
    "👁️‍🗨️ 🧔‍♀️ 🐻‍❄️",
    "😀" * 300,
]

COMBINING = [
    "e\u0301 vs \u00e9",
    "a\u030a A\u030a \u00c5 \u212b",
    "n\u0303o n\u0303",
    "q\u0307\u0323 q\u0323\u0307",
    "\u1e69 s\u0323\u0307 s\u0307\u0323",
    "Z\u0351\u0346\u0301a\u0308\u0334l\u030c\u0337g\u0353\u0321o\u0360\u0489",
    "\u0301 starts with a mark",
    "\u0301",
    "word \u0308 word",
    "o\u0302\u0301 \u1ed1 o\u031b\u0323",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "\u0915\u093c \u0958",
    "\u05e9\u05bc\u05c1 \ufb2c",
    "a\u20d0b\u20dd c\u20e3",
    "\U0001d160 \U0001d15e \U0001d1bb",
    "x\ufe0fy\ufe0ez\U000e0100",
    "\u0344 \u0374 \u037e \u0387 \u1fef",
    "\u0f73\u0f75 \u0f71\u0f72",
    "a" + "\u0300" * 120,
    "e\u0301" * 150,
]

CASES = [
    "İ ı I i i\u0307",
    "Straße STRASSE ẞ ß",
    "ΑΣ ΑΣΑ Σ ς σ ΌΔΟΣ.",
    "ﬁ ﬂ ﬀ ﬃ ﬄ ﬅ ﬆ",
    "Ǆ ǅ ǆ Ǉ ǈ Ǌ ǋ",
    "ＦＵＬＬＷＩＤＴＨ ｆｕｌｌｗｉｄｔｈ １２３！？",
    "ſ K Å K k",
    "𝐁𝐨𝐥𝐝 𝒮𝒸𝓇𝒾𝓅𝓉 𝔉𝔯𝔞𝔨 𝟘𝟙𝟚 ℌℑ",
    "Ⅷ ⅷ Ⓐ ⓐ ⑴ ①",
    "ŉ ǰ ΐ ΰ և ẖ ẗ ẘ ẙ ẚ",
    "Ⴀ ⴀ Ა ა",
    "Ꙁꙁ Ԁԁ Ѡѡ Ѿѿ",
    "ᾈ ᾀ ῼ ῳ",
    "Ⱥ ⱥ Ⱦ ⱦ Ɐ Ɒ",
    "Ø ø Ł ł Đ đ Ħ ħ Æ æ Œ œ Þ þ Ð ð",
]

CONTROL = [
    "a\u0000b",
    "\u0000",
    "a\u0001\u0002\u0003b\u0007c\u0008d",
    "tab\tnew\nline\rreturn\r\nboth",
    "a\u000bb\u000cc",
    "a\u001bb \u001b[31mred\u001b[0m",
    "del\u007fete",
    "c1\u0080\u0085\u009f end",
    "zero\u200bwidth\u200cnon\u200djoiner",
    "\ufeffbyte order mark",
    "soft\u00adhyphen",
    "line\u2028paragraph\u2029end",
    "no\u00a0break\u202fspace\u2007figure\u3000ideographic",
    "\u202eright to left override\u202c",
    "\u2066isolate\u2069 \u200f\u200e marks",
    "\ufffd",
    "bad\ufffdbyte \ufffd\ufffd",
    "\ufffe\uffff \U0001ffff \U0010ffff",
    "\ue000\uf8ff \U000f0000 private",
    "\u0378\u0379 \u2fe0 \U0001f8ff unassigned",
    "\u180e\u2060\u2061\u2064\u206a word",
    "\U000e0001\U000e0041 tags",
    "\u1680\u2000\u2001\u200a\u205f spaces",
    "\ufff9a\ufffab\ufffb",
    "\u001c\u001d\u001e\u001f",
    "".join(chr(c) for c in range(32)) + "x" + "".join(chr(c) for c in range(127, 160)),
]

SPECIAL = [
    "[MASK]",
    "The capital of France is [MASK].",
    "[CLS] begin [SEP] end [SEP]",
    "[UNK] [PAD] [PAD]",
    "[mask] [Mask] [ MASK ]",
    "before[MASK]after",
    "[[MASK]]",
    "[MASK][MASK][MASK]",
    "[SEP]",
    "[CLS]",
    "[PAD]",
    "[UNK]",
    "\u00e9[MASK]\u0301",
    "[MA\u0000SK]",
    "[MASK",
    "MASK]",
    "[unused0] [unused99]",
    "##ing ##s #hash",
    "[SEP]\n[CLS]\t[MASK] ",
    "Ｍ[MASK]Ｍ [ＭＡＳＫ]",
    "x[PAD]y[UNK]z[CLS]w[SEP]v",
]

WHITESPACE = [
    "",
    " ",
    "   ",
    "\n",
    "\t\t",
    "\r\n\r\n",
    " \u00a0\u3000 ",
    "\u200b",
    " leading",
    "trailing ",
    "  many   inner    spaces  ",
    "\n\nparagraph\n\nparagraph\n",
]

NUMBERS = [
    "0",
    "1234567890",
    "3.14159265358979",
    "-273.15 °C",
    "1,234,567.89",
    "1e-5 6.02e23",
    "0xDEADBEEF 0b1010 0o777",
    "2024-02-29T23:59:60Z",
    "+49 (0)30 1234-5678",
    "$1,000.00 €2.500,00 £3 ¥4 ₹5 ₿6",
    "50% 5‰ 1/2 ½ ⅞",
    "192.168.0.1/24 fe80::1%eth0",
    "٠١٢٣٤٥٦٧٨٩ ०१२३ ๐๑๒ 一二三",
    "∑ ∫ √ ∞ ≠ ≤ ≥ ± × ÷ ∂ ∇ ∈ ∀ ∃",
    "E = mc², a²+b²=c², x₁ + x₂",
    "1" * 120,
]

URLS = [
    "https://example.com/path/to?query=1&other=%20two#fragment",
    "user.name+tag@sub.example.co.uk",
    "file:///C:/Users/Name/My%20Documents/a.txt",
    "https://münchen.example/straße?q=größe",
    "see www.example.org, or ftp://example.org/.",
    "@handle #hashtag $TICKER r/sub u/user",
    "/usr/local/lib/python3.11/site-packages/__init__.py",
    "s3://bucket/key_with-dashes.and.dots/part-00000.snappy.parquet",
    "data:text/plain;base64,SGVsbG8sIFdvcmxkIQ==",
    "550e8400-e29b-41d4-a716-446655440000",
]

CODE = [
    'func main() { print("hello, \\(name)") }',
    "def f(x: int) -> int:\n    return x ** 2  # square\n",
    "for (int i = 0; i < n; ++i) a[i] ^= b[i] >> 3;",
    "SELECT * FROM users WHERE name = 'O''Brien' AND age >= 21;",
    '{"key": [1, 2.5, null, true], "nested": {"a": "b"}}',
    '<div class="a b">&nbsp;&lt;tag&gt;</div>',
    "$ grep -rn 'main' . | awk -F: '{print $1}' | sort -u",
    "\\frac{1}{2} \\sum_{i=0}^{n} x_i^2",
    'git commit -m "fix: don\'t panic" && git push --force-with-lease',
    "a=b?c:d;e&&f||!g;",
    "snake_case camelCase PascalCase kebab-case SCREAMING_CASE",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "``` ~~~ --- === *** ___",
    "¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿",
    "‐‑‒–—―‖‗ †‡•‣․‥… ‰′″‵ ※‼⁇",
]

LONG = [
    ("The ship sailed on through the cold and silent night. " * 200)[:10_000],
    "x" * 10_000,
    "字" * 10_000,
    " " * 10_000,
    "." * 10_000,
    "0123456789" * 1_000,
    "é" * 10_000,
    "e\u0301" * 5_000,
    ("👨‍👩‍👧‍👦" * 1_429)[:10_000],
    ("word\n\t" * 2_000)[:10_000],
    ("[MASK] " * 1_429)[:10_000],
    ("مرحبا بالعالم " * 715)[:10_000],
    "\u0000" * 9_999 + "a",
]

# Around the longest word that WordPiece looks at (100 characters) and around the truncation at 256 ids.
EDGES = (
    [
        "a" * 99,
        "a" * 100,
        "a" * 101,
        "b" * 200 + " c",
        "é" * 100,
        "é" * 101,
        "supercalifragilistic" * 5,
        "supercalifragilistic" * 6,
    ]
    + [" ".join(["cat"] * count) for count in (253, 254, 255, 256, 300)]
    + ["cat " * 253 + "unbelievableness", "字" * 254, "字" * 255]
)

# Blocks that a random text draws from; a text mixes two to five of them.
BLOCKS = [
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x180, 0x24F),
    (0x250, 0x2FF),
    (0x300, 0x36F),
    (0x370, 0x3FF),
    (0x400, 0x52F),
    (0x530, 0x58F),
    (0x590, 0x5FF),
    (0x600, 0x6FF),
    (0x900, 0x97F),
    (0xE00, 0xE7F),
    (0x10A0, 0x10FF),
    (0x1100, 0x11FF),
    (0x1E00, 0x1EFF),
    (0x1F00, 0x1FFF),
    (0x2000, 0x206F),
    (0x2070, 0x218F),
    (0x2190, 0x2BFF),
    (0x2C60, 0x2C7F),
    (0x3000, 0x30FF),
    (0x3130, 0x318F),
    (0x3200, 0x33FF),
    (0x4E00, 0x9FFF),
    (0xA640, 0xA69F),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFB00, 0xFDFF),
    (0xFE00, 0xFE6F),
    (0xFF00, 0xFFEF),
    (0x1D400, 0x1D7FF),
    (0x1F300, 0x1F64F),
    (0x20000, 0x2A6DF),
    (0x2F800, 0x2FA1F),
]


def random_text(source: random.Random) -> str:
    blocks = source.sample(BLOCKS, source.randint(2, 5))
    words = []
    for _ in range(source.randint(1, 40)):
        low, high = source.choice(blocks)
        words.append("".join(chr(source.randint(low, high)) for _ in range(source.randint(1, 8))))
    return source.choice([" ", " ", "", ", "]).join(words)


def all_texts(count: int = 300) -> list[str]:
    """The fixed texts in their order, then seeded random ones up to `count`."""
    fixed = (
        ENGLISH
        + SCRIPTS
        + EMOJI
        + COMBINING
        + CASES
        + CONTROL
        + SPECIAL
        + WHITESPACE
        + NUMBERS
        + URLS
        + CODE
        + LONG
        + EDGES
    )
    source = random.Random(20260101)
    return fixed + [random_text(source) for _ in range(count - len(fixed))]
