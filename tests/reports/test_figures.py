from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

from polite_flamingo.reports import figures

LOW, HIGH = (0.4, 0.3, 0.5), (0.9, 0.9, 0.9)
DRAWN: dict[str, Callable[[], bytes]] = {
    "reward_histogram": lambda: figures.reward_histogram(
        [-1.0, 0.0, 1.0], {"kept": [0.25, 0.75], "raw": [1.0, 0.0]}, {"kept": "kept"}
    ),
    "u_shape": lambda: figures.u_shape(
        {"PF": [LOW, LOW, HIGH, HIGH], "raw": [LOW, LOW, None, HIGH]},
        {"PF": [None, HIGH, LOW, HIGH], "raw": [None, None, None, None]},
        {"PF": "pf", "raw": "raw"},
    ),
    "win_rate_heat_map": lambda: figures.win_rate_heat_map(["a", "b"], [[None, 0.9], [0.1, None]]),
    "filter_funnel": lambda: figures.filter_funnel(
        ["one", "none"], [8, 0], {"nli": [2, 0], "unchanged": [0, 0]}
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_equal_numbers_give_equal_bytes_of_valid_svg(name: str) -> None:
    first = DRAWN[name]()
    assert first == DRAWN[name]()
    assert ElementTree.fromstring(first).tag.endswith("svg")
    assert b"<dc:date>" not in first


def test_other_numbers_give_another_figure() -> None:
    low = figures.win_rate_heat_map(["a", "b"], [[None, 0.9], [0.1, None]])
    assert low != figures.win_rate_heat_map(["a", "b"], [[None, 0.8], [0.2, None]])
