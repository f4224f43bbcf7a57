"""The systems that rewrite, one function each."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from polite_flamingo.core.boxes import strip_boxes
from polite_flamingo.core.sample import Sample, Turn
from polite_flamingo.models.flamingo import Flamingo
from polite_flamingo.models.generate import generate
from polite_flamingo.models.prompt import encode_prompt
from polite_flamingo.models.tokenizer import decode
from polite_flamingo.rewriting.run import Rewrite, Rewriter
from polite_flamingo.training.visual_tokens import VisualTokens


def polite_flamingo(
    model: Flamingo,
    tokenizer: PreTrainedTokenizerBase,
    visual: VisualTokens,
    batch_size: int,
    max_new_tokens: int,
) -> Rewriter:
    """The multi-modal rewriter: instruction, images and draft in, greedy polite response out."""

    def rewrite(samples: Sequence[Sample]) -> list[Rewrite]:
        prompts = [
            encode_prompt(
                tokenizer,
                [Turn(sample.turns[0].instruction, "")],
                [len(sample.images)],
                model.config.prompt,
                draft=sample.turns[0].response,
            )
            for sample in samples
        ]
        tokens = [visual.stack(sample.images) for sample in samples]
        results = generate(model, prompts, tokens, max_new_tokens, batch_size)
        return [
            Rewrite(decode(tokenizer, result.tokens), len(result.tokens), result.stopped)
            for result in results
        ]

    return rewrite


# One sentence a task, the draft put into it: what any rewriter has to do better than.
TEMPLATES = {
    "vqa": "The answer is {draft}.",
    "vqa_rationale": "The answer is {draft}.",
    "classification": "The image shows {draft}.",
    "captioning": "The image shows {draft}.",
    "change_captioning": "The difference is that {draft}.",
}


def template(samples: Sequence[Sample]) -> list[Rewrite]:
    """The rewriter without a model: the draft in one fixed sentence of its task; sees no image."""
    rewrites = []
    for sample in samples:
        lines = strip_boxes(sample.turns[0].response).splitlines()
        draft = ", ".join(line.strip().rstrip(".!") for line in lines if line.strip())
        text = TEMPLATES.get(sample.task, "{draft}.").format(draft=draft)
        rewrites.append(Rewrite(text, len(text.split()), True))
    return rewrites
