"""Chains of verbs: "does not have", "can be seen", "might be"."""

from __future__ import annotations

from polite_flamingo.shapes.reading.phrases import ATTRIBUTE_OF, Words


def verbs(w: Words, start: int) -> tuple[int, bool, str, str]:
    """Read a chain of verbs: where it ends, whether denied, its kind and a quantifier in it.

    Kinds: be, have, show, lack, see, maybe, do; empty if there is no verb.
    """
    place, denied, kind, floating = start, False, "", ""
    while True:
        word = w.at(place)
        category, text = word.category, word.text
        if category == "aux" or text == "'s":
            kind = kind or ("do" if text in ("do", "does", "did") else "be")
        elif category == "k":
            kind = "be"
        elif category == "h" and text != "with" and (kind != "be" or text == "got"):
            kind = "have"
        elif category == "show" and kind != "be":
            kind = "show"
        elif category == "lack" and text not in ("free of", "absence of") and text[:2] != "a ":
            kind = "lack" if kind in ("", "do") else kind
            place += 1
            break
        elif category == "maybe":
            kind = kind or "be"
        elif (
            category == "not"
            and kind
            and w.at(place + 1).category == "only"
            and (
                w.at(place + 2).category not in ("#", "S", "g")
                and w.at(place + 2).text not in ("a", "one")
            )
        ):
            # "is not just small, (but also green)"
            place += 1
        elif category == "not" and (kind or w.at(place + 1).category in ("aux", "k", "h")):
            denied = not denied
        elif category == "f" or category == "hedge" or (category == "i" and kind):
            pass
        elif text in ("both", "all", "each") and _floats(w, place):
            floating = "both" if text == "both" else "all"
            if w.at(place - 1).category == "not" and denied:
                # "are not all small"
                floating, denied = "notall", False
        elif (
            (category == "only" and kind and w.at(place + 1).category not in ("#", "S", "g"))
            or text == "going"
            or text == "use"
        ):
            pass
        else:
            break
        place += 1
    if not kind:
        return start, False, "", ""
    return place, denied, kind, floating


def _floats(w: Words, place: int) -> bool:
    after = w.at(w.skip(place + 1))
    if w.at(place).text == "both" and after.category in ATTRIBUTE_OF:
        # "is both red and small" against "are both red".
        return w.at(place - 1).text in (
            "are",
            "were",
            "they",
            "have",
            "look",
            "appear",
            "seem",
        ) or (w.at(place - 1).category in ("f", "k", "not"))
    return after.text not in ("the", "of", "these", "those") and after.category not in ("#",)
