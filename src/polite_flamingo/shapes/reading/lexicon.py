"""The English words the oracle knows: what people call shapes, colours, places and relations.

Written from general English, apart from the language that writes the annotations.
"""

from __future__ import annotations

from polite_flamingo.shapes.reading.phrasebook import Add, add_answers, add_fillers
from polite_flamingo.shapes.scene import COLORS, SHAPES

# Categories: C colour, S shape noun, g generic noun, y shape adjective, z size, x texture (adjective
# or noun), Q quality noun, # number, R relation, r relation nobody settles, G place, sup superlative,
# cmp size comparative, k copula and verbs of standing somewhere, aux, h having, see seeing, p being
# visible, gone absence, Y yes, X no, u refusal, maybe, hedge, negframe, past, if, I image noun,
# i phrase about the whole image, B background, f filler, only, except, alike.
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()
# Things and colours that no scene holds: a claim of them is a claim, and false.
_OTHER_SHAPES = (
    "oval|ellipse|pentagon|hexagon|diamond|heart|arrow|cube|sphere|cylinder|octagon|crescent|pyramid|"
    "rhombus|trapezoid|parallelogram|cone|dog|cat|person|man|woman|car|tree|house|bird|flower|moon|"
    "semicircle|polygon|ring|line"
)
_OTHER_COLORS = (
    "pink|white|cream|lavender|beige|cyan|magenta|turquoise|navy|maroon|gold|golden|silver|olive|"
    "indigo|tan|crimson|lime|aqua|scarlet|burgundy|ivory|peach|coral|salmon|khaki|mint"
)


def build_lexicon() -> dict[str, tuple[str, str]]:
    """Map words and phrases to (category, value); categories are listed at the top of the module."""
    table: dict[str, tuple[str, str]] = {}

    def add(category: str, value: str, phrases: str) -> None:
        for phrase in phrases.split("|"):
            table[phrase] = (category, value)

    _things(add)
    _numbers(add)
    _places(add)
    _verbs(add)
    add_answers(add)
    add_fillers(add)
    return table


def _things(add: Add) -> None:
    for color in COLORS:
        add("C", color, color)
        for shade in ("light", "dark", "bright", "pale", "deep", "solid", "vivid", "pure"):
            add("C", color, f"{shade} {color}")
        add("C", color, f"{color}ish|{color} colored|{color} coloured|{color} in color")
        add("C", color, f"{color} in colour")
    add("C", "gray", "grey|light grey|dark grey|greyish|grey colored|grey coloured|grey in color")
    add("C", "purple", "violet|violet colored")
    add("C", "black", "jet black|pitch black")
    for color in ("blue", "green"):
        # Kept apart from the colour: only a background is light blue.
        add("C", f"light {color}", f"light {color}|pale {color}|soft {color}|baby {color}")
    for color in _OTHER_COLORS.split("|"):
        add("C", color, f"{color}|soft {color}|light {color}|pale {color}")
    add("C", "gold", "golden")
    add("C", "cream", "cream colored|off white|cream white")
    add("C", "lavender", "lilac")
    for shape in SHAPES:
        plural = f"{shape}es" if shape.endswith("s") else f"{shape}s"
        add("S", shape, f"{shape}|{shape} shape|{shape} figure|{shape} one")
        add("S", f"{shape}+", f"{plural}|{shape} shapes|{shape} figures|{shape} ones")
        add("y", shape, f"{shape} shaped")
    for shape, names in {
        "circle": "disc|disk|dot shape|ball|roundel",
        "cross": "plus sign|plus|plus symbol|plus shape|x shape|cross symbol",
        "star": "starlet|asterisk",
        "rectangle": "oblong",
        "square": "quadrate",
    }.items():
        for name in names.split("|"):
            add("S", shape, name)
            add("S", f"{shape}+", f"{name}s" if not name.endswith("s") else f"{name}es")
    add("S", "cross+", "plusses")
    for shape in _OTHER_SHAPES.split("|"):
        add("S", shape, shape)
        add("S", f"{shape}+", f"{shape}s")
    add("S", "person+", "people|persons")
    add("y", "circle", "circular|round|disc shaped|disk shaped|rounded")
    add("y", "triangle", "triangular|three sided|a triangular shape")
    add("y", "rectangle", "rectangular|oblong shaped")
    add("y", "cross", "plus shaped|cruciform|crosslike|crossed")
    add("y", "star", "starry|starlike|star like")
    add("y", "oval", "oval shaped|elliptical")
    add("g", "", "shape|thing|object|figure|item|element|form|geometric shape|symbol|piece|entity")
    add("g", "+", "shapes|things|objects|figures|items|elements|forms|geometric shapes|symbols")
    add("g", "+", "pieces|entities|stuff|content|contents")
    add("z", "small", "small|little|tiny|smallish|mini|minor|small sized|small in size|miniature")
    add("z", "small", "teeny|petite|wee|not big|not large|not very big|not very large|compact")
    add("z", "large", "large|big|huge|largish|sizable|sizeable|large sized|enormous|large in size")
    add("z", "large", "big in size|biggish|giant|massive|big sized|not small|not very small")
    add("z", "large", "great big|substantial|oversized")
    add("z", "medium", "medium|medium sized|middle sized|mid sized|average sized")
    add("x", "plain", "plain|solid|uniform|unpatterned|untextured|plain colored|solid colored")
    add("x", "plain", "patternless|solidly filled|solid filled|flat|no texture|textureless")
    add("x", "plain", "a solid color|a solid fill|solid fill|one solid color|unadorned|blank")
    add("x", "plain", "uniformly colored|uniform in color|evenly colored|solid in color")
    add("x", "striped", "striped|stripy|stripes|stripe|banded|stripey|striping|stripped|bands")
    add("x", "striped", "stripes all over|striped texture|striped pattern|lined|stripe pattern")
    add("x", "dotted", "dotted|spotted|dots|spots|polka dotted|polka dots|speckled|spotty|dotty")
    add(
        "x", "dotted", "dots all over|dot pattern|dotted pattern|polka dot|speckles|specks|freckled"
    )
    add("x", "patterned", "patterned|textured|pattern on it|not plain")
    add("x", "checkered", "checkered|checked|chequered|zigzag|wavy|gradient|starred|plaid")
    add("Q", "color", "color|colors|colour|colours|hue|hues|shade|shades|coloring|colouring")
    add("Q", "size", "size|sizes|dimensions")
    add("Q", "shape", "outline|silhouette|contour|geometry|outer form")
    add("Q", "look", "look|appearance|impression|design|style|finish|decoration|print")
    add("Q", "texture", "texture|textures|pattern|patterns|surface|fill|filling|patterning")
    add("Q", "place", "position|location|positions|locations|spot where|place")
    add("K", "", "number of|count of|total of|total number of|number|count|amount of|quantity of")
    add("I", "", "image|picture|photo|scene|drawing|photograph|illustration|canvas|pic|frame")
    add("I", "", "graphic|artwork|painting|composition|snapshot|visual")
    add("B", "", "background|backdrop|back ground")


def _numbers(add: Add) -> None:
    for value, word in enumerate(_NUMBERS):
        for name in (word, str(value)):
            add("#", f"={value}", f"{name}|exactly {name}|precisely {name}|a total of {name}")
            add("#", f"={value}", f"a grand total of {name}|no more and no less than {name}")
            add("#", f">={value}", f"at least {name}|no fewer than {name}|no less than {name}")
            add("#", f">={value}", f"not fewer than {name}|not less than {name}|{name} or more")
            add("#", f">={value}", f"a minimum of {name}")
            add("#", f"<={value}", f"at most {name}|up to {name}|no more than {name}")
            add("#", f"<={value}", f"not more than {name}|{name} or fewer|{name} or less")
            add("#", f"<={value}", f"a maximum of {name}")
            add("#", f">{value}", f"more than {name}|over {name}|greater than {name}")
            add("#", f"<{value}", f"fewer than {name}|less than {name}|under {name}")
    add("#", "=1", "a single|single|just one|only one|only a single|a lone|lone|exactly a single")
    add("#", "=1", "just a single|a solitary|solitary|a sole|one single")
    add(
        "#",
        "=2",
        "a pair of|a couple of|a couple|a pair|pair of|couple of|a duo of|twin|two pieces of",
    )
    add("#", "=3", "a trio of|a trio|a threesome of")
    add("#", "=4", "a quartet of")
    add("#", "=12", "a dozen|dozen")
    add("#", ">=2", "several|multiple|a few|a number of|many|numerous|various|more than a single")
    add("#", ">=2", "lots of|a lot of|plenty of|a bunch of|a handful of|a group of")
    add("ord", "1", "first|former|1st")
    add("ord", "2", "second|latter|2nd")
    for value, word in enumerate(("third|3rd", "fourth|4th", "fifth|5th", "sixth", "seventh"), 3):
        add("ord", str(value), word)
    add("ord", "", "last|final")


def _places(add: Add) -> None:
    for side, inverse in (("left", "right"), ("right", "left")):
        heads = (
            f"to the {side} of|{side} of|on the {side} of|on the {side} side of|"
            f"to the {side} side of|further {side} than|farther {side} than|more {side} than|"
            f"further to the {side} than|farther to the {side} than|more to the {side} than|"
            f"to the {side} from|at the {side} of|closer to the {side} than|{side} from|"
            f"over to the {side} of|nearer to the {side} than|on the {side} hand side of|"
            f"to the {side} hand side of|off to the {side} of"
        )
        add("R", f"{side} of", heads)
        add(
            "R!",
            f"{side} of",
            f"further {side}|farther {side}|further to the {side}|more to the {side}",
        )
        add("R!", f"{side} of", f"farther to the {side}|more {side}")
        add("sup", side, f"{side}most|{side} most|furthest {side}|furthest to the {side}")
        add("sup", side, f"farthest {side}|farthest to the {side}|most {inverse}ward")
        add("sup", side, f"closest to the {side}|nearest to the {side}|outermost {side}")
        add("G1", side, f"{side}|{side}hand|{side} hand|{side}ward|{side} side|{side} hand side")
    add("G1", "left", "west|western")
    add("G1", "right", "east|eastern")
    above = (
        "above|over|on top of|higher than|higher up than|north of|atop|upward of|further up than|"
        "closer to the top than|farther up than|upwards of|up from|nearer to the top than"
    )
    add("R", "above", above)
    below = (
        "below|under|beneath|underneath|lower than|lower down than|south of|further down than|"
        "closer to the bottom than|farther down than|down from|nearer to the bottom than"
    )
    add("R", "below", below)
    for side in ("left", "right"):
        for pronoun in ("its", "their"):
            add(
                "Rits",
                f"{side} of",
                f"to {pronoun} {side}|on {pronoun} {side}|to {pronoun} {side} side",
            )
            add("Rits", f"{side} of", f"on {pronoun} {side} side|on {pronoun} {side} hand side")
    add("R!", "above", "higher|higher up|further up|up higher|nearer the top|farther up")
    add("R!", "below", "lower|lower down|further down|down lower|nearer the bottom|farther down")
    add("sup", "top", "topmost|uppermost|highest|top most|closest to the top|furthest up|upmost")
    add("sup", "top", "highest up|nearest to the top")
    add(
        "sup", "bottom", "bottommost|lowermost|lowest|bottom most|closest to the bottom|lowest down"
    )
    add("sup", "bottom", "furthest down|nearest to the bottom")
    add("sup", "large", "largest|biggest|greatest in size|largest in size|biggest in size")
    add("sup", "small", "smallest|tiniest|littlest|smallest in size")
    add("cmp", "large", "larger|bigger|larger in size|bigger in size|greater in size")
    add("cmp", "small", "smaller|tinier|littler|smaller in size|less big|less large")
    add("G1", "top", "top|upper|uppermost part|north|northern")
    add("G1", "bottom", "bottom|lower|south|southern")
    add("G1", "center", "center|centre|middle|central|dead center|centered|centrally|midst")
    add("G2", "top left", "topleft|northwest|north west|upperleft|top lefthand")
    add("G2", "top right", "topright|northeast|north east|upperright")
    add("G2", "bottom left", "bottomleft|southwest|south west|lowerleft")
    add("G2", "bottom right", "bottomright|southeast|south east|lowerright")
    add("part", "", "side|part|area|portion|section|region|edge|border|sector|end|zone|hand")
    add("part", "", "place|spot|position|location|quadrant|margin|of it all|space")
    add("part", "corner", "corner|corners")
    add("part", "half", "half")
    add("r", "", "next to|beside|besides it|near|close to|adjacent to|by|touching|overlapping")
    add("r", "", "overlaps|between|in between|in front of|behind|opposite|around|surrounded by")
    add("r", "", "far from|inside of|diagonal to|diagonally|aligned with|partly behind|covering")
    add("r", "", "partially behind|away from|level with|next|hidden by|covered by|touches|covers")


def _verbs(add: Add) -> None:
    add("aux", "", "is|are|was|were|be|been|being|do|does|did|can|will|would|has been|have been")
    add("aux", "", "should|must|shall|am|must be|should be|would be|will be|can be|has to be")
    add(
        "k",
        "",
        "appears|appear|seems|seem|looks|look|remains|sits|sit|sitting|lies|lie|lying|stands|stand|"
        "standing|rests|resting|located|placed|positioned|situated|hangs|hanging|floats|floating|"
        "resides|appears to be|appear to be|seems to be|seem to be|looks to be|look to be|"
        "looks like|look like|appears as|turns out to be|happens to be|happen to be|to be|"
        "appearing|nestled|tucked|set|stays|found sitting|would seem|comes out as|goes|hiding|"
        "lives|ends up|occupies|occupy|occupying|counts as|rest|remaining|proves to be|prove to be|considered|described as|forms|form of a|makes|represents|constitutes|takes the form of|"
        "has the form of|has the shape of|takes the shape of|is of the form|form up|makes for",
    )
    add(
        "paint",
        "",
        "colored|coloured|painted|shaded|filled|drawn|rendered|decorated|covered|marked",
    )
    add("paint", "", "made|adorned|tinted|dyed|done|shaped|textured|patterned with|colored in")
    add("h", "", "has|have|having|had|bears|bearing|sports|sporting|carries|carrying|wears|wearing")
    add(
        "h",
        "",
        "got|boasts|with|comes with|has got|have got|exhibits|possesses|featuring a surface of",
    )
    add(
        "show",
        "",
        "contains|contain|shows|show|includes|include|features|feature|depicts|depict|displays|"
        "display|presents|containing|showing|featuring|holds|hold|portrays|depicting|displaying|"
        "consists of|consist of|is made up of|made up of|comprises|is composed of|including|"
        "presenting|holding|houses|illustrates|consisting of|comprising|is comprised of|offers",
    )
    add(
        "lack", "", "lacks|lack|lacking|misses|is lacking|does without|devoid of|free of|is without"
    )
    add("no", "", "hardly any|barely any|scarcely any|absolutely no")
    add("equal number", "", "equal in number|equally numerous|equally common|the same in number")
    add("lack", "", "absence of|no sign of|no trace of|free from|not a trace of")
    add(
        "lack",
        "",
        "a lack of|an absence of|a complete absence of|a total lack of|a complete lack of",
    )
    add("lack", "", "not a sign of|fails to show|not contain|fail to see|zero of")
    add("see", "", "see|find|count|spot|notice|observe|identify|detect|make out|recognize|counted")
    add("see", "", "get|arrive at|end up with|come to|come up with|come across|meet|discover")
    add("see", "", "perceive|discern|seeing|saw|found|view|got|note|locate|counting|observed")
    add(
        "see",
        "",
        "am looking at|are looking at|presented with|able to see|able to spot|able to find|noticed",
    )
    add(
        "p",
        "",
        "present|visible|shown|depicted|displayed|seen|included|exists|exist|in view|featured|"
        "contained|in sight|to be seen|to be found|existing|portrayed|pictured|on display|"
        "presented|represented|detected|around here|in evidence|in existence|spotted there",
    )
    add("gone", "", "absent|missing|nowhere|nowhere to be seen|nowhere to be found")
    add("empty", "", "empty|vacant|unoccupied|bare")
    add("gone", "", "nowhere in sight|not present|not visible|not shown")
    add("not", "", "not|never|hardly|no longer|by no means|in no way|anything but|far from being")
    add("nor", "", "nor")
    add(
        "&",
        "",
        "and|as well as|along with|together with|alongside|accompanied by|plus also|and also",
    )
    add(
        "&",
        "",
        "in addition to|joined by|and then|next come|paired with|followed by|then|and finally",
    )
    add("or", "", "or|and or|or else|or maybe|or perhaps|or possibly")
    add("but", "", "but|yet|while|whereas|although|though|however|even though|but instead|despite")
    add(
        "but",
        "",
        "because|since|so that|therefore|hence|thus|in contrast|on the other hand|but rather",
    )
    add("but", "", "except that|only that|when|as opposed to that|in turn|making it|rather")
    add(
        "than not",
        "",
        "rather than|instead of|as opposed to|and not|but not|not to be confused with",
    )
    add(
        "than", "", "than|compared to|compared with|relative to|in comparison to|in comparison with"
    )
    add("than", "", "versus|vs|against")
    add(
        "except",
        "",
        "except|except for|apart from|other than|besides|excluding|aside from|save for",
    )
    add("except", "", "with the exception of|bar|barring|but for|save|not counting|not including")
    add(
        "only", "", "only|just|merely|solely|nothing but|nothing other than|none but|nothing except"
    )
    add("only", "", "purely|exclusively|no one but")
    add("that", "", "that|which|who")
    add("most", "", "most|the majority of|most of|a majority of|more than half of|more than half")
    add("half", "", "half|half of|exactly half of")
    add(
        "like",
        "",
        "just like|like|as does|as do|as is|as are|same as|same goes for|the same goes for",
    )
    add(
        "like",
        "",
        "the same is true of|the same is true for|same for|the same for|the same holds for",
    )
    add("like", "", "likewise for|as well|unlike also|similar to|and so is|and so are|so is|so are")
    add("like", "", "so does|so do|so too is|so too are|likewise|similarly|the same applies to")
    add("unlike", "", "unlike|in contrast to|as opposed to the|contrary to")
    add(
        "unlike",
        "",
        "neither is|neither are|neither does|neither do|nor is|nor are|nor does|nor do",
    )
    add("alike", "same", "alike|identical|equal|the same|same|matching|equally|similar|a matching")
    add("alike", "same", "one and the same|the very same|the exact same|exactly the same|equal in")
    add("alike", "same", "identical in|a common|the same kind of|uniform in|match|matches|share")
    add("alike", "same", "shares|sharing|agree in|alike in|of the same|of equal|of one|one common")
    add("alike", "different", "different|distinct|differing|not the same|differ|unequal|differ in")
    add("alike", "different", "differs in|varying|various different|unlike each other|different in")
    add("alike", "different", "of different|differs|distinct in|of differing|unique|its own")
    add("more", "more", "more|a greater number of|a larger number of|a higher number of|greater")
    add("more", "fewer", "fewer|less|a smaller number of|a lower number of")
    add(
        "more",
        "same",
        "as many|the same number of|an equal number of|equally many|equal numbers of",
    )
    add("more", "same", "same number of|the same amount of|an equal amount of|same amount of")
    add("more", "same", "just as many|exactly as many|the exact same number of|equal amounts of")
    add(
        "outnumber",
        "more",
        "outnumber|outnumbers|more numerous than|more common than|exceed|exceeds",
    )
    add("outnumber", "more", "more frequent than")
    add("outnumber", "fewer", "less numerous than|outnumbered by|less common than|rarer than")
    add("outnumber", "fewer", "fewer in number than|less frequent than|scarcer than")
    add(
        "outnumber",
        "same",
        "equals|is equal to|are equal to|equal to|equal in number to|as numerous as|as common as",
    )
    add("mostcommon", "", "most common|most numerous|most frequent")
    add("namely", "", "namely|that is to say|specifically|i e|viz|to be specific|in particular")
