"""Terse sentences on the difference between two scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from polite_flamingo.shapes.forms import CHANGE_FORMS
from polite_flamingo.shapes.scene import COLORS, Change, Scene, pick, region
from polite_flamingo.shapes.spelling import item_of, place_words, roughen, scrawl, with_article


def change_sentences(
    change: Change, rng: np.random.Generator, number: int, human: bool = False
) -> list[str]:
    """Write ``number`` different sentences about the one change of a Spot-the-Diff pair."""
    forms = CHANGE_FORMS[change.kind]
    words = {"x": "", "y": "", "a": "", "color": "", "place": "", "there": ""}
    if change.before is not None:
        words |= {
            "x": item_of(change.before, rng),
            "place": place_words(region(change.before), rng),
        }
    if change.after is not None:
        name = item_of(change.after, rng)
        words |= {
            "y": name,
            "a": with_article(name),
            "color": change.after.color,
            "there": place_words(region(change.after), rng),
        }
    order = rng.permutation(len(forms))[:number]
    finish = scrawl if human else roughen
    return [finish(forms[int(spot)].format(**words), rng) for spot in order]


def mistaken_change(change: Change, scenes: Sequence[Scene], rng: np.random.Generator) -> Change:
    """Missee the colour in a change, as no thing of that shape has in either scene."""
    thing = change.after or change.before
    if thing is None:
        return change
    used = {t.color for scene in scenes for t in scene.things if t.shape == thing.shape}
    color = pick([color for color in COLORS if color not in used] or COLORS, rng)
    after = None if change.after is None else replace(change.after, color=color)
    before = change.before
    # A recoloured thing is named rightly and given a wrong new colour; others are misseen whole.
    if change.kind != "color" and before is not None:
        before = replace(before, color=color)
    return Change(change.kind, before, after)
