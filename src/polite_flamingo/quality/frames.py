"""The frames the suites look at: a stage's table plus columns that compare it with other tables.

A yes/no column is 0 or 1 and a counting column a whole number, so that one kind of rule
(:func:`polite_flamingo.quality.suites.none_of`) reads both. A column is derived only where its
inputs are there: a missing one ends as a readable line of the schema rule, not as a crash here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def samples_frame(samples: pd.DataFrame, known_images: Collection[str]) -> pd.DataFrame:
    """Samples with ``unknown_images``, ``imageless``, ``empty_responses``, ``in_both_splits``."""
    frame = with_responses(samples)
    known = frozenset(known_images)
    if "images" in frame:
        frame["unknown_images"] = [sum(i not in known for i in ids) for ids in frame["images"]]
    if {"images", "task"} <= set(frame):
        textual = frame["task"].isin(["text", "conversation"])
        frame["imageless"] = ((frame["images"].map(len) == 0) & ~textual).astype(int)
    if {"sample_id", "split"} <= set(frame):
        splits = frame.groupby("sample_id")["split"].transform("nunique")
        frame["in_both_splits"] = (splits > 1).astype(int)
    return frame


def pairs_frame(
    pairs: pd.DataFrame, samples: pd.DataFrame, strategies: Collection[str]
) -> pd.DataFrame:
    """Pairs with ``undistorted``, ``orphaned``, ``parent_in_test`` and ``is_<strategy>``."""
    frame = with_parent(pairs.copy(), samples)
    if {"draft", "response"} <= set(frame):
        frame["undistorted"] = (frame["draft"] == frame["response"]).astype(int)
    if "strategy" in frame:
        for name in strategies:
            frame[f"is_{name}"] = (frame["strategy"] == name).astype(int)
    return frame


def rewrites_frame(
    candidates: pd.DataFrame,
    rejects: pd.DataFrame,
    samples: pd.DataFrame,
    raw_ids: Collection[str],
) -> pd.DataFrame:
    """Candidates, rejects and raw samples without either, told apart by 0/1 columns.

    ``raw_ids`` are the ids that went into the rewriter. A sample may be rejected or have
    candidates, never both (``contradictory``) and never neither (``lost``).
    """
    import pandas as pd

    written, refused = set(candidates["sample_id"]), set(rejects["sample_id"])
    lost = sorted(set(raw_ids) - written - refused)
    frame = pd.concat(
        [
            candidates.assign(rejected=0, lost=0),
            rejects[["sample_id", "source"]].assign(rejected=1, lost=0),
            pd.DataFrame({"sample_id": lost}, dtype="object").assign(rejected=0, lost=1),
        ],
        ignore_index=True,
    )
    frame["contradictory"] = frame["sample_id"].isin(written & refused).astype(int)
    frame["orphaned"] = (~frame["sample_id"].isin(samples["sample_id"])).astype(int)
    return frame


def decisions_frame(decisions: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
    """Decisions joined with the candidates they are on, and 0/1 columns for what is amiss."""
    keys = ["sample_id", "candidate"]
    frame = decisions.merge(
        candidates[keys].drop_duplicates(), on=keys, how="outer", indicator="where"
    )
    frame["undecided"] = (frame["where"] == "right_only").astype(int)
    frame["unknown"] = (frame["where"] == "left_only").astype(int)
    frame["repeated"] = frame.duplicated(keys).astype(int)
    frame["kept"] = (frame["decision"] == "kept").astype(int)
    frame["unexplained"] = ((frame["decision"] == "dropped") & (frame["reason"] == "")).astype(int)
    return frame.drop(columns="where")


def release_frame(
    kept: pd.DataFrame, samples: pd.DataFrame, decisions: pd.DataFrame, rewards: pd.DataFrame
) -> pd.DataFrame:
    """Kept rewrites with their parents, test images, decisions and ``reward_gain``.

    ``rewards`` has ``sample_id``, ``candidate``, ``reward`` (of the rewrite) and ``draft_reward``.
    """
    frame = with_parent(with_responses(kept), samples)
    if "images" in frame:
        tested = {i for ids in samples.loc[samples["split"] == "test", "images"] for i in ids}
        frame["test_images"] = [sum(i in tested for i in ids) for ids in frame["images"]]
    if "sample_id" in frame:
        passed = decisions[decisions["decision"] == "kept"]
        frame["undecided"] = (~frame["sample_id"].isin(_kept_ids(passed))).astype(int)
        gains = rewards["reward"] - rewards["draft_reward"]
        by_id = dict(zip(_kept_ids(rewards), gains, strict=True))
        frame["reward_gain"] = frame["sample_id"].map(by_id)
    return frame


def filters_frame(measured: Mapping[str, Any]) -> pd.DataFrame:
    """One row: ``good_lost``, and ``recall_<fault>`` of each planted fault.

    ``measured`` is the part ``test`` of models/judges/thresholds.json.
    """
    import pandas as pd

    recall = {f"recall_{fault}": [share] for fault, share in measured["recall"].items()}
    return pd.DataFrame({"good_lost": [measured["good_lost"]], **recall})


def with_responses(samples: pd.DataFrame) -> pd.DataFrame:
    """A copy with ``responses`` (all turns, a line each) and ``empty_responses`` (a count)."""
    frame = samples.copy()
    if "turns" in frame:
        texts = [[turn["response"] or "" for turn in turns] for turns in frame["turns"]]
        frame["responses"] = ["\n".join(each) for each in texts]
        frame["empty_responses"] = [
            sum(not text.strip() for text in each) or int(not each) for each in texts
        ]
    return frame


def with_parent(frame: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Add ``orphaned``, ``parent_in_test`` and ``parent_source`` by ``parent_id``."""
    if "parent_id" not in frame:
        return frame
    parents = samples.drop_duplicates("sample_id").set_index("sample_id")
    frame["orphaned"] = (~frame["parent_id"].isin(parents.index)).astype(int)
    frame["parent_in_test"] = (frame["parent_id"].map(parents["split"]) == "test").astype(int)
    frame["parent_source"] = frame["parent_id"].map(parents["source"]).fillna("")
    return frame


def _kept_ids(rows: pd.DataFrame) -> pd.Series[Any]:
    """The ids of kept rewrites: ``{sample_id}#{candidate}``, as the filter stage gives them."""
    return rows["sample_id"] + "#" + rows["candidate"].astype(str)
