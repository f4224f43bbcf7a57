"""How good the judges are on scenes and wordings they have not seen, and on texts made to fool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from polite_flamingo.core.seeds import generator

if TYPE_CHECKING:
    from polite_flamingo.judges.cross_encoder import CrossEncoder

Row = dict[str, Any]
# Sets of adversarial pairs in which the reward need not prefer the better text: what is wrong
# looks as polite as what is right.
_NOT_FOR_REWARD = ("polite_but_wrong", "wrong_extra_claim")


def nli(model: CrossEncoder, rows: Sequence[Row]) -> dict[str, Any]:
    """3-way accuracy and the recall of each label."""
    guesses = _guesses(model, [(row["premise"], row["hypothesis"]) for row in rows])
    pairs = [(row["label"], guess) for row, guess in zip(rows, guesses, strict=True)]
    return {
        "pairs": len(rows),
        "accuracy": _mean(label == guess for label, guess in pairs),
        "recall": {
            name: _mean(guess == name for label, guess in pairs if label == name)
            for name in sorted({row["label"] for row in rows})
        },
    }


def nli_adversarial(model: CrossEncoder, rows: Sequence[Row]) -> dict[str, Any]:
    """Shares of each adversarial set; only sets whose worse text has an expected label count.

    accuracy: the worse text gets its label (what says nothing must not entail) · accepted: the
    better one entails the draft.
    """
    from polite_flamingo.judges.entailment import vqa_hypothesis, vqa_premise

    rows = [row for row in rows if row["expected"]]
    worse, better = (
        _guesses(
            model,
            [
                (
                    vqa_premise(row[side], row["instruction"]),
                    vqa_hypothesis(row["draft"], row["instruction"]),
                )
                for row in rows
            ],
        )
        for side in ("worse", "better")
    )
    found: dict[str, Any] = {}
    for name in sorted({row["set"] for row in rows}):
        places = [i for i, row in enumerate(rows) if row["set"] == name]
        found[name] = {
            "pairs": len(places),
            "accuracy": _mean(
                worse[i] == "contradiction"
                if rows[i]["expected"] == "contradiction"
                else worse[i] != "entailment"
                for i in places
            ),
            "accepted": _mean(better[i] == "entailment" for i in places),
        }
    return found


def nli_controls(model: CrossEncoder, rows: Sequence[Row], test: Sequence[Row]) -> dict[str, float]:
    """What the test can be passed with by cheating: accuracies that must be near 1/3.

    hypothesis_only, premise_only: naive Bayes on the words of one text · shuffled_labels: the
    judge against the test's labels in random order.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    labels = [row["label"] for row in test]
    found = {}
    for side in ("hypothesis", "premise"):
        words = make_pipeline(CountVectorizer(ngram_range=(1, 2)), MultinomialNB())
        words.fit([row[side] for row in rows], [row["label"] for row in rows])
        guesses = words.predict([row[side] for row in test])
        found[f"{side}_only"] = _mean(a == b for a, b in zip(labels, guesses, strict=True))
    order = generator(0, "shuffled labels").permutation(len(labels)).tolist()
    judged = _guesses(model, [(row["premise"], row["hypothesis"]) for row in test])
    found["shuffled_labels"] = _mean(labels[i] == g for i, g in zip(order, judged, strict=True))
    return found


def reward(model: CrossEncoder, rows: Sequence[Row]) -> dict[str, Any]:
    """Share of pairs whose chosen response gets more reward, as a whole and by kind."""
    right = _preferred(model, rows, "chosen", "rejected")
    kinds = [row["kind"] for row in rows]
    return {
        "pairs": len(rows),
        "accuracy": _mean(right),
        "accuracy_by_kind": {
            kind: _mean(won for won, name in zip(right, kinds, strict=True) if name == kind)
            for kind in sorted(set(kinds))
        },
    }


def reward_adversarial(model: CrossEncoder, rows: Sequence[Row]) -> dict[str, Any]:
    """Share of each adversarial set whose better text gets more reward.

    ``required``: whether that is the reward's business at all; what is polite but wrong is not.
    """
    right = _preferred(model, rows, "better", "worse")
    found = {}
    for name in sorted({row["set"] for row in rows}):
        won = [won for won, row in zip(right, rows, strict=True) if row["set"] == name]
        required = name not in _NOT_FOR_REWARD
        found[name] = {"pairs": len(won), "accuracy": _mean(won), "required": required}
    return found


def _guesses(model: CrossEncoder, pairs: Sequence[tuple[str, str]]) -> list[str]:
    from polite_flamingo.judges import entailment

    logits = entailment.entailment_logits(model, pairs)
    return [entailment.LABELS[number] for number in logits.argmax(axis=1)]


def _preferred(model: CrossEncoder, rows: Sequence[Row], better: str, worse: str) -> list[bool]:
    from polite_flamingo.judges import reward as judge

    asked = [row["instruction"] for row in rows]
    good, bad = (
        judge.reward(model, asked, [row[name] for row in rows]) for name in (better, worse)
    )
    return [bool(won) for won in good > bad]


def _mean(values: Iterable[bool]) -> float:
    held = list(values)
    return sum(held) / max(1, len(held))
