"""Are the sets of Shapes scenes disjoint? The frames and suites of the data gate on data/scenes.

A row of the frames is an image. Each knows the hash of its scene (what the scene shows, not how it
lies to the pixel); two pools that share a hash share a scene. An image that ingest changed (drew a region on) shows the scene of
the file it was made from. Leaks are spelt out in a text column,
empty where nothing is amiss, so that a failure says which sets share which scene.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polite_flamingo.quality.suites import Suite, blank, columns, mean, none_of, row_count

if TYPE_CHECKING:
    import pandas as pd

TEST_POOL = "test"
# Pools that no tuning sample may show a scene of.
NOT_FOR_TUNING = ("base", "judges", "calibration", TEST_POOL)
# Image id -> SHA-256 of the files that a changed image was made from (core/shards.py).
Origins = Mapping[str, Collection[str]]
SCENE_COLUMNS = (
    "scene_id", "pool", "source", "image_sha256", "path", "graph", "wrong", "held_out_pair",
)  # fmt: skip


@dataclass(frozen=True)
class SceneFact:
    """What a scene graph says of itself, read again from the graph rather than from the table.

    ``home`` is the pool that the hash falls in; ``held_out``: a thing has a held-out pair.
    """

    scene_hash: str
    home: str
    held_out: bool


def scenes_frame(scenes: pd.DataFrame, facts: Mapping[str, SceneFact]) -> pd.DataFrame:
    """Images of data/scenes with what is amiss; ``facts`` by the text of the graph."""
    frame = scenes.copy()
    found = [facts[graph] for graph in frame["graph"]]
    frame["scene_hash"] = [fact.scene_hash for fact in found]
    frame["leaks"] = _shared(frame, "scene_hash")
    frame["image_leaks"] = _shared(frame, "image_sha256")
    frame["astray"] = [
        int(fact.home != pool) for fact, pool in zip(found, frame["pool"], strict=True)
    ]
    shown = [fact.held_out for fact in found]
    tested = frame["pool"] == TEST_POOL
    frame["held_out_leaks"] = [int(held and not t) for held, t in zip(shown, tested, strict=True)]
    if "held_out_pair" in frame:
        frame["misflagged"] = (frame["held_out_pair"].astype(bool) != shown).astype(int)
    # The mean leaves missing values out: a share of the test scenes.
    frame["test_held_out"] = [
        float(held) if t else None for held, t in zip(shown, tested, strict=True)
    ]
    return frame


def sample_scenes_frame(
    samples: pd.DataFrame,
    scenes: pd.DataFrame,
    pools: Mapping[tuple[str, str], str],
    origins: Origins,
) -> pd.DataFrame:
    """Images of Shapes samples, one a row: ``stray`` (in words) and ``unknown`` (0 or 1).

    ``scenes`` is :func:`scenes_frame`; ``pools`` names the pool of a (source, split)'s scenes;
    ``origins`` names the files that a changed image was made from, each of which must be known. An
    image of any other sample is looked at only where it shows a scene.
    """
    import pandas as pd

    shown = _by_image(scenes, "pool")
    rows = []
    names = ("sample_id", "source", "split", "images")
    for key, source, split, images in zip(*(samples[name] for name in names), strict=True):
        home = pools.get((source, split))
        for image in images:
            made_from = origins.get(image) or (image,)
            known = all(file in shown for file in made_from)
            found = _shown(image, shown, origins)
            if home is None and not found:
                continue
            strange = " and ".join(sorted(found - {home}))
            stray = f"{source}/{split} shows {strange}" if strange else ""
            rows.append((key, source, image, stray, int(not known)))
    return pd.DataFrame(rows, columns=["sample_id", "source", "image", "stray", "unknown"])


def tuning_scenes_frame(
    images: Collection[str], scenes: pd.DataFrame, origins: Origins
) -> pd.DataFrame:
    """Images that the models are tuned on and that show a scene, with ``leaks`` (in words).

    ``origins`` as in :func:`sample_scenes_frame`.
    """
    import pandas as pd

    hashes = _by_image(scenes, "scene_hash")
    barred = scenes[scenes["pool"].isin(NOT_FOR_TUNING)]
    owners: dict[str, set[str]] = defaultdict(set)
    for key, pool in zip(barred["scene_hash"], barred["pool"], strict=True):
        owners[key].add(pool)
    rows = []
    for image in sorted(set(images)):
        for key in sorted(_shown(image, hashes, origins)):
            pools = " and ".join(["tuning", *sorted(owners.get(key, ()))])
            rows.append((image, key, f"{pools} share {key}" if key in owners else ""))
    return pd.DataFrame(rows, columns=["image", "scene_hash", "leaks"])


def scenes_suite(min_held_out_share: float) -> Suite:
    """Scene graphs: pools share neither a scene nor an image, held-out pairs are in test only."""
    return Suite(
        "scenes",
        (
            columns(SCENE_COLUMNS),
            row_count(1),
            blank("leaks", "show a scene that another pool shows too"),
            blank("image_leaks", "are an image that another pool has too"),
            none_of("astray", "show a scene whose hash belongs to another pool"),
            none_of("held_out_leaks", "show a held-out colour and shape outside the test pool"),
            none_of("misflagged", "have a held_out_pair flag that the scene contradicts"),
            mean("test_held_out", "share of test scenes with a held-out pair", min_held_out_share),
        ),
    )


def sample_scenes_suite() -> Suite:
    """Every sample shows scenes of the pool that its source and split draw from."""
    return Suite(
        "sample_scenes",
        (
            blank("stray", "show a scene of a pool that is not their source's"),
            none_of("unknown", "are an image of a Shapes sample without a scene in data/scenes"),
        ),
    )


def tuning_scenes_suite() -> Suite:
    """The tuning set shows no scene of the base, the judges, the calibration or the test."""
    return Suite(
        "tuning_scenes",
        (blank("leaks", "are tuned on and show a scene of a pool that is not for tuning"),),
    )


def _shared(frame: pd.DataFrame, column: str) -> list[str]:
    """Say "raw and test share 0f3a..." for each row whose value occurs in several pools, else ""."""
    owners: dict[str, set[str]] = defaultdict(set)
    for key, pool in zip(frame[column], frame["pool"], strict=True):
        owners[key].add(pool)
    return [
        f"{' and '.join(sorted(owners[key]))} share {key[:16]}" if len(owners[key]) > 1 else ""
        for key in frame[column]
    ]


def _shown(image: str, values: Mapping[str, set[str]], origins: Origins) -> set[str]:
    """What an image shows: by its own bytes, and by the files that it was made from."""
    files = (image, *origins.get(image, ()))
    return {value for file in files for value in values.get(file, ())}


def _by_image(scenes: pd.DataFrame, column: str) -> dict[str, set[str]]:
    values: dict[str, set[str]] = defaultdict(set)
    for image, value in zip(scenes["image_sha256"], scenes[column], strict=True):
        values[image].add(value)
    return dict(values)
