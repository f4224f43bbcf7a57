"""The judges' examples: balanced, deterministic, and labelled as they read."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from polite_flamingo.core.boxes import has_boxes
from polite_flamingo.core.errors import UserError
from polite_flamingo.core.tables import read_jsonl
from polite_flamingo.shapes import adversarial, entailment_data, faults, judge_data, preference_data
from polite_flamingo.shapes.scene import COLORS, ObjectLimits, Scene, make_scene
from polite_flamingo.shapes.wordings import WORDINGS, load_phrases, load_wording

POOLS = ("judges", "calibration", "test")
NO_REWRITES = "reporting"
NUMBER = 480


def scenes_of(pool: str, number: int = 80) -> list[Scene]:
    return [make_scene(3, pool, index, ObjectLimits()) for index in range(number)]


def write(folder: Path, pool: str, scenes: list[Scene], number: int = NUMBER) -> None:
    images = {scene.scene_id: f"images/{scene.scene_id}.png" for scene in scenes}
    judge_data.write(folder, scenes, pool, number, 5, images)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judges")
    for pool in POOLS:
        write(folder, pool, scenes_of(pool))
    return folder


@pytest.mark.parametrize("pool", POOLS)
def test_labels_are_balanced(folder: Path, pool: str) -> None:
    labels = Counter(row["label"] for row in read_jsonl(folder / f"nli_{pool}.jsonl"))
    assert labels == {label: NUMBER // 3 for label in entailment_data.LABELS}
    rewrites = read_jsonl(folder / f"rewrites_{pool}.jsonl")
    assert Counter(row["label"] for row in rewrites) == {"good": NUMBER // 2, "bad": NUMBER // 2}
    assert {row["fault"] for row in rewrites} == {
        "",
        *(fault for kinds in faults.FAULTS.values() for fault in kinds),
    }
    assert {row["task"] for row in rewrites} == set(faults.FAULTS)
    kinds = Counter(row["kind"] for row in read_jsonl(folder / f"preferences_{pool}.jsonl"))
    assert set(kinds) == set(preference_data.PREFERENCE_KINDS)
    assert min(kinds.values()) > NUMBER / len(preference_data.PREFERENCE_KINDS) / 2


def test_examples_depend_on_seed_scene_and_index_only(tmp_path: Path) -> None:
    scenes = scenes_of("judges", 12)
    write(tmp_path / "a", "judges", scenes, 120)
    write(tmp_path / "b", "judges", scenes, 120)
    write(tmp_path / "c", "judges", scenes[:6], 60)
    for name in ("nli", "preferences", "rewrites"):
        paths = [tmp_path / part / f"{name}_judges.jsonl" for part in "abc"]
        assert paths[0].read_bytes() == paths[1].read_bytes()
        whole = [str(row) for row in read_jsonl(paths[0])]
        assert len(set(whole)) > 0.9 * len(whole)
        # Fewer scenes give the same examples of those that are left.
        fewer = [str(row) for row in read_jsonl(paths[2])][:6]
        assert set(fewer) <= set(whole)


def parts(row: dict[str, Any]) -> tuple[str, str, str]:
    """Split a row into (rewrite, terse answer, question), checking the paper's template."""
    template = re.compile(r'^"(.+?)" is the answer to the question: "(.+)"$', re.DOTALL)
    premise, hypothesis = template.match(row["premise"]), template.match(row["hypothesis"])
    assert premise and hypothesis and premise[2] == hypothesis[2]
    return premise[1], hypothesis[1], premise[2]


def test_nli_labels_read_right(folder: Path) -> None:
    checked: Counter[str] = Counter()
    for row in read_jsonl(folder / "nli_judges.jsonl"):
        rewrite, terse, question = parts(row)
        word = re.match(r"(yes|no)\b", terse.lower())
        said = re.findall(r"\b(yes|no)(?=[,:])", rewrite.lower())
        if row["label"] == "entailment" and word and said:
            assert said[0] == word[1], (rewrite, terse, question)
            checked["entailment"] += 1
        colors = re.fullmatch(r"(red|green|blue|yellow|teal|brown)\.?", terse.lower())
        if colors and "color" in question:
            named = colors[1] in rewrite.lower()
            asked = colors[1] in question.split("?")[0].lower()
            if row["label"] == "entailment":
                assert named
            if row["label"] == "neutral":
                assert not named or asked
            checked[f"color {row['label']}"] += 1
    assert checked["entailment"] > 30 and len(checked) == 4


def test_questions_cover_the_real_sets(folder: Path) -> None:
    rows = [row for pool in POOLS for row in read_jsonl(folder / f"nli_{pool}.jsonl")]
    questions = " | ".join(parts(row)[2].lower() for row in rows)
    for form in (
        "what color is the",
        "what is the color of the",
        "is there not a|is no |does the (image|picture) not contain",
        "what digit",
        "what is shown",
        "(choose from|options)",
        "how many",
        "true",
    ):
        assert re.search(form, questions), form
    drafts = [parts(row)[1] for row in rows]
    assert {"yes", "no", "seven", "a handwritten digit seven."} <= set(drafts)
    assert any(draft.isdigit() for draft in drafts)
    assert any(draft.isupper() for draft in drafts)
    assert any(". " in draft for draft in drafts)


def test_rewrites_show_their_fault(folder: Path) -> None:
    rows = read_jsonl(folder / "rewrites_calibration.jsonl")
    for row in rows:
        words = len(row["rewrite"].split())
        assert row["references"] and row["image"].endswith(".png")
        if row["label"] == "good":
            assert row["fault"] == "" and 3 <= words <= 120 and not has_boxes(row["rewrite"])
            assert row["rewrite"] != row["draft"]
        elif row["fault"] == "boxes_left":
            assert has_boxes(row["rewrite"])
        elif row["fault"] == "unchanged":
            same = [re.sub(r"\W", "", row[name].lower()) for name in ("draft", "rewrite")]
            assert same[0] == same[1]
        elif row["fault"] == "too_short":
            assert words <= 2
        elif row["fault"] == "too_long":
            assert words >= 190
        elif row["fault"] == "hallucinated_paragraph":
            assert row["rewrite"].count("\n\n") == 1
    good = [row for row in rows if row["label"] == "good"]
    bad = [row for row in rows if row["label"] == "bad"]
    for first, second in zip(good, bad, strict=True):
        assert first["draft"] == second["draft"]
        assert first["rewrite"] != second["rewrite"]


def test_preferences_prefer_the_polite_response(folder: Path) -> None:
    for row in read_jsonl(folder / "preferences_test.jsonl"):
        assert row["chosen"] != row["rejected"] and row["rejected"].strip()
        assert row["chosen"][0].isupper() and row["chosen"][-1] in ".!?"
        if row["kind"] == "shouting":
            assert row["rejected"].isupper()
        if row["kind"] == "boxes":
            assert has_boxes(row["rejected"])
        if row["kind"] == "garbled":
            assert sorted(row["rejected"].split()) == sorted(row["chosen"].split())


def test_the_reporting_judges_get_texts_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, NO_REWRITES, scenes_of("judges", 6), 30)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "nli_reporting.jsonl",
        "preferences_reporting.jsonl",
    ]


def test_adversarial_pairs_are_what_they_are_called(folder: Path) -> None:
    rows = read_jsonl(folder / "adversarial.jsonl")
    counts = Counter(row["set"] for row in rows)
    assert counts == dict.fromkeys(adversarial.ADVERSARIAL_SETS, NUMBER // 10)
    for row in rows:
        better, worse = row["better"], row["worse"]
        assert better != worse and worse.strip() and row["draft"]
        assert row["expected"] == adversarial.ADVERSARIAL_SETS[row["set"]]
        if row["set"] == "wrong_extra_claim":
            assert worse.startswith(better) and len(worse) > len(better) + 10
        if row["set"] == "polite_but_wrong":
            assert len(worse.split()) > len(better.split()) - 8
        if row["set"] == "shouting":
            assert worse.isupper() and better.rstrip(".").lower() in worse.lower()
        if row["set"] == "repetition":
            assert len(worse) > 1.5 * len(better)
    # Only the judges' test pool holds them.
    assert not (folder / "adversarial_judges.jsonl").exists()


def test_the_judges_own_phrases_are_in_no_wording_set() -> None:
    def bare(text: str) -> str:
        return re.sub(r"[^a-z]+", " ", text.lower()).strip()

    own = [line for lines in load_phrases().values() for line in lines]
    assert len(set(map(bare, own))) > 0.95 * len(own)
    for name in WORDINGS:
        theirs = {bare(line) for line in all_lines(load_wording(name).frames)} - {""}
        assert not theirs & set(map(bare, own))


def all_lines(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [line for part in parts for line in all_lines(part)]


def test_a_description_tells_its_facts(folder: Path) -> None:
    checked: Counter[str] = Counter()
    for row in read_jsonl(folder / "nli_judges.jsonl"):
        premise, fact, _ = parts(row)
        found = re.fullmatch(r"the (\w+) is (\w+)", fact)
        if found is None or "object" not in premise or found[2] not in COLORS:
            continue
        told = f"{found[2]} {found[1]}" in premise
        assert told == (row["label"] == "entailment")
        if row["label"] == "neutral":
            assert found[1] not in premise
        checked[row["label"]] += 1
    assert len(checked) == 3


def test_repainted_scenes_share_no_color_or_shape() -> None:
    from polite_flamingo.core.seeds import generator

    for scene in scenes_of("judges", 40):
        other = entailment_data.repainted(scene, generator(1, scene.scene_id))
        assert not {t.color for t in other.things} & {t.color for t in scene.things}
        assert not {t.shape for t in other.things} & {t.shape for t in scene.things}


def test_bad_parameters_are_user_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown judges' pool"):
        judge_data.write(tmp_path, scenes_of("judges", 1), "style", 10, 1, {})
    with pytest.raises(UserError, match="no scenes"):
        judge_data.write(tmp_path, [], "judges", 10, 1, {})
