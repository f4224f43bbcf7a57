"""Adapters, one a file format: from official files to records.

An adapter takes the data set's folder, its catalogue entry and a split, and yields a record or a
reject for everything it meets. It raises UserError for a missing file and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from polite_flamingo.core.sample import Reject
from polite_flamingo.sources.catalogue import Entry
from polite_flamingo.sources.formats.alpaca import read_alpaca
from polite_flamingo.sources.formats.aokvqa import read_aokvqa
from polite_flamingo.sources.formats.captions import (
    read_cc3m,
    read_flickr30k,
    read_paragraphs,
    read_textcaps,
)
from polite_flamingo.sources.formats.class_arrays import read_cifar, read_fer, read_idx
from polite_flamingo.sources.formats.class_images import (
    read_class_folders,
    read_class_lines,
    read_class_paths,
    read_elevater,
    read_gtsrb,
    read_mat,
    read_pets,
)
from polite_flamingo.sources.formats.clevr import read_clevr
from polite_flamingo.sources.formats.coco import read_coco
from polite_flamingo.sources.formats.detection import read_dota, read_voc
from polite_flamingo.sources.formats.dialogues import read_oasst, read_pf1m, read_ultrachat
from polite_flamingo.sources.formats.digits import read_digits
from polite_flamingo.sources.formats.easy_vqa import read_easy_vqa
from polite_flamingo.sources.formats.grid3d import read_grid3d
from polite_flamingo.sources.formats.karpathy import read_karpathy, read_levircc
from polite_flamingo.sources.formats.keyed_qa import read_gqa, read_ocrvqa, read_scienceqa
from polite_flamingo.sources.formats.llava import read_llava
from polite_flamingo.sources.formats.pairs import read_image_edits, read_nlvr2
from polite_flamingo.sources.formats.regions import read_pointqa, read_refcocog
from polite_flamingo.sources.formats.sharegpt import read_sharegpt
from polite_flamingo.sources.formats.spotdiff import read_spotdiff
from polite_flamingo.sources.formats.table import read_table_rows
from polite_flamingo.sources.formats.vqa import read_textvqa, read_vqa, read_vqae
from polite_flamingo.sources.formats.vsr import read_vsr
from polite_flamingo.sources.record import Record

Adapter = Callable[[Path, Entry, str], Iterator[Record | Reject]]

ADAPTERS: dict[str, Adapter] = {
    "alpaca": read_alpaca,
    "aokvqa": read_aokvqa,
    "cc3m": read_cc3m,
    "cifar": read_cifar,
    "class_folders": read_class_folders,
    "class_lines": read_class_lines,
    "class_paths": read_class_paths,
    "clevr": read_clevr,
    "coco": read_coco,
    "digits": read_digits,
    "dota": read_dota,
    "easy_vqa": read_easy_vqa,
    "elevater": read_elevater,
    "fer": read_fer,
    "flickr30k": read_flickr30k,
    "gqa": read_gqa,
    "grid3d": read_grid3d,
    "gtsrb": read_gtsrb,
    "idx": read_idx,
    "image_edits": read_image_edits,
    "karpathy": read_karpathy,
    "levircc": read_levircc,
    "llava": read_llava,
    "mat": read_mat,
    "nlvr2": read_nlvr2,
    "oasst": read_oasst,
    "ocrvqa": read_ocrvqa,
    "paragraphs": read_paragraphs,
    "pets": read_pets,
    "pf1m": read_pf1m,
    "pointqa": read_pointqa,
    "refcocog": read_refcocog,
    "scienceqa": read_scienceqa,
    "sharegpt": read_sharegpt,
    "spotdiff": read_spotdiff,
    "table": read_table_rows,
    "textcaps": read_textcaps,
    "textvqa": read_textvqa,
    "ultrachat": read_ultrachat,
    "voc": read_voc,
    "vqa": read_vqa,
    "vqae": read_vqae,
    "vsr": read_vsr,
}
