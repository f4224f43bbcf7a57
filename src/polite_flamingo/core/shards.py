"""Images in WebDataset tar shards, content-addressed, with an index for random access."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import pyarrow as pa
from PIL import Image

from polite_flamingo.core.tables import read_table, write_table

INDEX_SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("shard", pa.string()),
        ("offset", pa.int64()),
        ("size", pa.int64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("ext", pa.string()),
    ]
)


class ShardWriter:
    """Write unique images into ``shard-00000.tar`` ... and ``index.parquet``.

    A member is ``<image_id>.<ext>`` with fixed times and owners: equal images in equal order give
    equal bytes. Any WebDataset reader can stream the shards.
    """

    def __init__(self, folder: Path, shard_size: int) -> None:
        self.folder = folder
        self.shard_size = shard_size
        self._rows: dict[str, dict[str, object]] = {}
        self._tar: tarfile.TarFile | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, image_id: str, data: bytes, ext: str, width: int, height: int) -> None:
        """Add an image unless its id is there already (sizes in pixels)."""
        if image_id in self._rows:
            return
        number, place = divmod(len(self._rows), self.shard_size)
        shard = f"shard-{number:05d}.tar"
        if place == 0:
            self._close_tar()
            # Open over many calls of add().
            path = self.folder / shard
            self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        assert self._tar is not None
        member = tarfile.TarInfo(f"{image_id}.{ext}")
        member.size = len(data)
        # The header is one 512-byte block: USTAR names of this length need no extension.
        offset = self._tar.offset + tarfile.BLOCKSIZE
        self._tar.addfile(member, io.BytesIO(data))
        self._rows[image_id] = {
            "image_id": image_id,
            "shard": shard,
            "offset": offset,
            "size": len(data),
            "width": width,
            "height": height,
            "ext": ext,
        }

    def close(self) -> None:
        """Finish the last shard and write the index."""
        self._close_tar()
        rows = list(self._rows.values())
        write_table(self.folder / "index.parquet", pa.Table.from_pylist(rows, INDEX_SCHEMA))

    def _close_tar(self) -> None:
        if self._tar is not None:
            self._tar.close()
            self._tar = None

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._close_tar()


class ImageStore:
    """Read images of a folder of shards by id, in any order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        table = read_table(folder / "index.parquet", ["image_id", "shard", "offset", "size"])
        self._places: dict[str, tuple[str, int, int]] = {
            row["image_id"]: (row["shard"], row["offset"], row["size"]) for row in table.to_pylist()
        }
        self._files: dict[str, BinaryIO] = {}

    def ids(self) -> list[str]:
        """List every image id in index order."""
        return list(self._places)

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._places

    def __len__(self) -> int:
        return len(self._places)

    def read(self, image_id: str) -> bytes:
        """Read the stored bytes of an image; KeyError for an unknown id."""
        shard, offset, size = self._places[image_id]
        if shard not in self._files:
            self._files[shard] = (self.folder / shard).open("rb")
        file = self._files[shard]
        file.seek(offset)
        return file.read(size)

    def open(self, image_id: str) -> Image.Image:
        """Decode an image as RGB; KeyError for an unknown id."""
        with Image.open(io.BytesIO(self.read(image_id))) as image:
            return image.convert("RGB")
