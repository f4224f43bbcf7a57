"""Rules that cut a polite English answer down to an annotator's few words.

Works on the text alone: lexicons of courtesy and of function words, and patterns of clauses
(copula, existential, perception, negation, number). It knows no template and no image.
"""

from __future__ import annotations

import re

import numpy as np

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+")
_BULLET = re.compile(r"^\s*(?:[-*•]+|\d+[.)])\s+")
_MARKUP = re.compile(r"[*_`#]{1,3}")
_WORD = re.compile(r"[\w]+(?:['\u2019-][\w]+)*")

_COURTESY = re.compile(
    r"^(?:thanks?\b|thank you|you(?:'re| are) (?:very |most )?welcome|i hope|hope (?:this|that|it)|"
    r"(?:please )?(?:feel free|do(?:n't| not) hesitate|let me know)|"
    r"if (?:you|there(?:'s| is)) (?:have|need|would|want|wish|any|are|like|anything|further|"
    r"something|more)\b|is there anything|have a (?:nice|great|good|lovely|wonderful)|"
    r"would you like|do you want|shall i|(?:i'm|i am|i'd be|i would be|i'll be|always) (?:very |"
    r"more than |so )?(?:happy|glad|pleased|delighted|here)|(?:it's |it is )?my pleasure|"
    r"(?:what a |that's a |that is a )?(?:great|good|nice|lovely|interesting|fun|excellent) "
    r"(?:question|picture|image|task)|happy to help|glad (?:to|you)|here(?:'s| is| are| you go)|"
    r"hello|hi\b|hey\b|just (?:let|ask)|any (?:other|more|further) questions)",
    re.IGNORECASE,
)
_INTERJECTION = re.compile(
    r"^(?:sure(?: thing)?|certainly|of course|absolutely|gladly|with pleasure|well|okay|ok|alright|"
    r"all right|indeed|definitely|no problem|my pleasure|happy to help|hello(?: there)?|"
    r"hi(?: there)?|(?:a |what a )?(?:great|good|nice|lovely|interesting) question|"
    r"thank(?:s| you)(?: (?:so much|very much|a lot))?(?: for (?:asking|sharing|the question|"
    r"your question)[^,.!:]*)?)\s*[,.!:;\u2013\u2014-]+\s*",
    re.IGNORECASE,
)
_VIEW = re.compile(
    r"^(?:(?:(?:when |upon |after |by |on )?(?:looking|taking|having|examining|inspecting|viewing)"
    r"\b[^,]{0,60}|(?:in|from|within|on|across) (?:the|this|your|that) (?:given |provided |above )?"
    r"(?:image|picture|photo|scene|drawing|illustration|canvas)|from what i (?:can )?(?:see|tell)|"
    r"as (?:far as |best )?i can (?:see|tell|judge)|based on [^,]{0,60}|upon [^,]{0,40}inspection|"
    r"to answer your question|according to [^,]{0,40}|in this case|as you (?:can see|may know)|"
    r"overall|in summary|additionally|furthermore|moreover|also|besides|finally|therefore|"
    r"however|in addition|in fact|interestingly|meanwhile),\s*)",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"^(?:(?:i (?:can |could )?(?:clearly |also )?(?:see|notice|observe|tell(?: you)?|say|think|"
    r"believe|"
    r"would say)|i'd say|it (?:appears|looks|seems)|you (?:can|may|might|will) (?:see|notice)|"
    r"we (?:can )?(?:see|notice)|it is (?:clear|worth noting|visible)|"
    r"the answer (?:to your question )?is|please note|note)(?: that| like| as if|,)\s+|"
    r"i (?:think|believe|would say|guess) |i'd say |"
    r"(?:the|my) answer(?: to your question)? (?:is|would be)[ ,:]+)",
    re.IGNORECASE,
)
_OPINION_LAST = re.compile(
    r",\s*(?:i (?:would say|think|believe|guess)|i'd say|as you can see|of course|to be precise|"
    r"if i may say so|in my view)(?=[.!]?$)",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r",?\s*\b(?:(?:visible |shown |present |displayed |depicted |seen )?(?:in|within|of|on|from) "
    r"(?:the|this|your|that) (?:\w+ )?(?:image|picture|photo|scene|drawing|illustration|canvas)"
    r"(?: (?:that )?(?:you )?(?:shared|sent|provided|showed|have shared|posted)(?: with me)?)?)",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    # "No circle is shown" begins with no answer.
    r"^(yes|yeah|yep|nope|correct|right|indeed|no(?=\s*(?:[,.!:;\u2013\u2014-]|$)))\b"
    r"[\s,.!:;\u2013\u2014-]*",
    re.IGNORECASE,
)
_NO_WORDS = {"no", "nope"}
_DENIAL = re.compile(r"\b(?:no|not|none|cannot)\b|n't\b", re.IGNORECASE)
_EXISTENTIAL = re.compile(
    r"^(?:there(?:'s| is| are| was| were| appears? to be| seems? to be| exists?)|"
    r"(?:the|this|your|that) (?:\w+ )?(?:image|picture|photo|scene|drawing|illustration|canvas) "
    r"(?:\w+ly |also )?(?:shows?|contains?|depicts?|features?|includes?|has|displays?|presents?|"
    r"holds?|captures?|portrays?|is of|consists of)|it (?:shows|contains|depicts|features|includes|"
    r"has|displays)|(?:i|you|we|one) (?:can |could |may |might |will )?(?:\w+ly |also )?"
    r"(?:see|spot|find|count|notice|observe|make out)|(?:i|we) have)\s+(?:that there (?:is|are) )?",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"^(?:there (?:isn't|aren't|is not|are not|wasn't)|"
    r"(?:the|this|your) (?:\w+ )?(?:image|picture|photo|scene|drawing) (?:doesn't|does not|do not) "
    r"(?:\w+ly |seem to )?(?:show|contain|depict|feature|include|have|display)|"
    r"(?:i|you|we|one) (?:can't|cannot|can not|don't|do not|couldn't) (?:\w+ly )?"
    r"(?:see|spot|find|notice|observe))\s+(?:a|an|any|the)?\s*",
    re.IGNORECASE,
)
_COPULA = re.compile(
    r"^(?P<subject>(?!there\b)[^,]{1,90}?)(?:\s+(?:is|are|was|were|appears to be|seems to be|"
    r"looks to be|looks|appears|would be|must be)|(?<=it)'s|(?<=that)'s)\s+(?P<predicate>.+)$",
    re.IGNORECASE,
)
_PREDICATE_FILLER = re.compile(
    r"^(?:(?:a|an|the|also|clearly|actually|probably|most likely|definitely|simply|located|"
    r"positioned|situated|placed|found|colou?red|painted|a shade of|drawn|shown|"
    r"exactly|in fact|in|at|on|to|is|are|called|named|(?:form|shape|colou?r|shade) of) )+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:,|;|:|\bbecause\b|\bsince\b|\bwhich\b|\bso that\b|\bwhile\b|\bwhereas\b|"
    r"\u2014|\u2013| - |\().*$",
    re.IGNORECASE,
)
_FINAL_NOUN = re.compile(
    r"\s+(?:in (?:color|colour|shape|size|total)|colou?r|shape|texture|pattern|surface)$",
    re.IGNORECASE,
)
_WHERE = re.compile(r"\b(?:in|at|on|to|towards?|near) (?P<place>.+)$", re.IGNORECASE)
_BECAUSE = re.compile(r"\b(?:because|since|due to) (?P<reason>.+)$", re.IGNORECASE)
_HAS = re.compile(
    r"^(?:the|this|that|its?|their)\b(?:(?!\b(?:is|are|because)\b).)*?\b(?:has|have|had) "
    r"(?P<predicate>.+)$",
    re.IGNORECASE,
)

_NUMBERS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}
_DIGITS = {digit: word for word, digit in _NUMBERS.items()}

_FUNCTION_WORDS = frozenset(
    "a an the is are was were be been being am it its it's this that these those there here which "
    "who whom i you we they he she my your our their me us them can could would will shall may "
    "might must do does did has have had of to in on at as so very quite rather really just also "
    "too then and appears appear seems seem looks located positioned placed situated shown "
    "displayed depicted visible seen image picture photo scene clearly such please".split()
)
_CONTRACTION = re.compile(r"\b(there|it|that|here|what|who|he|she)'s\b", re.IGNORECASE)
# Words of talk about a picture: with nothing else a phrase tells nothing.
_TALK_WORDS = frozenset(
    "answer question ask word name named call called known shows showing look looking find found "
    "say tell part place form kind people correct not no none contains contain none thing object color size texture "
    "shape present what where when also by with for about".split()
)
_POLAR = re.compile(
    r"\W*(?:is|are|does|do|has|was|were|can(?! you (?:please )?(?:tell|say|name|count|describe)))\b"
)
# "small or large", "plain, striped or dotted"
_CHOICE = re.compile(r"\b\w+(?:, \w+)* or \w+(?=\s*\?)")
_ANSWER_QUESTION = re.compile(
    r"\b(?:what|which|how many|how big|how large|where|who|when|is|are|does|do|did|can|has|was|"
    r"were|name|identify|count)\b",
    re.IGNORECASE,
)
_DESCRIPTION = re.compile(
    r"\b(?:descri\w+|caption\w*|summar\w+|explain\w*|tell me (?:about|what)|elaborate|in detail|"
    r"what (?:do|can) you see|what is (?:shown|happening|going on)|walk me|write|list)\b",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """Split a text at sentence ends and line breaks; bullets and markup are taken off."""
    plain = _MARKUP.sub("", text.replace("\u2019", "'"))
    lines = (_BULLET.sub("", line) for line in plain.split("\n"))
    parts = (part.strip() for line in lines for part in _SENTENCE_END.split(line))
    return [part for part in parts if part]


def words(text: str) -> list[str]:
    """List the words of a text, punctuation dropped."""
    return _WORD.findall(text)


def without_courtesy(text: str) -> list[str]:
    """Take courtesy off a text: whole sentences, openers and opinions. Returns what is left.

    Where nothing but courtesy was said, the last sentence stays.
    """
    kept: list[str] = []
    whole = sentences(text)
    for sentence in whole:
        rest = sentence
        if not rest.rstrip().endswith(":"):
            before = None
            while rest != before:
                before = rest
                for opener in (_INTERJECTION, _VIEW, _OPINION):
                    rest = opener.sub("", rest)
            if _COURTESY.match(rest) and ":" in rest:
                rest = rest.split(":", 1)[1].strip()
            rest = _OPINION_LAST.sub("", rest)
            if words(rest) and not _COURTESY.match(rest) and not _only_interjection(rest):
                kept.append(rest)
    return kept or whole[-1:]


def _only_interjection(sentence: str) -> bool:
    return not words(_INTERJECTION.sub("", f"{sentence.rstrip('.!?')}. "))


def clean_phrase(text: str) -> str:
    """Take off the picture's mention, the end mark and loose punctuation."""
    return re.sub(r"\s+", " ", _PLACE.sub("", text)).strip(" \t\n.,;:!?-\u2013\u2014\"'")


def fragment(sentence: str) -> str:
    """Turn a sentence into the phrase it is about: "There is a red circle." -> "a red circle"."""
    rest = _YES_NO.sub("", sentence) or sentence
    if absent := _ABSENT.match(rest):
        return f"no {clean_phrase(rest[absent.end() :])}"
    if existential := _EXISTENTIAL.match(rest):
        tail = clean_phrase(rest[existential.end() :])
        if tail:
            return tail
    return clean_phrase(rest)


def telegram(text: str) -> str:
    """Drop function words: "The circle is above the square" -> "circle above square"."""
    spelled = _CONTRACTION.sub(r"\1 is", text)
    kept = [
        part
        for part in spelled.split()
        if part.strip(".,;:!?\"'()").lower() not in _FUNCTION_WORDS or part.isdigit()
    ]
    return clean_phrase(" ".join(kept)) or clean_phrase(text)


def core(sentence: str, question: str) -> str:
    """Find the answer phrase of a sentence: "The circle is blue." -> "blue".

    What only repeats the question is no answer: then the words that are new are.
    """
    answer = _core(sentence, question)
    if answer in ("yes", "no", "zero") or news(answer, question):
        return answer
    return news(sentence, question) or answer


def news(sentence: str, question: str) -> str:
    """List the words of a sentence that its question has not said: "Red it is." -> "red"."""
    said = {_stem(word) for word in words(question.lower())}
    # A choice that was offered is new where it is taken.
    said -= {_stem(word) for part in _CHOICE.findall(question.lower()) for word in words(part)}
    told = [word for word in words(_PLACE.sub("", sentence)) if _stem(word.lower()) not in said]
    return " ".join(word for word in told if word.lower() not in _FUNCTION_WORDS | _TALK_WORDS)


def _stem(word: str) -> str:
    return re.sub(r"(?:es|s)$", "", word) if len(word) > 3 else word


def _core(sentence: str, question: str) -> str:
    asked = question.lower()
    said = _YES_NO.match(sentence)
    # "Right, which is where the star is" tells a place.
    if said and (_POLAR.match(asked) or said.group(1).lower() not in ("right", "correct")):
        return "no" if said.group(1).lower() in _NO_WORDS else "yes"
    if re.search(r"\bhow many\b|\bnumber of\b|\bcount\b", asked):
        for word in words(sentence.lower()):
            if word in _NUMBERS or word.isdigit():
                return word
        if _ABSENT.match(sentence) or re.search(r"\bno\b|\bnone\b", sentence.lower()):
            return "zero"
    if _POLAR.match(asked) and not _CHOICE.search(asked):
        # "Is there not a cat?" "There is no cat.": yes.
        return "no" if bool(_DENIAL.search(sentence)) != bool(_DENIAL.search(asked)) else "yes"
    if re.search(r"\bwhy\b", asked):
        reason = _BECAUSE.search(sentence)
        return telegram(reason.group("reason") if reason else sentence)
    place = _WHERE.search(clean_phrase(sentence)) if "where" in asked else None
    if place:
        return _shave(place.group("place"))
    if _ABSENT.match(sentence) or _EXISTENTIAL.match(sentence):
        return _shave(fragment(sentence))
    if has := _HAS.match(clean_phrase(sentence)):
        return _shave(has.group("predicate"))
    if copula := _COPULA.match(clean_phrase(sentence)):
        return _shave(copula.group("predicate"))
    return telegram(_TAIL.sub("", sentence) or sentence)


def _shave(phrase: str) -> str:
    """Take articles, fillers and subordinate clauses off an answer phrase."""
    short = _PREDICATE_FILLER.sub("", clean_phrase(_TAIL.sub("", phrase) or phrase))
    short = _FINAL_NOUN.sub("", short) if len(short.split()) > 1 else short
    return clean_phrase(short) or clean_phrase(phrase)


def asks_short_answer(question: str, content: list[str]) -> bool:
    """Tell whether a question wants a word or two, and not a description."""
    return (
        bool(_ANSWER_QUESTION.search(question))
        and not _DESCRIPTION.search(question)
        and sum(len(words(sentence)) for sentence in content) <= 60
    )


def shorten(answer: str, question: str, rng: np.random.Generator) -> str:
    """Write the shortest, coldest version of ``answer``; ``rng`` draws how terse it gets."""
    content = without_courtesy(answer)
    if not content:
        return ""
    level = rng.random()
    if asks_short_answer(question, content):
        short = _short_answer(content, question, level, rng)
    else:
        short = _short_description(content, level, rng)
    short = short or telegram(content[0])
    if rng.random() < 0.8:
        short = short.lower()
    return f"{short}." if rng.random() < 0.15 else short


def _short_answer(content: list[str], question: str, level: float, rng: np.random.Generator) -> str:
    answer = core(content[0], question)
    if answer.lower() in _NUMBERS and rng.random() < 0.5:
        answer = _NUMBERS[answer.lower()]
    elif answer in _DIGITS and rng.random() < 0.5:
        answer = _DIGITS[answer]
    if level < 0.65:
        return answer
    said = _YES_NO.match(content[0])
    more = content[0][said.end() :] if said else content[0]
    if said and not words(more) and len(content) > 1:
        more = content[1]
    more_short = telegram(fragment(more)) if words(more) else ""
    if level < 0.8:
        return f"{answer} {more_short}".strip() if said else more_short
    reasons = [telegram(sentence) for sentence in content[1:]]
    if level < 0.92:
        return ". ".join([answer, *reasons]) if reasons else telegram(content[0])
    return clean_phrase(content[0])


def _short_description(content: list[str], level: float, rng: np.random.Generator) -> str:
    kept = content
    if len(content) > 1 and level < 0.5:
        kept = content[: int(rng.integers(1, len(content) + 1))]
    phrases = [fragment(sentence) for sentence in kept]
    if level < 0.6:
        phrases = [telegram(phrase) for phrase in phrases]
    joint = (", ", ". ", " ; ", " and ")[int(rng.choice(4, p=(0.55, 0.25, 0.1, 0.1)))]
    return joint.join(phrase for phrase in phrases if phrase)
