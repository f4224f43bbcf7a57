"""Images of records, decoded and checked in parallel, in order."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from types import TracebackType

from polite_flamingo.core.images import CheckedImage
from polite_flamingo.sources.image_files import ImageFolder
from polite_flamingo.sources.record import BadRecord, ImageRef, Record

# Records whose images go to a worker together, and such batches in flight for each worker.
_BATCH = 32
_IN_FLIGHT = 3
# Fewer images are decoded faster than processes start.
_WORTH_A_POOL = 256
# Paths whose image is known to be stored: several questions ask about one image.
_REMEMBERED = 200_000

# What became of an image: its bytes, the id it is stored under, or (reason, detail).
Verdict = CheckedImage | str | tuple[str, str]


class ImagePool:
    """Decodes the images of one split with several processes; the order of records is kept."""

    def __init__(self, folder: ImageFolder, workers: int) -> None:
        self.folder = folder
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._asked = 0
        self._stored: OrderedDict[ImageRef, str] = OrderedDict()

    def resolve(self, records: Iterable[Record]) -> Iterator[tuple[Record, list[Verdict]]]:
        """Yield every record with a verdict on each of its images."""
        flying: deque[tuple[list[Record], dict[ImageRef, str], list[ImageRef], _Answer]] = deque()
        batch: list[Record] = []
        for record in records:
            batch.append(record)
            if len(batch) == _BATCH:
                flying.append(self._send(batch))
                batch = []
                if len(flying) > self._workers * _IN_FLIGHT or self._pool is None:
                    yield from self._receive(flying.popleft())
        if batch:
            flying.append(self._send(batch))
        while flying:
            yield from self._receive(flying.popleft())

    def judge(self, images: Sequence[tuple[ImageRef, ...]]) -> list[bool]:
        """Tell for several records whether all of their images are good."""
        parts = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
        answers = [self._submit([ref for refs in part for ref in refs], False) for part in parts]
        fine: list[bool] = []
        for part, answer in zip(parts, answers, strict=True):
            verdicts = iter(_result(answer))
            fine += [all([not isinstance(next(verdicts), tuple) for _ in refs]) for refs in part]
        return fine

    def remember(self, image: ImageRef, image_id: str) -> None:
        """Note that an image is stored: it need not be decoded again."""
        if not isinstance(image, bytes):
            self._stored[image] = image_id
            if len(self._stored) > _REMEMBERED:
                self._stored.popitem(last=False)

    def _send(
        self, batch: list[Record]
    ) -> tuple[list[Record], dict[ImageRef, str], list[ImageRef], _Answer]:
        stored: dict[ImageRef, str] = {}
        wanted: dict[ImageRef, None] = {}
        for record in batch:
            for image in record.images:
                known = self._stored.get(image)
                if known is not None:
                    stored[image] = known
                else:
                    wanted[image] = None
        refs = list(wanted)
        return batch, stored, refs, self._submit(refs, True)

    def _submit(self, refs: list[ImageRef], with_data: bool) -> _Answer:
        self._asked += len(refs)
        if self._pool is None and self._workers > 1 and self._asked > _WORTH_A_POOL:
            self._pool = ProcessPoolExecutor(self._workers)
        if self._pool is None or not refs:
            return check_images(self.folder, refs, with_data)
        return self._pool.submit(check_images, self.folder, refs, with_data)

    def _receive(
        self, sent: tuple[list[Record], dict[ImageRef, str], list[ImageRef], _Answer]
    ) -> Iterator[tuple[Record, list[Verdict]]]:
        batch, stored, refs, answer = sent
        found: dict[ImageRef, Verdict] = {
            **stored,
            **dict(zip(refs, _result(answer), strict=True)),
        }
        for record in batch:
            yield record, [found[image] for image in record.images]

    def __enter__(self) -> ImagePool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


_Answer = list[Verdict] | Future[list[Verdict]]


def check_images(folder: ImageFolder, refs: Sequence[ImageRef], with_data: bool) -> list[Verdict]:
    """Check images in a worker; without ``with_data`` a good one is only its id."""
    verdicts: list[Verdict] = []
    for image in refs:
        try:
            checked = folder.check(image)
            verdicts.append(checked if with_data else checked.image_id)
        except BadRecord as error:
            verdicts.append((error.reason, str(error)))
    return verdicts


def _result(answer: _Answer) -> list[Verdict]:
    return answer.result() if isinstance(answer, Future) else answer
