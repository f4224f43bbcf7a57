"""Images in WebDataset tar shards, content-addressed, with an index for random access."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
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

# Beside the index: what an image was made from, where ingest drew on it, shrank or re-encoded it.
ORIGINS = "origins.parquet"
ORIGIN_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
    ]
)


def read_origins(folder: Path) -> dict[str, frozenset[str]]:
    """Read which files (by the SHA-256 of their bytes) each changed image of a folder was made from.

    An image that is not named is a file's own bytes. Equal images may come from several files.
    """
    path = folder / ORIGINS
    if not path.is_file():
        return {}
    found: dict[str, set[str]] = {}
    for row in read_table(path).to_pylist():
        found.setdefault(row["image_id"], set()).add(row["origin"])
    return {image: frozenset(origins) for image, origins in found.items()}


class ShardWriter:
    """Write unique images into ``shard-00000.tar`` ... and ``index.parquet``.

    A member is ``<image_id>.<ext>`` with fixed times and owners: equal images in equal order give
    equal bytes. Any WebDataset reader can stream the shards. ``done`` are the rows, in order, that
    an earlier writer of the same folder handed out (:meth:`take_rows`): it goes on behind them, and
    what the earlier one wrote after them is cut off.
    """

    def __init__(self, folder: Path, shard_size: int, done: Iterable[pa.Table] = ()) -> None:
        self.folder = folder
        self.shard_size = shard_size
        self._known: set[bytes] = set()
        self._done: list[pa.Table] = []
        self._rows: list[dict[str, object]] = []
        self._tar: BinaryIO | None = None
        self._offset = 0
        folder.mkdir(parents=True, exist_ok=True)
        for table in done:
            self._done.append(table)
            self._known.update(map(bytes.fromhex, table.column("image_id").to_pylist()))
        self._go_on()

    def __contains__(self, image_id: object) -> bool:
        return isinstance(image_id, str) and bytes.fromhex(image_id) in self._known

    def add(self, image_id: str, data: bytes, ext: str, width: int, height: int) -> None:
        """Add an image unless its id is there already (sizes in pixels)."""
        if image_id in self:
            return
        number, place = divmod(len(self._known), self.shard_size)
        shard = f"shard-{number:05d}.tar"
        if place == 0:
            self._close_tar()
        if self._tar is None:
            # Open over many calls of add().
            self._tar, self._offset = (self.folder / shard).open("wb"), 0
        member = tarfile.TarInfo(f"{image_id}.{ext}")
        member.size = len(data)
        # The header is one 512-byte block: USTAR names of this length need no extension.
        header = member.tobuf(tarfile.USTAR_FORMAT)
        self._tar.write(header + data + bytes(-len(data) % tarfile.BLOCKSIZE))
        self._rows.append(
            {
                "image_id": image_id,
                "shard": shard,
                "offset": self._offset + len(header),
                "size": len(data),
                "width": width,
                "height": height,
                "ext": ext,
            }
        )
        self._offset = _end(self._offset + len(header), len(data))
        self._known.add(bytes.fromhex(image_id))

    def take_rows(self) -> pa.Table:
        """Return the rows of the index since the last call; their images are on the disk."""
        if self._tar is not None:
            self._tar.flush()
        table = pa.Table.from_pylist(self._rows, INDEX_SCHEMA)
        self._done.append(table)
        self._rows = []
        return table

    def close(self) -> None:
        """Finish the last shard and write the index."""
        self.take_rows()
        self._close_tar()
        write_table(self.folder / "index.parquet", pa.concat_tables(self._done).combine_chunks())

    def _go_on(self) -> None:
        """Cut the shards off behind the last row that is known, and open the last one again."""
        rows = next((table for table in reversed(self._done) if table.num_rows), None)
        last = rows.slice(rows.num_rows - 1).to_pylist()[0] if rows is not None else None
        for path in self.folder.glob("shard-*.tar"):
            if last is None or path.name > last["shard"]:
                path.unlink()
        if last is None:
            return
        self._offset = _end(last["offset"], last["size"])
        self._tar = (self.folder / last["shard"]).open("r+b")
        self._tar.truncate(self._offset)
        self._tar.seek(self._offset)

    def _close_tar(self) -> None:
        if self._tar is not None:
            # A tar file ends with two empty blocks, then zeros to a whole record.
            end = self._offset + 2 * tarfile.BLOCKSIZE
            self._tar.write(bytes(2 * tarfile.BLOCKSIZE + -end % tarfile.RECORDSIZE))
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


def _end(offset: int, size: int) -> int:
    """Where the next member of a tar file starts."""
    return offset + size + -size % tarfile.BLOCKSIZE


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
