"""The multi-modal rewriter as a system: samples in, one rewrite each in order."""

from __future__ import annotations

import dataclasses

import numpy as np
from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.models.generate import generate
from polite_flamingo.models.prompt import encode_prompt
from polite_flamingo.models.tokenizer import decode
from polite_flamingo.rewriting.rewriters import polite_flamingo, template
from polite_flamingo.rewriting.run import Rewrite
from polite_flamingo.training.visual_tokens import VisualTokens

IMAGES = ["a", "b"]
NEW = 8


def visual(seed: int = 0) -> VisualTokens:
    drawn = np.random.default_rng(seed).normal(size=(2, 16, 32))
    return VisualTokens(IMAGES, drawn.astype(np.float32))


def sample(instruction: str, draft: str, images: int = 1) -> Sample:
    turn = Turn(instruction, draft)
    return Sample(f"s/{draft}", "s", "train", "vqa", tuple(IMAGES[:images]), (turn,))


SAMPLES = [
    sample("What color is the circle?", "red"),
    sample("What?", "There are 3 large things.", images=0),
    sample("What is the size of the blue square?", "no", images=2),
    sample("What color is the circle?", "blue"),
]


def rewrites(
    model: Flamingo,
    tokenizer: PreTrainedTokenizerBase,
    samples: list[Sample],
    batch_size: int = 16,
    tokens: VisualTokens | None = None,
) -> list[Rewrite]:
    return list(polite_flamingo(model, tokenizer, tokens or visual(), batch_size, NEW)(samples))


def test_rewrites_come_in_order_whatever_the_batch(
    micro_flamingo: Flamingo, micro_tokenizer: PreTrainedTokenizerBase
) -> None:
    together = rewrites(micro_flamingo, micro_tokenizer, SAMPLES)
    alone = [rewrites(micro_flamingo, micro_tokenizer, [one])[0] for one in SAMPLES]
    assert together == alone
    assert rewrites(micro_flamingo, micro_tokenizer, SAMPLES, batch_size=2) == together
    assert rewrites(micro_flamingo, micro_tokenizer, SAMPLES[::-1]) == together[::-1]
    assert len({one.text for one in together}) > 1
    assert rewrites(micro_flamingo, micro_tokenizer, []) == []


def test_draft_and_images_are_read_and_the_turns_own_response_is_all_of_the_draft(
    micro_flamingo: Flamingo, micro_tokenizer: PreTrainedTokenizerBase
) -> None:
    base = rewrites(micro_flamingo, micro_tokenizer, SAMPLES)
    other_drafts = [
        dataclasses.replace(one, turns=(Turn(one.turns[0].instruction, "two green things"),))
        for one in SAMPLES
    ]
    assert rewrites(micro_flamingo, micro_tokenizer, other_drafts) != base
    seen = rewrites(micro_flamingo, micro_tokenizer, SAMPLES, tokens=visual(seed=1))
    assert seen != base
    assert seen[1] == base[1], "a sample without images looks at none"


def test_a_rewrite_ends_at_the_end_token_or_at_the_limit(
    micro_flamingo: Flamingo, micro_tokenizer: PreTrainedTokenizerBase
) -> None:
    free = rewrites(micro_flamingo, micro_tokenizer, SAMPLES)
    assert all(one.new_tokens == NEW for one in free if not one.stopped)
    assert not all(one.stopped for one in free)
    assert all(one.text == one.text.strip() and "</s>" not in one.text for one in free)
    # Make a token that the first row says its end token.
    first = SAMPLES[0]
    prompt = encode_prompt(
        micro_tokenizer,
        list(first.turns),
        [1],
        micro_flamingo.config.prompt,
        draft=first.turns[0].response,
    )
    shown = [visual().stack(first.images)]
    (said,) = (result.tokens for result in generate(micro_flamingo, [prompt], shown, NEW))
    end = next(token for token in said[1:] if token not in {*prompt.input_ids.tolist(), said[0]})
    micro_flamingo.special = dataclasses.replace(micro_flamingo.special, eos=end)
    ended = rewrites(micro_flamingo, micro_tokenizer, SAMPLES[:1])
    kept = said[: said.index(end)]
    assert ended == [Rewrite(decode(micro_tokenizer, kept), len(kept), True)]


def test_the_template_puts_the_draft_into_one_sentence_of_its_task() -> None:
    caption = dataclasses.replace(
        sample("Describe it.", "a red star.\nBlue circle\n\nObjects: \nstar: [0.1, 0.2, 0.3, 0.4]"),
        task="captioning",
    )
    made = [one.text for one in template([sample("What?", "red"), caption])]
    assert made[0] == "The answer is red."
    assert made[1].startswith("The image shows a red star, Blue circle")
    assert "[" not in made[1]
