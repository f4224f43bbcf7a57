"""What became of every source, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Stats = Mapping[str, Mapping[str, Any]]


def bucket_start(name: str) -> int:
    """Return the smallest length in words of a bucket's name (``3-4``, ``513+``)."""
    return int(name.rstrip("+").split("-")[0])


def lengths(stats: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the buckets of response lengths with their counts, shortest first."""
    return sorted(stats["response_words"].items(), key=lambda item: bucket_start(item[0]))


def median_bucket(stats: Mapping[str, Any]) -> str:
    """Return the bucket that holds the median length of a response (``-``: no response)."""
    total = sum(count for _, count in lengths(stats))
    seen = 0
    for name, count in lengths(stats):
        seen += count
        if 2 * seen >= total:
            return name
    return "-"


def box_share(stats: Mapping[str, Any]) -> float:
    """Return the share of samples with boxes."""
    samples = sum(stats["samples"].values())
    return stats["with_boxes"] / samples if samples else 0.0


def stats_lines(stats: Stats) -> Iterator[str]:
    """Tell per source: samples, images, rejects by reason, lengths of responses, share with boxes."""
    yield (
        f"{'source':<24}{'train':>9}{'test':>9}{'images':>9}{'capped':>9}{'rejects':>9}"
        f"{'boxes':>8}  median words"
    )
    for name, own in stats.items():
        rejects = sum(own["rejects"].values())
        yield (
            f"{name:<24}{own['samples'].get('train', 0):>9}{own['samples'].get('test', 0):>9}"
            f"{own['images']:>9}{own['capped']:>9}{rejects:>9}{box_share(own):>8.1%}"
            f"  {median_bucket(own)}"
        )
        if own["response_words"]:
            total = sum(own["response_words"].values())
            shares = [f"{bucket}: {count / total:.1%}" for bucket, count in lengths(own)]
            yield f"    words of a response  {'  '.join(shares)}"
        for title in ("rejects", "notes"):
            if own[title]:
                counts = sorted(own[title].items(), key=lambda item: (-item[1], item[0]))
                told = "  ".join(f"{reason}: {count}" for reason, count in counts)
                yield f"    {title:<20} {told}"
