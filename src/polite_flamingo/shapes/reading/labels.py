"""Labels and short answers of any world ("a photo of the number seven"): is the label said?"""

from __future__ import annotations

import re

from polite_flamingo.shapes.reading.words import normalise, sentences

_FRAME = re.compile(
    r"^(?:this is |it is |it's |here is |there is )?(?:an?|the|one|my|some|itap of)?\s*"
    r"(?:[a-z]+ ){0,2}?(?:photo|picture|image|drawing|rendering|photograph|sketch|origami|scan|pixels?|view)s? "
    r"(?:of|showing|depicting) (?:(?:an?|the|one|many|some|my) )*"
)
_LEADING = re.compile(r"^(?:(?:an?|the|it is|it's|this is|answer|the answer is|label|class)[ :]+)+")
_NAMED = re.compile(
    r"^(?:number|digit|class|label|category|type of|handwritten|printed)\s*:?\s+(?=\w)"
)
_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()
_NUMBERS = {word: str(value) for value, word in enumerate(_WORDS)}
_DENIED = re.compile(
    r"(?:\bnot|\bno|\bnever|\bneither|\bnor|\brather than|\binstead of|\bthan|\bwithout|\bunlike)"
    r"(?: (?:an?|the|any|handwritten|digit|number|of|like))*$"
)


def label(text: str) -> str:
    """The label itself, without "a photo of a" around it; numbers as digits."""
    plain = re.sub(r"[^\w\s]", " ", normalise(text)).strip()
    plain = re.sub(r"\s+", " ", plain)
    plain = _FRAME.sub("", plain)
    previous = ""
    while plain != previous:
        previous = plain
        plain = _NAMED.sub("", _LEADING.sub("", plain))
    return _digits(plain)


def _digits(text: str) -> str:
    return " ".join(_NUMBERS.get(word, word) for word in text.split())


def is_label(draft: str) -> bool:
    """Whether a draft is a class label of another world: a digit, a letter, an unknown word."""
    if re.fullmatch(r"\W*[A-Za-z]\W*", draft):
        return True
    words = [word for found, _ in sentences(label(draft)) for word in found]
    return bool(words) and all(word.category in ("o", "#") for word in words)


def _says_letter(wanted: str, response: str) -> bool:
    """Whether a response names one capital letter, this one."""
    named = re.findall(
        r"(?i:letter|character|capital|initial)s?[ :\"']+([A-Za-z])(?![A-Za-z'])", response
    )
    if not named:
        # "I" and an "A" that opens a sentence are words.
        named = [
            match[1]
            for match in re.finditer(r"(?<![A-Za-z'])([A-Z])(?![A-Za-z'])", response)
            if match[1] != "I"
            and not (match[1] == "A" and re.match(r" [a-z]", response[match.end() :]))
        ]
    return {name.upper() for name in named} == {wanted.upper()}


def says_label(draft: str, response: str, question: str = "") -> bool | None:
    """Whether a response gives the label of a draft, and no other number; None without a label."""
    if letter := re.fullmatch(r"\W*([A-Za-z])\W*", draft):
        return _says_letter(letter[1], response)
    wanted = label(draft)
    if not wanted:
        return None
    text = _digits(re.sub(r"\s+", " ", re.sub(r"[^\w\s]", " ", normalise(response))))
    pattern = re.compile(rf"(?<!\w){re.escape(wanted)}(?:e?s)?(?!\w)")
    found = False
    for match in pattern.finditer(text):
        before, after = text[: match.start()].rstrip(), text[match.end() :].lstrip()
        if _DENIED.search(before):
            return False
        if after.startswith("or ") or before.endswith(" or"):
            return False
        found = True
    if wanted in ("yes", "no") and found:
        other = "no" if wanted == "yes" else "yes"
        return not re.match(rf"{other}\b", text)
    if not found:
        return False
    allowed = set(wanted.split()) | set(_digits(normalise(question)).split())
    strays = {word for word in text.split() if word.isdigit() and word not in allowed}
    # "one" is rarely a number.
    return not strays - {"1"}
