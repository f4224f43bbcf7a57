"""Facts of captions and of changes that a rewrite loses, and facts that it adds: no model.

In the manner of CHAIR (arXiv 1809.02156), with attributes beside things. It reads words and noun
phrases, not sentences: what takes understanding is for the NLI judge.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from polite_flamingo.core.boxes import has_boxes, strip_boxes
from polite_flamingo.filters.mentions import Reading, lines_of, meaning, read, sentences_of, values

_GROUND = re.compile(r"\b((?:light |dark |pale )?[a-z]+) background\b")
_ON_GROUND = re.compile(r"\bon ((?:light |dark |pale )?[a-z]+)[.\s]*$", re.MULTILINE)
_LOOKS = ("thing", "color", "size", "texture", "place")
# What tells that two images are compared.
_CHANGE = re.compile(
    r"\b(?:second|first|other|later|earlier|latter|former|one (?:image|picture)|before|after|"
    r"no longer|now|new|changed?|changes|turn(?:s|ed)|became|becomes?|moved?|moves|shifted|"
    r"removed?|disappear(?:s|ed)|vanish(?:es|ed)|gone|missing|added|appear(?:s|ed)|replaced|extra|"
    r"left the|leaves|went|goes|gave up|instead|rather than|any ?more|taken|erased|(?:re)?painted|"
    r"pushed|absent|lost|put)\b"
)
_RECOMBINED = 0.75
# So many captions leave little of an image untold.
_ENOUGH_CAPTIONS = 4


def described(draft: str, rewrite: str) -> tuple[float, float]:
    """Compare a description with captions (and boxes): (lost, foreign), each 0..1.

    ``lost``: share of the captions that state the worst lost fact (a thing with its colour, a
    thing, a colour). ``foreign``: 1 where the rewrite has a thing or a colour of a thing that no
    caption and no box has, or another number of things in all; less where it joins known words
    anew, and less again where few captions are there to tell.
    """
    lines = lines_of(draft)
    if not lines:
        return 0.0, 0.0
    told = list(sentences_of(rewrite))
    kept: set[object] = {word for reading in told for word in reading.words}
    for reading in told:
        kept |= _looks(reading) | _told_apart(reading)
    counts: Counter[object] = Counter()
    for line in lines:
        if not line.denies:
            facts = {word for word in line.words if word[0] in ("color", "thing")}
            counts.update(facts | _looks(line))
    lost = max((number for fact, number in counts.items() if fact not in kept), default=0)
    boxes = draft[len(strip_boxes(draft)) :] if has_boxes(draft) else ""
    foreign = max(
        _foreign(lines, told, read(boxes)),
        _miscounted(lines, told, boxes),
        _elsewhere(lines, told),
        _other_ground(draft, rewrite),
    )
    return lost / len(lines), foreign


def _looks(reading: Reading) -> set[tuple[str, str]]:
    """Colour and thing of the noun phrases that have both."""
    return {
        (m.get("color"), m.get("thing"))
        for m in reading.mentions
        if m.get("color") and m.get("thing")
    }


def _told_apart(reading: Reading) -> set[tuple[str, str]]:
    """Colour and thing that a sentence may join: "the blue object", "a plus is yellow"."""
    bare = {m.get("thing") for m in reading.mentions if not m.get("color")} - {""}
    return {(color, thing) for kind, color in reading.words if kind == "color" for thing in bare}


def _foreign(lines: Sequence[Reading], told: Sequence[Reading], boxes: Reading) -> float:
    known = {word for line in lines for word in line.words} | set(boxes.words)
    looks = {look for line in lines for look in _looks(line) | _told_apart(line)}
    sure = min(1.0, len(lines) / _ENOUGH_CAPTIONS)
    worst = 0.0
    for reading in told:
        if reading.denies:
            continue
        things = {word for word in reading.words if word[0] == "thing"}
        colors = {("color", color) for color, _ in _looks(reading)}
        if (things | colors) - known:
            worst = max(worst, 0.5 + 0.5 * sure)
        if _looks(reading) - looks:
            worst = max(worst, _RECOMBINED * sure)
    return max(worst, _other_looks(lines, told))


def _other_looks(lines: Sequence[Reading], told: Sequence[Reading]) -> float:
    """Size or texture of a thing that the captions give otherwise, and never so."""
    for mention in (m for reading in told for m in reading.mentions):
        look = (mention.get("color"), mention.get("thing"))
        for kind in ("size", "texture"):
            if not (mention.get(kind) and all(look)) or _several(lines, told, look):
                continue
            given = {
                m.get(kind)
                for line in lines
                for m in line.mentions
                if (m.get("color"), m.get("thing")) == look and m.get(kind)
            }
            if given and mention.get(kind) not in given:
                return _RECOMBINED
    return 0.0


def _several(lines: Sequence[Reading], told: Sequence[Reading], look: tuple[str, str]) -> bool:
    """Tell whether several things of one colour and kind may be spoken of: no telling which."""
    fitting = [
        [m for m in reading.mentions if (m.get("color"), m.get("thing")) == look]
        for reading in told
    ]
    looks = [{m.get(kind) for some in fitting for m in some} - {""} for kind in ("size", "texture")]
    return (
        max(map(len, (*fitting, *looks)), default=0) > 1
        or any(_alike(line, look) for line in lines)
    )  # fmt: skip


def _alike(line: Reading, look: tuple[str, str]) -> bool:
    """Tell whether a caption may speak of several things of one colour and kind."""
    fitting = [
        m for m in line.mentions if m.get("color") in (look[0], "") and m.get("thing") == look[1]
    ]
    return len(fitting) > 1 or any(m.get("number") not in ("", "1") for m in fitting)


def _miscounted(lines: Sequence[Reading], told: Sequence[Reading], boxes: str) -> float:
    """Another number of things in all than a caption gives, or fewer than one lists."""
    said = {number for reading in told for number in _totals(reading)}
    given = {number for line in lines for number in _totals(line)}
    listed = [
        sum(int(m.get("number") or 1) for m in line.mentions if m.get("thing"))
        for line in lines
        if not line.denies and not _totals(line)
    ]
    least = max([*listed, sum(bool(m.get("thing")) for m in read(boxes).mentions)], default=0)
    if not said:
        return 0.0
    return float(bool(given and not said <= given) or max(said) < least)


def _elsewhere(lines: Sequence[Reading], told: Sequence[Reading]) -> float:
    """Another place of a thing than captions give; only texts that place one thing are read."""
    given, said = (_places(readings) for readings in (lines, told))
    for look, places in said.items():
        if look in given and not places & given[look] and not _several(lines, told, look):
            return _RECOMBINED
    return 0.0


def _places(readings: Sequence[Reading]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for reading in readings:
        places = values(reading.words, "place")
        named = [m for m in reading.mentions if m.get("thing") and m.get("color")]
        if places and len(named) == len(reading.mentions) == 1 and not reading.denies:
            look = (named[0].get("color"), named[0].get("thing"))
            found.setdefault(look, set()).update(places)
    return found


def _other_ground(draft: str, rewrite: str) -> float:
    """Another background than the captions give: another colour, be it light or not."""
    given, said = (_grounds(text, (_GROUND, _ON_GROUND)) for text in (draft, rewrite))
    return _RECOMBINED if given and said - given else 0.0


def _grounds(text: str, forms: Sequence[re.Pattern[str]]) -> set[str]:
    found = (match[1] for form in forms for match in form.finditer(text.casefold()))
    meanings = (meaning(words.split()[-1]) for words in found)
    return {known[1] for known in meanings if known and known[0] == "color"}


def _totals(reading: Reading) -> set[int]:
    """Numbers of things of no kind: "three objects"."""
    kinds = ("thing", "color", "size", "texture")
    return {
        int(m.get("number"))
        for m in reading.mentions
        if m.get("number") and not any(m.get(kind) for kind in kinds)
    }


def changed(draft: str, rewrite: str) -> tuple[float, float]:
    """Compare texts on what changed between two images: (lost, foreign), each 0 or 1.

    ``lost``: the rewrite lacks a thing, a colour, a size, a texture or a place that the annotation
    speaks of ("plain" goes without saying), or tells of no change. ``foreign``: a thing or a colour that
    the annotation does not have, or another event (removed, added, moved ...).
    """
    lines = lines_of(draft)
    wanted = {word for line in lines for word in line.words}
    said = {word for reading in sentences_of(rewrite) for word in reading.words}
    looks = {word for word in wanted if word[0] in _LOOKS and word != ("texture", "plain")}
    lost = not looks <= said or bool(looks and not _CHANGE.search(rewrite.casefold()))
    foreign = any(
        values(wanted, name) and values(said, name) - values(wanted, name)
        for name in ("color", "thing")
    )
    events = values(wanted, "event"), values(said, "event")
    if len(values(said, "color")) > 1:
        # "No longer red but blue": recoloured, not removed.
        events = events[0], events[1] - {"removed"}
    foreign = foreign or bool(all(events) and not events[0] & events[1])
    # No change annotated, and one told.
    foreign = foreign or (not values(wanted, "thing") and bool(values(said, "thing")))
    return float(lost), float(foreign)
