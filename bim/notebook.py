"""What a reading keeps in a folder, so that another process can go on where a geometry kernel killed the first.

The bodies made so far lie there in batches, and a note says what the kernel was given last. A process that finds such
a note knows that its predecessor died or hung over it: it tries the rest of that in parts, until the products that
kill the kernel stand alone. These are tried once with the exact kernel, and then left out and listed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bim.selection import SWEPT_KERNEL, Task
from bim.shapes import ShapeStore

STATE = "state.json"
ENDED = "ended.txt"
# Set for a reading process by the one that watches over it, and tries again when it dies.
FOLDER_VARIABLE = "TWIN_READER_NOTEBOOK"
PARTS = 8  # into which a group with a deadly product is split: 300 products are narrowed down in three starts
MOST_STARTS = 60  # of a reader for one file


@dataclass(frozen=True, eq=False)
class Batch:
    """Bodies made one after another.

    Attributes
    ----------
    store : ShapeStore
        Shapes that are new in this batch.
    product : (k,) int64
        Step id of each body.
    shape : (k,) int64
        Number of its shape, counted over all batches.
    matrix : (k, 3, 4) float64
        Model = matrix[:, :, :3] @ p + matrix[:, :, 3] [m].
    """

    store: ShapeStore
    product: NDArray[np.int64]
    shape: NDArray[np.int64]
    matrix: NDArray[np.float64]


@dataclass
class _State:
    """The note: what is being tried, what is suspected, what is known to kill."""

    starts: int
    kernel: str
    products: list[int]
    alone: bool
    suspects: list[tuple[str, list[int]]]
    deadly: dict[str, str]


class Notebook:
    """Keeps batches and the note of one reading; without a folder it keeps nothing.

    Parameters
    ----------
    folder : Path or None
        Outlives the process; empty at the first start.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._written = 0
        self._suspects: list[Task] = []
        self.starts = 1
        self.deadly: dict[int, str] = {}
        self._found = self._read_state()

    @classmethod
    def of_process(cls) -> Notebook:
        """The notebook that a watched reading process was given; one that keeps nothing in any other."""
        folder = os.environ.get(FOLDER_VARIABLE)
        return cls(Path(folder) if folder and Path(folder).is_dir() else None)

    @property
    def is_again(self) -> bool:
        """Whether an earlier process died over this file."""
        return self._found is not None

    def batches(self) -> Iterator[Batch]:
        """What earlier processes have made."""
        if self._folder is None:
            return
        for path in sorted(self._folder.glob("batch-*.npz")):
            with np.load(path) as arrays:
                store = ShapeStore(**{item.name: arrays[item.name] for item in fields(ShapeStore)})
                self._written += 1
                yield Batch(store, arrays["product"], arrays["shape"], arrays["matrix"])

    def keep(self, batch: Batch) -> None:
        """Put a batch where another process finds it."""
        if self._folder is None:
            return
        arrays = {item.name: getattr(batch.store, item.name) for item in fields(ShapeStore)}
        temporary = self._folder / "batch.tmp"
        with temporary.open("wb") as file:
            np.savez(file, **arrays, product=batch.product, shape=batch.shape, matrix=batch.matrix)
        temporary.rename(self._folder / f"batch-{self._written:06d}.npz")
        self._written += 1

    def plan(self, tasks: Sequence[Task], done: Iterable[int]) -> list[Task]:
        """What is still to do: the ordinary tasks, then what is suspected, in parts."""
        finished = set(done)
        self._suspects = [_without(task, finished) for task in self._blamed(finished)]
        self._suspects = [task for task in self._suspects if task.products]
        if self.starts > MOST_STARTS:
            reason = f"not tried: the geometry kernel died {self.starts - 1} times over this file"
            self.deadly.update({p: reason for task in self._suspects for p in task.products})
            self._suspects = []
        apart = finished | self.deadly.keys() | {p for task in self._suspects for p in task.products}
        ordinary = [_without(task, apart) for task in tasks]
        return [task for task in [*ordinary, *self._suspects] if task.products]

    def _blamed(self, done: set[int]) -> list[Task]:
        """The suspects of the note, with what was tried last split into parts or condemned."""
        found = self._found
        if found is None:
            return []
        self.starts = found.starts + 1
        self.deadly = {int(product): reason for product, reason in found.deadly.items()}
        suspects = [Task(kernel, tuple(products)) for kernel, products in found.suspects]
        rest = [product for product in found.products if product not in done]
        if not rest:
            return suspects
        if len(rest) > 1:
            size = -(-len(rest) // PARTS)
            parts = [Task(found.kernel, tuple(rest[k : k + size])) for k in range(0, len(rest), size)]
            return [*parts, *suspects]
        if found.kernel != SWEPT_KERNEL and not found.alone:
            return [Task(SWEPT_KERNEL, (rest[0],)), *suspects]
        self.deadly[rest[0]] = self._last_words()
        return suspects

    def begin(self, task: Task, *, alone: bool = False) -> None:
        """Note what the kernel is given next; `alone` = one product by itself, whose death is proof."""
        if self._folder is None:
            return
        if task in self._suspects:
            self._suspects.remove(task)
        suspects = [(other.kernel, list(other.products)) for other in self._suspects]
        deadly = {str(product): reason for product, reason in self.deadly.items()}
        state = _State(self.starts, task.kernel, list(task.products), alone, suspects, deadly)
        temporary = self._folder / "state.tmp"
        temporary.write_text(json.dumps(asdict(state)), encoding="utf-8")
        temporary.replace(self._folder / STATE)

    def close(self) -> None:
        """The dangerous part is over: a crash from here on has another cause."""
        if self._folder is not None:
            (self._folder / STATE).unlink(missing_ok=True)

    def _read_state(self) -> _State | None:
        if self._folder is None or not (self._folder / STATE).exists():
            return None
        return _State(**json.loads((self._folder / STATE).read_text(encoding="utf-8")))

    def _last_words(self) -> str:
        """What the parent process says of the end of the one before."""
        path = self._folder / ENDED if self._folder is not None else None
        words = path.read_text(encoding="utf-8").strip() if path is not None and path.exists() else ""
        return f"the geometry kernel {words or 'crashed'}"


def _without(task: Task, products: set[int]) -> Task:
    return Task(task.kernel, tuple(p for p in task.products if p not in products))
