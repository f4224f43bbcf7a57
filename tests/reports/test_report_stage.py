from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.layout import Layout
from polite_flamingo.core.params import Params
from polite_flamingo.core.tables import read_json, read_table, write_json, write_table
from polite_flamingo.evaluation.summary import HEADLINE
from polite_flamingo.reports.evidence import summarise
from polite_flamingo.stages.report import report

# The stage reads these parameters only.
PARAMS = cast(
    Params,
    SimpleNamespace(
        profile="nano",
        report=SimpleNamespace(gallery=48),
        validate=SimpleNamespace(max_good_lost=0.03, min_fault_recall=0.95),
    ),
)
VOID = {"meta", "img", "input", "br", "link"}


class Elements(HTMLParser):
    """Collects tags and attributes, and that every element is closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _parse(path: Path) -> Elements:
    elements = Elements()
    elements.feed(path.read_text(encoding="utf-8"))
    assert elements.open == []
    return elements


def _files(folder: Path) -> Mapping[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def reported(pristine: Layout, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    paths = Layout(tmp_path_factory.mktemp("reported") / "workspace")
    shutil.copytree(pristine.root, paths.root)
    report(PARAMS, paths)
    return paths


def test_the_page_is_self_contained(reported: Layout) -> None:
    elements = _parse(reported.reports / "index.html")
    tags = [tag for tag, _ in elements.found]
    assert "script" not in tags and "link" not in tags
    for tag, attributes in elements.found:
        for name in ("src", "href"):
            address = attributes.get(name)
            if address is not None:
                assert address.startswith(("data:image/", "#")), (tag, address)
    text = (reported.reports / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import", text)


def test_the_gallery_shows_forty_eight_rewrites_with_images_and_both_decisions(
    reported: Layout,
) -> None:
    elements = _parse(reported.reports / "index.html")
    items = [attrs["class"] or "" for tag, attrs in elements.found if tag == "article"]
    assert len(items) == 48
    # 14 of the 72 made-up rewrites are dropped; all of them fit.
    assert sum("dropped" in item for item in items) == 14
    images = [attrs for tag, attrs in elements.found if tag == "img"]
    assert len([image for image in images if (image["alt"] or "").startswith("image ")]) >= 48
    text = (reported.reports / "index.html").read_text(encoding="utf-8")
    assert '<p class="removed">A person smiles at a dog.</p>' in text


def test_links_lead_to_sections_that_exist(reported: Layout) -> None:
    elements = _parse(reported.reports / "index.html")
    ids = {attributes["id"] for _, attributes in elements.found if "id" in attributes}
    links = {a["href"] for tag, a in elements.found if tag == "a"}
    assert links and {str(link).removeprefix("#") for link in links} <= ids


def test_metrics_hold_every_headline_figure(reported: Layout) -> None:
    metrics = read_json(reported.reports / "metrics.json")
    assert all(isinstance(metrics["headline"][key], float | bool) for key in HEADLINE)
    source = read_json(reported.evaluation / "metrics.json")
    assert metrics["headline"] == source["headline"]
    page = (reported.reports / "index.html").read_text(encoding="utf-8")
    assert all(f"<code>{key}</code>" in page for key in HEADLINE)


def test_metrics_hold_stages_findings_and_distances_to_the_controls(reported: Layout) -> None:
    metrics = read_json(reported.reports / "metrics.json")
    assert metrics["stages"]["base"]["reward"] < metrics["stages"]["pf-stage3"]["reward"]
    assert metrics["findings"]["u_shape"]["shows"] is True
    gap = metrics["controls"]["easy_vqa"]["blank"]["accuracy"]
    assert gap["above"] is True and gap["low"] > 0
    assert "rouge_l" in metrics["controls"]["shapes_coco"]["shuffled"]
    page = (reported.reports / "index.html").read_text(encoding="utf-8")
    assert "The U shows in this run" in page
    assert "These filters drop nothing here: CLIPScore." in page


def test_without_easy_vqa_the_page_says_not_measured(workspace: Layout) -> None:
    path = workspace.evaluation / "metrics.json"
    metrics = read_json(path)
    for key in ("easyvqa_accuracy", "easyvqa_blind_accuracy"):
        metrics["headline"][key] = None
        del metrics["intervals"][key]
    write_json(path, metrics)
    report(PARAMS, workspace)
    assert "not measured" in (workspace.reports / "index.html").read_text(encoding="utf-8")
    written = read_json(workspace.reports / "metrics.json")["headline"]
    assert written["easyvqa_accuracy"] is None


def test_the_filters_curve_is_drawn_where_faults_were_planted(workspace: Layout) -> None:
    page = workspace.reports / "index.html"

    def figures() -> list[str]:
        report(PARAMS, workspace)
        drawn = (own for tag, own in _parse(page).found if tag == "img")
        return [str(own["alt"]) for own in drawn if "good rewrites lost" in str(own.get("alt"))]

    assert len(figures()) == 1
    write_json(workspace.thresholds, {"thresholds": {}})
    assert figures() == []


def test_plots_are_lists_of_records(reported: Layout) -> None:
    funnel = read_json(reported.reports / "plots/funnel.json")
    kept = sum(row["rewrites"] for row in funnel if row["outcome"] == "kept")
    assert kept == read_json(reported.evaluation / "metrics.json")["all_sources"]["kept"]
    stages = read_json(reported.reports / "plots/stages.json")
    assert [row["stage"] for row in stages] == [0, 1, 2, 3]
    assert stages[0]["pf_reward"] == stages[0]["raw_reward"]
    rewards = read_json(reported.reports / "plots/rewards.json")
    assert sum(row["kept"] for row in rewards) == pytest.approx(1.0, abs=1e-4)


def test_equal_data_give_equal_bytes(reported: Layout) -> None:
    first = _files(reported.reports)
    report(PARAMS, reported)
    assert _files(reported.reports) == first
    assert str(reported.root).encode() not in b"".join(first.values())


@pytest.mark.parametrize("value", [None, "absent"])
def test_a_missing_headline_figure_is_one_clear_line(workspace: Layout, value: Any) -> None:
    path = workspace.evaluation / "metrics.json"
    metrics = read_json(path)
    metrics["headline"]["tax_win_rate"] = value
    if value == "absent":
        del metrics["headline"]["tax_win_rate"]
    write_json(path, metrics)
    with pytest.raises(UserError, match="tax_win_rate") as error:
        report(PARAMS, workspace)
    assert "\n" not in str(error.value)
    assert not (workspace.reports / "index.html").exists()


def test_a_table_that_lost_a_rewrite_is_refused(workspace: Layout) -> None:
    path = workspace.filtered / "scores.parquet"
    write_table(path, read_table(path).slice(1))
    with pytest.raises(UserError, match=r"scores\.parquet"):
        report(PARAMS, workspace)


def test_text_of_the_data_cannot_become_markup(workspace: Layout) -> None:
    path = workspace.rewrites / "candidates.parquet"
    table = read_table(path)
    place = table.column_names.index("instruction")
    hostile = ["<script>alert(1)</script>"] * len(table)
    write_table(path, table.set_column(place, "instruction", [hostile]))
    report(PARAMS, workspace)
    tags = [tag for tag, _ in _parse(workspace.reports / "index.html").found]
    assert "script" not in tags


def test_headline_figures_stand_with_target_verdict_and_controls(reported: Layout) -> None:
    page = (reported.reports / "index.html").read_text(encoding="utf-8")
    section = page.split('<section id="evidence">')[1].split("</section>")[0]
    assert "≥ 99.5 %" in section and "not reached" in section
    for control in ("blank image", "draft unchanged", "template", "by the filtering judge"):
        assert control in section, control
    assert "self-BLEU" in section
    figures = read_json(reported.reports / "metrics.json")
    assert figures["rewriter"]["beats_template_reward"] is True
    assert figures["unseen"]["held_out_pair"]["pf-stage3"]["n"] > 0


def test_wrong_drafts_and_adversarial_sets_have_tables(reported: Layout) -> None:
    page = (reported.reports / "index.html").read_text(encoding="utf-8")
    wrong = read_json(reported.evaluation / "metrics.json")["all_sources"]["wrong"]
    assert wrong["drafts"] == 1 == wrong["kept_wrong"] + wrong["repaired"] + wrong["rejected"]
    assert "<th>repaired</th>" in page
    assert "polite but wrong" in page and "not this judge’s business" in page


def test_seeds_have_a_section_once_there_are_some(workspace: Layout) -> None:
    report(PARAMS, workspace)
    assert 'id="seeds"' not in (workspace.reports / "index.html").read_text(encoding="utf-8")
    own = read_json(workspace.reports / "metrics.json")
    write_json(workspace.seeds_summary, summarise({0: own, 1: own, 2: own}))
    report(PARAMS, workspace)
    page = (workspace.reports / "index.html").read_text(encoding="utf-8")
    assert "<h2>Three seeds</h2>" in page and "<th>seed 2</th>" in page
    write_json(workspace.seeds_summary, summarise({}))
    report(PARAMS, workspace)
    assert 'id="seeds"' not in (workspace.reports / "index.html").read_text(encoding="utf-8")
