"""Frames around statements, by their make: "it would be wrong to claim that", "we may conclude"."""

from __future__ import annotations

import re

_ADVERB = (
    r"(?:(?:really|actually|very|quite|pretty|fairly|rather|honestly|certainly|definitely|also|simply|"
    r"confidently|safely|absolutely|clearly|perfectly|strongly|just|highly|almost|reasonably|indeed) )*"
)
_SAY = (
    r"(?:say|claim|think|believe|assume|state|suggest|conclude|maintain|argue|suppose|assert|write|"
    r"report|pretend|insist|agree|imagine|describe it by saying)"
)
_WHO = r"(?:i|we|you|one|nobody|no one|people|anyone|anybody)"
_DENIED = re.compile(
    rf"\bit (?:is|was|would be|seems) {_ADVERB}(?:not {_ADVERB}(?:true|correct|right|the case|accurate|so|"
    rf"as if|as though|like|fair|possible|a fact|valid)|wrong|incorrect|false|untrue|a mistake|inaccurate|"
    rf"misleading|a lie|an error|mistaken|impossible|a stretch)(?: to {_SAY})?(?: that)?(?= (?:the|there|it|a|an|"
    rf"all|both|every|no|none|any|one|two|three|these|they|that|this|each|its|some)\b)|"
    rf"\b(?:i|we|you|one) (?:do|would|can|could|should|will|did|may|must) (?:not|never) {_ADVERB}{_SAY}(?: that)?"
    rf"(?= (?:the|there|it|a|an|all|both|every|no|none|any|one|two|three|these|they|that|each|its|some)\b)|"
    rf"\b(?:nobody|no one) (?:would|could|can|should) {_ADVERB}(?:{_SAY}|call)(?: that)?"
    r"(?= (?:the|there|it|a|an|all|both|every|any|these|they|its)\b)"
)
_STATED = re.compile(
    rf"\b(?:i|we|you|one) (?:(?:can|could|would|may|might|will|must|have to|want to|do|should|am able to|"
    rf"would like to|like to|am happy to|am glad to|need to|dare|can only|am going to) )*{_ADVERB}"
    rf"(?:say|think|believe|guess|suppose|reckon|figure|bet|suspect|argue|conclude|confirm|claim|assure you|"
    rf"tell you|add|mention|swear|state|report|wager|gather|infer|maintain|hold|point out|note|observe|"
    rf"see|notice|tell|promise you|estimate|understand|find)(?: with certainty| for sure| for certain)? that\b|"
    rf"\b(?:it|that) (?:is|seems|appears|looks|would be) {_ADVERB}(?:clear|obvious|evident|apparent|likely|"
    rf"probable|certain|plain|true|correct|right|a fact|the case|fair to say|safe to say|plausible|undeniable|"
    rf"worth noting|worth mentioning|fair to assume|easy to see|plain to see|interesting|accurate to say|"
    rf"undisputed|visible|noticeable|as if|as though|like) (?:that )?(?=(?:the|there|it|a|an|all|both|every|no|"
    rf"none|one|two|three|these|they|each|its)\b)|"
    r"\bthere (?:is|can be) no (?:doubt|question|denying|way around it|mistaking)(?: it| about it)?(?: that)?\b|"
    r"\b(?:my|the|our) (?:best |first |educated |honest )?(?:guess|impression|feeling|bet|conclusion|opinion|"
    r"view|take|assessment|finding|reading|understanding|observation|answer) (?:is|would be|was)(?: that)?(?= )|"
    rf"\b(?:i|we) (?:am|are|feel) {_ADVERB}(?:sure|certain|confident|convinced|positive|inclined to say|"
    r"inclined to think|tempted to say|happy to say|happy to report|led to believe)(?: that)?(?= )|"
    r"\b(?:as|so) far as (?:i|we|one|you) (?:can |could )?(?:tell|see|judge|make out|know)\b|"
    r"\bit (?:seems|appears|looks)(?: to me)?(?= (?:the|there|all|both|every|no|none|two|three|these|they|each)\b)|"
    r"\bif (?:you ask me|i had to (?:guess|say|choose|pick)|i may(?: say so)?|i recall(?: correctly)?|pressed|"
    r"i see (?:it |this |that )?(?:correctly|right)|i am right|you like)\b|"
    r"\b(?:unless|if) (?:i am|my eyes are|i am very much) (?:not |badly |very much )*(?:mistaken|wrong|deceiving me)\b|"
    r"\bi can not (?:deny|help noticing|help but notice|but notice|but say)(?: that)?\b|"
    r"\bi (?:guess|suppose|think|believe|bet|suspect|reckon|figure|presume|assume|imagine)\b(?= (?:the|there|it|a|an|"
    r"all|both|they|that|its)\b)|\bi (?:have|had) no doubt(?: that)?\b|\bi do not doubt(?: that)?\b"
)
_PREMISE = re.compile(
    r"\b(?:from the fact that|given that|seeing that|seeing as|judging from the fact that|it follows that|"
    r"it follows|this means that|that means that|which means that|this shows that|which shows that|"
    r"because of this|for this reason|that is why|this is because|that is because|the reason is that)\b"
)
_VERDICT = re.compile(
    r"\b(?:i would call |i call )?(?:the|this|that|your) (?:sentence|statement|claim|description|caption|assertion|"
    r"proposition)(?: (?:that )?you (?:wrote|gave|made|quoted|mention(?:ed)?)| above| in question| given)? "
    r"(?:(?:is|was|looks|seems|holds|to be) )?(?:(?:indeed|in fact|quite|absolutely|not quite) )?"
    r"(true|correct|right|accurate|false|wrong|incorrect|not true|not correct|not right|untrue|inaccurate)\b"
)
_WHAT_IS = re.compile(
    r"\bwhat (?:i|we|you|one) (?:can |could |do |will )?(?:clearly )?(?:see|make out|notice|find|spot|observe|"
    r"have|get|recognize|identify)(?: here| in it)? (?:is|are)(?: that)?\b"
)
_OTHERS = re.compile(
    r"\b(?:some|many|other|most|a few)? ?(?:people|others|viewers|someone|somebody|folks|critics) "
    r"(?:(?:might|may|could|would|will|can) )?(?:say|think|call|believe|argue|claim|expect|mistake|see)\b|"
    r"\b(?:you|one|we) (?:might|may|could|would) (?:have )?(?:expect|expected|think|thought|assume|assumed)\b"
)
_TRUE = {"true", "correct", "right", "accurate"}
_NOT_MISSED = re.compile(
    r"\b(?:it is |it is very )?(?:hard|impossible|difficult|not easy) to (?:miss|overlook)\b|"
    r"\b(?:you|one|we|i) can (?:not|hardly) (?:miss|overlook)\b"
)


def mark_frames(text: str) -> str:
    """Put one phrase for all that deny, and none for all that merely introduce, a statement."""
    if " to miss" in text or "overlook" in text or " miss " in text:
        text = _NOT_MISSED.sub("i see", text)
    if " that" in text or "follows" in text or "because" in text:
        text = _PREMISE.sub(" ", text)
    if (
        "you " in text
        or "sentence" in text
        or "statement" in text
        or "claim" in text
        or "caption" in text
    ):
        text = _VERDICT.sub(
            lambda m: "that is true ," if m[1] in _TRUE else "that is false ,", text
        )
    if "what " in text:
        text = _WHAT_IS.sub("there is", text)
    if (
        "people" in text
        or "other" in text
        or "some" in text
        or "view" in text
        or "expect" in text
        or ("think" in text or "assume" in text or "thought" in text)
    ):
        text = _OTHERS.sub("i thought", text)
    text = _DENIED.sub("it is false that", text)
    return _STATED.sub(" ", text)
