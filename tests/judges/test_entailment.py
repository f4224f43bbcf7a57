from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polite_flamingo.core.params import EncoderParams
from polite_flamingo.core.seeds import generator
from polite_flamingo.judges import cross_encoder, entailment
from polite_flamingo.judges.cross_encoder import CrossEncoder
from polite_flamingo.training.fit import fit
from polite_flamingo.training.order import batch_indices

COLORS = ("red", "blue", "green", "yellow", "black")
QUESTION = "what color is the circle?"


def examples(count: int) -> list[tuple[str, str, str]]:
    rng = generator(0, "entailment-test")
    rows = []
    for number in range(count):
        label = entailment.LABELS[number % 3]
        said, other = (COLORS[i] for i in rng.permutation(len(COLORS))[:2])
        rewrite = {
            "entailment": f"The circle is {said}.",
            "contradiction": f"The circle is {other}.",
            "neutral": "I can see it well.",
        }[label]
        premise = entailment.vqa_premise(rewrite, QUESTION)
        rows.append((premise, entailment.vqa_hypothesis(said, QUESTION), label))
    return rows


@pytest.fixture(scope="module")
def model(tokenizer_folder: Path, settings: EncoderParams) -> CrossEncoder:
    tokenizer = cross_encoder.pair_tokenizer(tokenizer_folder, uncased=True)
    return entailment.build(settings, tokenizer)


def test_the_templates_are_the_papers() -> None:
    assert (
        entailment.vqa_premise(" Yes, it is. ", "Is it red?\n")
        == '"Yes, it is." is the answer to the question: "Is it red?"'
    )


def test_a_model_trained_here_reads_the_question_once(model: CrossEncoder) -> None:
    pair = (entailment.vqa_premise("It is red.", QUESTION), entailment.vqa_premise("red", QUESTION))
    (ids, segments), = entailment.encode(model, [pair])  # fmt: skip
    tokens = np.array(model.tokenizer.convert_ids_to_tokens(ids))
    assert (tokens == "Ġcircle").sum() == 1
    # What the answer shares is marked, and what only the question does less so.
    segments = np.array(segments)
    assert segments[tokens == "Ġred"].tolist() == [6, 7]
    bar = tokens.tolist().index("|" if "|" in tokens else "Ġ|")
    assert set(segments[bar + 1 :].tolist()) <= {5, 7} and not segments[1:bar].max() > 6
    # Other pairs are left as they are.
    (ids, _), = entailment.encode(model, [("the circle is red", "a circle")])  # fmt: skip
    assert (np.array(model.tokenizer.convert_ids_to_tokens(ids)) == "Ġcircle").sum() == 2


def test_numbers_are_read_spelled_out(model: CrossEncoder) -> None:
    asked = "how many circles?"
    pairs = [
        (entailment.vqa_premise(said, asked), entailment.vqa_hypothesis(draft, asked))
        for said in ("I see 2.", "I see two.")
        for draft in ("2", "two")
    ]
    rows = entailment.encode(model, pairs)
    assert all(row == rows[0] for row in rows)


def test_training_learns_to_compare(
    tokenizer_folder: Path, settings: EncoderParams, tmp_path: Path
) -> None:
    model = entailment.build(settings, cross_encoder.pair_tokenizer(tokenizer_folder, uncased=True))
    rows = examples(300)
    encoded = entailment.encode(model, [row[:2] for row in rows])

    def batch(step: int) -> dict[str, object]:
        chosen = batch_indices(len(rows), settings.fit.batch_size, 0, step)
        return entailment.batch(model, [encoded[i] for i in chosen], [rows[i][2] for i in chosen])

    history = fit(model, entailment.loss, batch, settings.fit, tmp_path, 0)
    assert history["loss"][-1] < history["loss"][0]
    entailment.save(model, tmp_path / "nli")
    again = entailment.load(tmp_path / "nli", settings.max_length)
    logits = entailment.entailment_logits(again, [row[:2] for row in rows[:60]])
    guesses = [entailment.LABELS[number] for number in logits.argmax(1)]
    correct = [guess == row[2] for guess, row in zip(guesses, rows, strict=False)]
    assert np.mean(correct) > 0.9


def test_a_varied_pair_keeps_its_form_and_its_relations() -> None:
    rng = generator(0, "varied")
    changed = 0
    for premise, hypothesis, label in examples(90):
        others = {"neutral": entailment.vqa_premise("I can see it well.", QUESTION)}
        said, asked, original = entailment.split(
            *entailment.varied((premise, hypothesis), label, others, {}, rng)
        ) or ("", "", "")
        changed += original != (entailment.split(premise, hypothesis) or ("", "", ""))[2]
        # The colour that was the answer still is, whatever it is called now; no other is.
        if label == "entailment":
            assert original in said
        elif label == "contradiction":
            assert original not in said.split(" is ")[-1].split()
        assert asked.startswith("what color is the ")
    assert changed > 30


def test_plain_pairs_are_varied_too() -> None:
    rng = generator(0, "plain")
    found = entailment.varied(("a red circle", "the circle is red"), "entailment", {}, {}, rng)
    assert all(isinstance(text, str) and text for text in found)


def test_labels_of_other_models_are_put_in_order(model: CrossEncoder) -> None:
    pair = [("a red circle", "a blue star")]
    usual = entailment.entailment_logits(model, pair)
    config = model.network.config
    names = config.id2label
    config.id2label = {0: "ENTAILMENT", 1: "NEUTRAL", 2: "CONTRADICTION"}
    moved = entailment.entailment_logits(model, pair)
    config.id2label = {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    unnamed = entailment.entailment_logits(model, pair)
    config.id2label = names
    np.testing.assert_array_equal(moved[0], usual[0][[2, 0, 1]])
    np.testing.assert_array_equal(unnamed, usual)
