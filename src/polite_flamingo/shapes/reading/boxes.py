"""Box lines of a draft, "red circle: [0.1, 0.2, 0.3, 0.4]": names are claimed, places allowed."""

from __future__ import annotations

import re

from polite_flamingo.shapes.reading.claims import Claim, In
from polite_flamingo.shapes.reading.text import read
from polite_flamingo.shapes.scene import Thing, region

_NUMBER = r"\s*(-?\d*\.?\d+)\s*"
_BOX = re.compile(
    rf"^\s*[-*\u2022]?\s*(?P<name>[^:\[\]\n]+?)\s*:?\s*[\[(]{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}[\])]\s*[;,.]?\s*$",
    re.MULTILINE,
)


def without_boxes(draft: str) -> str:
    """Turn box lines into names: each box says that there is such a thing."""
    if "[" not in draft and "(" not in draft:
        return draft
    # The line that announces the boxes claims nothing.
    named = [match["name"] for match in _BOX.finditer(draft)]
    if not named:
        return draft
    rest = _BOX.sub("", draft)
    rest = "\n".join(
        line
        for line in rest.splitlines()
        if not re.search(r"\bbox|\bcoordinates|:\s*$", line.lower())
    )
    return "\n".join(
        [rest.strip(), *(f"a {name.strip()}" for name in dict.fromkeys(named))]
    ).strip()


def placed(draft: str) -> list[Claim]:
    """What boxes let a rewrite say: each thing with its place in the image, and how many there are."""
    claims: list[Claim] = []
    names: dict[str, int] = {}
    for match in _BOX.finditer(draft):
        name = match["name"].strip().lower()
        x1, y1, x2, y2 = (float(match[k]) for k in range(2, 6))
        thing = Thing("", "", "", "", (x1, y1, x2, y2))
        names[name] = names.get(name, 0) + 1
        for claim in read(f"a {name}"):
            claims.append(Claim("some", claim.subject, (*claim.scope, In(region(thing)))))
    for name, number in names.items():
        for claim in read(f"a {name}"):
            claims.append(Claim("num", claim.subject, claim.scope, number=f"={number}"))
    return claims
