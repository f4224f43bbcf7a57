"""The English words the oracle knows: what people call shapes, colours, places and relations.

Written from general English, apart from the language that writes the annotations.
"""

from __future__ import annotations

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
    _answers(add)
    return table


def _things(add) -> None:  # type: ignore[no-untyped-def]
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


def _numbers(add) -> None:  # type: ignore[no-untyped-def]
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


def _places(add) -> None:  # type: ignore[no-untyped-def]
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


def _verbs(add) -> None:  # type: ignore[no-untyped-def]
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
    add("lack", "", "absence of|no sign of|no trace of|free from|not a trace of")
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


def _answers(add) -> None:  # type: ignore[no-untyped-def]
    yes = (
        "yes|yeah|yep|yup|correct|indeed|affirmative|true|absolutely|certainly|definitely|surely|sure|"
        "of course|that is right|that is correct|that is true|that is it|it is true|it is correct|"
        "you are right|you are correct|i think so|i believe so|i do think so|i would say so|exactly|"
        "without a doubt|without doubt|undoubtedly|no doubt|yes indeed|for sure|that is the case|"
        "it is the case|precisely|right you are|why yes|yes it sure is|totally|you got it|quite so|"
        "this is correct|this is true|this is right|uh huh|aye|sure thing|sure enough|very much so|"
        "it seems so|it appears so|it looks so|it would seem so|looks like it|seems like it|"
        "that seems right|that seems correct|the statement is true|the statement is correct|"
        "that statement is true|the claim is true|you bet|positive|spot on|that is accurate|accurate|"
        "naturally|seems so|appears so|i am afraid so|i guess so|i suppose so|so it is|so it seems|"
        "the answer is yes|that matches|it matches|it does match|confirmed|i can confirm that"
    )
    no = (
        "nope|incorrect|negative|false|nah|wrong|not really|not at all|certainly not|definitely not|"
        "absolutely not|of course not|i do not think so|i do not believe so|that is wrong|naw|"
        "that is not right|that is not correct|that is not true|that is false|that is incorrect|"
        "it is false|not quite|not exactly|no way|that is not the case|it is not the case|"
        "i am afraid not|afraid not|not even close|on the contrary|far from it|hardly|not in the least|"
        "this is false|this is wrong|this is incorrect|this is not true|this is not correct|uh uh|"
        "you are wrong|you are mistaken|not so|i would not say so|this is not the case|no sir|"
        "the statement is false|that statement is false|the statement is not true|quite the opposite|"
        "the statement is incorrect|the claim is false|i doubt it|not that i can see|it is incorrect|"
        "it is not true|it is not correct|it is wrong|no indeed|sadly not|unfortunately not|"
        "the answer is no|i think not|i believe not|apparently not|seems not|that is untrue|untrue|"
        "not true|not correct|not right|not in this picture|not in this image|that is not it|"
        "not as far as i can see|not as far as i can tell|nothing of the sort|nothing of the kind|"
        "not here|neither of them is"
    ).replace("|neither of them is", "")
    add("Y", "", yes)
    add("X", "", no)
    add("no", "", "no")
    add(
        "u",
        "",
        "not sure|unsure|can not tell|can not say|can not determine|do not know|unclear|unable|whether|"
        "hard to tell|hard to say|difficult to|not certain|no idea|uncertain|impossible to|"
        "can not be determined|not clear|do not see whether|can not be sure|imagine|can not decide|"
        "can not make out|not able to|can not answer|can not see well|can not view|can not really say|"
        "not possible to|can not really tell|could not say|could not tell|not entirely sure|"
        "not completely sure|can not be certain|tough to|do not remember|do not have enough|undecided|"
        "can not honestly say|not quite sure|do not really know|not really sure|who knows|"
        "anybody s guess|anyone s guess|hesitate|can not see whether|can not judge|ambiguous|"
        "can not be sure|depends|not too sure|can not recall|can not confirm|can not identify|"
        "can not provide|can not quite tell|could not determine|not confident|beyond me|"
        "yes and no|can not access|not visible enough|can not be known|do not want to guess|would be guessing|"
        "only a guess|decline to|would rather not|refuse to|can not help with|can not assist",
    )
    add(
        "past",
        "",
        "at first|initially|i thought|i first thought|i had thought|i expected|i was expecting|"
        "i assumed|i was going to say|at first glance i thought|i mistook|i originally thought|"
        "i nearly said|i almost said|i hoped|i wish|i would have expected|one might think|"
        "you might think|one could think|some might say|some people say|someone might say|"
        "some would say|i used to think|you would think|people often|i would like|do you want|"
        "i always|i love|i prefer|i like|my favorite|my favourite|often|usually|in general|"
        "typically|for a moment i thought|for a second i thought|you may think|one would expect|"
        "if only|had there been|were there|should there be|i was told|it was claimed|i had expected",
    )
    add("if", "", "if|unless|suppose|supposing|assuming|provided|in case|even if|only if|what if")
    add(
        "maybe", "", "maybe|perhaps|possibly|might be|may be|could be|might|may|could|could well be"
    )
    add("maybe", "", "might well be|may well be|conceivably|might possibly be|might also be")
    hedges = (
        "i think that|i think|i believe that|i believe|i would say that|i would say|it seems that|"
        "it seems like|it seems|it looks like|it looks as if|it looks as though|it appears that|"
        "it appears as if|it appears as though|i guess that|i guess|i suppose that|i suppose|"
        "it would appear that|it would seem that|i am fairly sure that|i am fairly sure|"
        "i am pretty sure that|i am pretty sure|i am quite sure that|i am quite sure|i am sure that|"
        "i am sure|i am certain that|i am certain|i am confident that|i am confident|"
        "if i am not mistaken|if i see it correctly|if i see correctly|if i am right|"
        "as far as i can tell|as far as i can see|from what i can see|from what i can tell|"
        "from what i see|to me|in my opinion|in my view|to my eye|to my eyes|in my estimation|"
        "there is no denying it|there is no denying that|there is no denying|"
        "it is true that|it is correct that|it is the case that|it is fair to say that|"
        "it is safe to say that|it is clear that|it is obvious that|it is evident that|clearly|"
        "one can say that|you could say that|i can say that|i can confirm that|i can tell you that|"
        "i can tell that|i can tell|i can see that|i see that|we can see that|we see that|"
        "you can see that|you see that|i notice that|i noticed that|i observe that|note that|"
        "notice that|i must say that|i must say|i have to say|i dare say|i reckon|i reckon that|"
        "i figure|i figure that|my guess is that|my guess is|my guess would be|i am guessing|"
        "my best guess is|my best guess is that|the way i see it|i find that|there is no doubt that|"
        "no doubt|there is no question that|i do not doubt that|it turns out that|turns out|"
        "as you can see|as can be seen|as we can see|you know|believe it or not|i suspect|"
        "i suspect that|i gather|i gather that|i want to say|i am inclined to say|it must be said|"
        "i am convinced that|i am convinced|rest assured that|rest assured|i would guess|"
        "i would guess that|i would argue that|i would argue|the image shows that|it is likely that|"
        "the picture shows that|it is probable that|it is likely|chances are that|chances are|"
        "the answer is that|it is worth noting that|please note that|let me say that|what i see is|"
        "what i can see is|what we see is|what you see is|what is shown is|what we have is|"
        "what we have here is|what you have is|what i see here is|it does look like|it does seem|"
        "it does seem like|i do think|i do believe|i do believe that|i do think that|"
        "it is my impression that|my impression is that|i have the impression that|"
        "i am under the impression that|i feel that|i feel like|i would have to say|i would go with|"
        "i will go with|i am going with|i will say|let us say|"
        "it could be described as|"
        "i am happy to say|i am glad to say that|it is easy to see that|you can tell that"
    )
    add("hedge", "", hedges)
    add(
        "negframe",
        "",
        "not correct that|not true that|not the case that|incorrect that|false that|wrong that|"
        "not right that|i do not think|i do not think that|i do not believe|i do not believe that|"
        "i would not say|i would not say that|it is not true that|it is not the case that|"
        "it is not correct that|it is false that|it is wrong that|it is incorrect that|"
        "it is not right that|it is wrong to say that|it is incorrect to say that|i doubt that|"
        "it is not accurate that|it is untrue that|i doubt|it does not seem that|it would be wrong|"
        "it does not look like|it does not seem like|it does not appear that|not as if|i deny that|"
        "it would be wrong to say that|it is false to say that|it would be incorrect to say that|"
        "it is not as if|it is not like|it is a lie that|it is impossible that|there is no way|"
        "there is no way that|i can not say that|i can not see that|one can not say that|"
        "it can not be said that|you can not say that|i do not see that|it is not accurate to say that|"
        "it is not correct to say that|it is not true to say that|i would never say that",
    )
    whole = "image|picture|photo|scene|drawing|photograph|illustration|canvas|pic|frame|composition"
    for image in whole.split("|"):
        for det in (
            "the",
            "this",
            "your",
            "that",
            "an",
            "a",
            "the given",
            "the whole",
            "the entire",
        ):
            for prep in (
                "in",
                "within",
                "on",
                "inside",
                "of",
                "from",
                "across",
                "throughout",
                "for",
            ):
                add("i", "", f"{prep} {det} {image}")
            add("i", "", f"anywhere in {det} {image}|{det} {image}'s")
            add("p", "", f"part of {det} {image}|a part of {det} {image}")
        add("i", "", f"overall {image}|in {image}")
    add("i", "", "in total|altogether|in all|all together|all in all|overall|here|among them|on it")
    add("i", "", "in there|in front of me|in front of us|in it|in this one|all over|all over it")
    add(
        "i", "", "everywhere|anywhere|at all|on the canvas|on display here|on its own|alone|on show"
    )
    add(
        "i",
        "",
        "on the page|on screen|on the screen|for you|by itself|in here|in number|all around",
    )
    add("i", "", "on its surface|on them|across it|across its surface|over its surface|as a whole")
    add("i", "", "in view here|in this case|of all|of them all|overall in the image|of the bunch")
    fillers = (
        "very|quite|clearly|rather|pretty|nice|simple|beautiful|lovely|geometric|bright|vibrant|vivid|"
        "really|actually|also|too|even|still|simply|basically|fairly|probably|likely|evidently|"
        "obviously|apparently|presumably|honestly|frankly|seemingly|additionally|furthermore|"
        "moreover|meanwhile|besides that|finally|directly|slightly|roughly|approximately|"
        "somewhat|extremely|way|much|far|a bit|a little bit|a lot|lot|considerably|noticeably|"
        "significantly|plainly|neatly|cleanly|both of them|either way|already|now|a shade of|shade of|what you see|what i see|what we see|what you can see|what i can see|"
        "well|oh|ah|hmm|um|uh|hey|ok|okay|so|please|thanks|thank you|hello|hi|sorry|i am sorry|"
        "great question|good question|good eye|alright|wow|why|anyway|interesting|"
        "immediately|straight|exact|same old|specific|particular|cute|pleasant|tidy|"
        "in fact|as a matter of fact|in reality|for instance|for example|more precisely|precisely speaking|"
        "to be exact|to be precise|to be honest|as it happens|in other words|upon closer inspection|"
        "on closer inspection|at a glance|looking closely|looking at it|after a closer look|"
        "you asked about|you mentioned|you refer to|you are asking about|you are referring to|you ask about|"
        "that you asked about|that you mentioned|you want to know about|you pointed out|you speak of|"
        "you inquired about|being asked about|"
        "individual|separate|visible here|depicted here|shown here|said|aforementioned|"
        "in question|in addition|on top of that|"
        "there you go|let us see|let me see|let me look|let me check|mind you|either|"
        "themselves|itself|each other|instead|again|definitively|unmistakably|distinctly|perfectly|"
        "nicely|neat|friendly|certain|truly|surprisingly|interestingly|luckily|sadly|fortunately|"
        "unfortunately|thankfully|of them there|thinly|thin|thick|fully|entirely|completely|"
        "utterly|strictly|decidedly|remarkably|comparatively|relatively|in turn|respectively|"
        "the answer is|answer|the answer|my answer is|the correct answer is|the right answer is|"
        "the answer would be|the answer must be|the right answer|right answer|"
        "it is called|we call it|as requested|from left to right|from top to bottom|tasteful|"
        "solely visible|today|kind of|sort of|of course there|colorful|colourful|complete|together"
    )
    add("f", "", fillers)
    add(
        "f",
        "",
        "if you look closely|if you look|if you count|if you check|if you take a look|when you look",
    )
    add(
        "f",
        "",
        "when you count|looking closely at it|if i look|if i count|if we look|if we count|as you look",
    )
    add(
        "f",
        "",
        "when i look|when i count|counting them|if asked|judging by it|looking|go|look|just look|simply look|just go|glancing|gazing|when looking|if you look carefully",
    )
    add(
        "f",
        "",
        "that is all i see|that is all i can see|that is all|that is all there is|that is everything",
    )
    add(
        "f",
        "",
        "that is all there is to see|that is all i can make out|nothing more|that is all i notice",
    )
    for verb in (
        "call",
        "describe",
        "label",
        "classify",
        "consider",
        "name",
        "place",
        "put",
        "locate",
    ):
        for who in ("i would not", "i do not", "one could not", "you could not", "i can not"):
            add("call", "not", f"{who} {verb}")
        for who in (
            "i would",
            "you could",
            "one could",
            "i",
            "we",
            "you can",
            "one can",
            "i can",
            "people",
            "we would",
        ):
            add("call", "", f"{who} {verb}|{who} also {verb}")
    add(
        "call",
        "",
        "i take|i would take|i find|i see it as|one may call|you may call|let us call|i rate|i judge",
    )
    add("nobody", "", "nobody|no one|noone")
    add(
        "topic",
        "",
        "speaking of|as for|regarding|concerning|when it comes to|with regard to|as regards",
    )
    add(
        "topic",
        "",
        "in terms of|with respect to|about|i looked for|i searched for|looking for|i checked for",
    )
    add(
        "topic", "", "considering|taking|given|to find|to see|to spot|to locate|if you want to find"
    )
    add(
        "see",
        "",
        "it is easy to see|it is easy to spot|it is possible to see|easy to see|easy to spot",
    )
    add("see", "", "it is possible to make out|it is easy to find|it is easy to make out|one sees")
    add("f", "", "not only does|not only do|not only will you see")
