"""Entries of the official files: COCO's images and instances, CLEVR's scene graphs, ids."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from polite_flamingo.shapes.scene import SHAPES, Scene, Thing

LICENSE = {"id": 1, "name": "Apache License 2.0", "url": ""}


DATE = "2024-01-01 00:00:00"


# Ids with gaps, as COCO's.
CATEGORY_IDS = dict(zip(SHAPES, (1, 2, 3, 5, 7, 8), strict=True))


def info(what: str) -> dict[str, Any]:
    """Write the head of an annotation file."""
    return {
        "description": f"Shapes world, {what}",
        "url": "",
        "version": "1.0",
        "year": 2024,
        "contributor": "polite-flamingo",
        "date_created": DATE[:10],
    }


def coco_image(image_id: int, file_name: str, size: int) -> dict[str, Any]:
    """Write the entry of an image in COCO."""
    return {
        "id": image_id,
        "file_name": file_name,
        "width": size,
        "height": size,
        "license": 1,
        "coco_url": "",
        "flickr_url": "",
        "date_captured": DATE,
    }


def coco_object(image_id: int, object_id: int, thing: Thing, size: int) -> dict[str, Any]:
    """Write one thing as an instance in COCO: box in pixels, x, y, width, height."""
    x1, y1, x2, y2 = (value * size for value in thing.box)
    return {
        "id": object_id,
        "image_id": image_id,
        "category_id": CATEGORY_IDS[thing.shape],
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
        "segmentation": [[x1, y1, x2, y1, x2, y2, x1, y2]],
        "iscrowd": 0,
    }


def clevr_scene(index: int, file_name: str, split: str, scene: Scene, size: int) -> dict[str, Any]:
    """Write a scene graph as CLEVR's, with the four spatial relations."""
    objects = [
        {
            "shape": thing.shape,
            "color": thing.color,
            "size": thing.size,
            "texture": thing.texture,
            "pixel_coords": [thing.center[0] * size, thing.center[1] * size, 0.0],
        }
        for thing in scene.things
    ]
    # As CLEVR: relationships[r][i] lists the objects that are r of object i, by centres.
    axes = {"left": (0, 1), "right": (0, -1), "above": (1, 1), "below": (1, -1)}
    relationships = {
        name: [
            [
                other
                for other, b in enumerate(scene.things)
                if (a.center[axis] - b.center[axis]) * sign > 0
            ]
            for a in scene.things
        ]
        for name, (axis, sign) in axes.items()
    }
    return {
        "image_index": index,
        "image_filename": file_name,
        "split": split,
        "objects": objects,
        "relationships": relationships,
        "directions": {
            "left": [-1, 0, 0],
            "right": [1, 0, 0],
            "above": [0, -1, 0],
            "below": [0, 1, 0],
        },
    }


def short_id(*names: str) -> str:
    """Make a 22-character id of letters and digits, as A-OKVQA's."""
    digest = hashlib.blake2b("/".join(names).encode(), digest_size=18).digest()
    return base64.b64encode(digest, altchars=b"xy").decode()[:22]
