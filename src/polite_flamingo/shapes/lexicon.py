"""The English words the oracle knows: what people call shapes, colours, places and relations.

Written from general English, apart from the language that writes the annotations.
"""

from __future__ import annotations

from polite_flamingo.shapes.scene import COLORS, SHAPES


def build_lexicon() -> dict[str, tuple[str, str]]:
    """Map words and phrases to (letter, value); letters are explained at each entry."""
    table: dict[str, tuple[str, str]] = {}

    def add(letter: str, value: str, phrases: str) -> None:
        for phrase in phrases.split("|"):
            table[phrase] = (letter, value)

    # c colour, s shape noun, g generic noun ("+": plural), y shape adjective, z size, x texture.
    for color in COLORS:
        add("c", color, color)
        add("c", color, f"light {color}|dark {color}|bright {color}|pale {color}|deep {color}")
    add("c", "gray", "grey|light grey|dark grey")
    add("c", "purple", "violet")
    for color in (
        "pink",
        "white",
        "cream",
        "lavender",
        "beige",
        "cyan",
        "magenta",
        "turquoise",
        "navy",
        "maroon",
        "gold",
        "silver",
        "olive",
        "indigo",
        "tan",
        "crimson",
        "lime",
    ):
        add("c", color, color)
    for shape in SHAPES:
        plural = f"{shape}es" if shape.endswith("s") else f"{shape}s"
        add("s", shape, f"{shape}|{shape} shape|{shape} shaped")
        add("s", f"{shape}+", f"{plural}|{shape} shapes")
    add("s", "circle", "disc|disk|circular shape|round shape|circular object|round object")
    add("s", "circle+", "discs|disks|circular shapes|round shapes")
    add("s", "triangle", "triangular shape|triangular object")
    add("s", "rectangle", "rectangular shape|rectangular object")
    add("s", "cross", "plus sign|plus|cross shape")
    add("s", "cross+", "plus signs|pluses|plusses")
    for shape in (
        "oval",
        "ellipse",
        "pentagon",
        "hexagon",
        "diamond",
        "heart",
        "arrow",
        "cube",
        "sphere",
        "cylinder",
        "octagon",
        "crescent",
        "pyramid",
        "dog",
        "cat",
        "person",
    ):
        add("s", shape, shape)
        add("s", f"{shape}+", f"{shape}s")
    add("y", "circle", "circular|round")
    add("y", "triangle", "triangular")
    add("y", "rectangle", "rectangular")
    add("g", "", "shape|thing|object|figure|item|element|something|anything")
    add("g", "+", "shapes|things|objects|figures|items|elements|ones")
    add("z", "small", "small|little|tiny|smallish|mini|minor|small sized")
    add("z", "large", "large|big|huge|largish|sizable|large sized|enormous")
    add("x", "plain", "plain|solid|uniform|unpatterned|untextured|plain colored|solid colored")
    add("x", "striped", "striped|stripy|stripes|stripe|lined|banded|stripey")
    add("x", "dotted", "dotted|spotted|dots|spots|polka dotted|polka dots|speckled")
    # Attribute nouns, number noun, background.
    add("C", "color", "color|colors|colour|colours|hue|shade")
    add("Z", "size", "size|sizes")
    add("T", "texture", "texture|textures|pattern|patterns|surface")
    add("K", "", "number of|count of|total of|total number of|number|count")
    add("B", "", "background|backdrop")
    # Numbers.
    words = (
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    )
    for value, word in enumerate(words):
        add("#", str(value), f"{word}|exactly {word}|exactly {value}|{value}|only {word}")
        add("#", f">={value}", f"at least {word}|at least {value}")
        add("#", f"<={value}", f"at most {word}|at most {value}|up to {word}")
        add("#", f">{value}", f"more than {word}|more than {value}|over {word}")
        add("#", f"<{value}", f"fewer than {word}|less than {word}|fewer than {value}")
    add("#", "0", "none|none of them")
    add("#", "1", "a single|single|just one|only a single|a lone|lone|exactly a single")
    add("#", "2", "a pair of|a couple of|both|pair of")
    # Determiners.
    add("d", "", "a|an|some|any|another|several|multiple|many|various|other|a few|few")
    add("D", "", "the|this|these|those|its|each|every|all|all of the|all the")
    add("0", "", "no|not a single|not any|zero of the|not a|not an|neither")
    # Relations, regions.
    for relation, phrases in {
        "left of": "to the left of|left of|on the left of|on the left side of|to the left side of",
        "right of": "to the right of|right of|on the right of|on the right side of",
        "above": "above|over|on top of|higher than|higher up than|north of",
        "below": "below|under|beneath|underneath|lower than|lower down than|south of",
    }.items():
        add("R", relation, phrases)
    sides = {"top": "top|upper", "bottom": "bottom|lower"}
    for vertical, names in sides.items():
        for name in names.split("|"):
            for side in ("left", "right"):
                add("G", f"{vertical} {side}", f"{name} {side}|{side} {name}")
            for middle in ("center", "centre", "middle"):
                add("G", vertical, f"{name} {middle}|{middle} {name}|{name} edge|{name} part")
        add("G", vertical, f"{vertical}|{vertical} side")
    for side in ("left", "right"):
        add("G", side, f"middle {side}|center {side}|{side} side|{side} edge|{side} half")
        add("G", side, f"{side} part")
        add("G", side, f"{side} middle|{side} center|on the {side}|to the {side}|at the {side}")
        add("G", side, f"in the {side}|the {side}|far {side}|{side} hand side|the far {side}")
        # A bare "right" may be a filler; the clause decides.
        add("g?", side, side)
    add("G", "center", "center|centre|middle")
    # Verbs and frames.
    add(
        "k",
        "",
        "is|are|was|were|be|being|appears to be|appear to be|seems to be|seem to be|"
        "looks|look|looks to be|appears|appear|remains|would be|may be|might be|could be|"
        "must be|looks like|appears as",
    )
    add(
        "e",
        "",
        "contain|contains|show|shows|has|have|had|include|includes|feature|features|"
        "depict|depicts|display|displays|see|find|count|spot|notice|observe|present in|"
        "containing|showing|featuring|holds|presents|made of|seeing|portrays|detect",
    )
    add("t", "", "there|here")
    add("n", "", "not|never|nor")
    add("&", "", "and|as well as|along with|plus also|together with|alongside|accompanied by")
    add("|", "", "or|either")
    add("P", "", "it|they|them|that one|this one")
    add(
        "p",
        "",
        "present|visible|shown|depicted|displayed|can be seen|seen|found|included|"
        "exists|exist|can be found|in view|featured|contained",
    )
    add("a", "", "absent|missing|lacking|nowhere")
    add(
        "w",
        "",
        "without|lacks|lack|free of|devoid of|instead of|rather than|except|without any|"
        "lacks any|absence of|no sign of|no trace of",
    )
    add("m", "more", "more|a greater number of|a larger number of|a higher number of|greater")
    add("m", "fewer", "fewer|less|a smaller number of|a lower number of")
    add(
        "m",
        "same",
        "as many|the same number of|an equal number of|equally many|same number of|"
        "equal numbers of|an equal amount of|same amount of|equal in number",
    )
    add("O", "more", "outnumber|outnumbers|more numerous than|more common than")
    add("O", "fewer", "less numerous than|outnumbered by|less common than|rarer than")
    add("M", "more", "larger|bigger|higher")
    add("M", "fewer", "smaller|lower")
    # What comes behind is denied.
    add(
        "F",
        "",
        "not correct that|not true that|not the case that|incorrect that|false that|"
        "wrong that|not right that|not think|not think that|not believe|not believe that",
    )
    add("o", "", "correct that|true that|the case that|right that|believe that|think that")
    add("o", "", "the right answer|right answer|the right color|right color|the right word")
    add("h", "", "than|compared to|relative to")
    add("Y", "", "yes|yeah|yep|yup|correct|indeed|affirmative|true|absolutely|certainly is")
    add("X", "", "nope|incorrect|negative|false|nah|wrong")
    add(
        "u",
        "",
        "not sure|unsure|can not tell|can not say|can not determine|do not know|unclear|"
        "unable|whether|hard to tell|hard to say|difficult to|not certain|no idea|"
        "uncertain|impossible to|can not be determined|not clear|if|do not see whether|"
        "can not be sure|imagine|suppose",
    )
    add("r", "", "that|which|who")
    add("W", "", "with|having|in")
    add("W", "of", "of")
    for image in (
        "image",
        "picture",
        "photo",
        "scene",
        "drawing",
        "photograph",
        "illustration",
        "canvas",
        "figure shown",
    ):
        add(
            "I",
            "",
            f"the {image}|this {image}|your {image}|that {image}|{image}|an {image}|a {image}",
        )
        add(
            "i",
            "",
            f"in the {image}|in this {image}|within the {image}|in your {image}|"
            f"on the {image}|inside the {image}|of the {image}|in that {image}|"
            f"from the {image}|part of the {image}|anywhere in the {image}",
        )
    # Words that may stand between an adjective and its noun.
    add(
        "f",
        "",
        "colored|coloured|looking|bright|dark|light|nice|simple|beautiful|geometric|"
        "shaped|very|rather|quite|clearly|lovely|in total|sized|pretty|filled|textured|"
        "patterned|medium|vibrant|distinct|different|also|just|only|really|actually",
    )
    return table
