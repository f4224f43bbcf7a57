"""Phrases around statements: yes and no, doubts, hedges, and words that say nothing of a thing."""

from __future__ import annotations

from collections.abc import Callable

# Adds phrases, parted by "|", with a category and a value.
Add = Callable[[str, str, str], None]


def add_answers(add: Add) -> None:
    """Add what people answer, doubt, presume and believe with."""
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
        "at first glance it seemed|at first glance|at first sight|at first|initially|i thought|i first thought|i had thought|i expected|i was expecting|"
        "i assumed|i was going to say|at first glance i thought|i mistook|i originally thought|"
        "i nearly said|i almost said|i hoped|i wish|i would have expected|one might think|"
        "you might think|one could think|some might say|some people say|someone might say|"
        "some would say|i used to think|you would think|people often|i would like|do you want|"
        "i always|i love|i prefer|i like|my favorite|my favourite|often|usually|in general|"
        "typically|for a moment i thought|for a second i thought|you may think|one would expect|"
        "if only|had there been|were there|should there be|i was told|it was claimed|i had expected",
    )
    add(
        "if",
        "",
        "let us pretend|pretend|let us imagine|let us assume|let us suppose|picture a|what if|if|unless|suppose|supposing|assuming|provided|in case|even if|only if|what if",
    )
    add(
        "maybe", "", "maybe|perhaps|possibly|might be|may be|could be|might|may|could|could well be"
    )
    add("maybe", "", "might well be|may well be|conceivably|might possibly be|might also be")
    hedges = (
        "i think that|i think|i believe that|i believe|i would say that|i would say|it seems that|"
        "it seems like|it looks like|it looks as if|it looks as though|it appears that|"
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


def add_fillers(add: Add) -> None:
    """Add phrases about the whole image, and words that say nothing of a thing."""
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
        "solely visible|today|kind of|sort of|of course there|colorful|colourful|complete|together|best|most likely|after all|seen up close|most accurately|more accurately|better"
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
