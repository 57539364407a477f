"""Pictures in folders, a folder a class."""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.data._rows import DataError, known_version

ENDINGS = (".png", ".jpg", ".jpeg")
_VERSION = 1
_MOST_PIXELS = 10_000_000  # of one picture: a small file may claim to hold far more


@dataclass(frozen=True)
class Frame:
    """How pictures are read.

    Attributes:
        height, width: to which they are brought.
        color: whether in three colours, else in grey.
        classes: names of the folders.

    """

    height: int
    width: int
    color: bool
    classes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Plain data, from which :func:`read_frame` makes the same."""
        return {"version": _VERSION, "images": asdict(self)}

    def pixels(self, paths: Sequence[Path]) -> np.ndarray:
        """uint8 [n, height, width], or [n, height, width, 3] in colour.

        Raises:
            DataError: naming the file that is no whole picture.

        """
        shape = (len(paths), self.height, self.width, *((3,) if self.color else ()))
        found = np.empty(shape, np.uint8)
        for i, path in enumerate(paths):
            with _opened(path) as held:
                picture = held.convert("RGB" if self.color else "L")
            if picture.size != (self.width, self.height):
                picture = picture.resize((self.width, self.height), _pillow().Resampling.BILINEAR)
            found[i] = np.asarray(picture)
        return found


class Pictures(NamedTuple):
    """Pictures that were read.

    Attributes:
        x: uint8 pixels.
        y: int32 class numbers.
        frame: how they were read.
        said: what a person should know of that.

    """

    x: np.ndarray
    y: np.ndarray
    frame: Frame
    said: tuple[str, ...]


def read_images(folder: str | Path, size: tuple[int, int] | None = None) -> Pictures:
    """Read a folder of pictures (PNG, JPEG) that has a folder for each class.

    Args:
        folder: where they are.
        size: (height, width) to which all are brought; None: the most frequent size there is.

    Returns:
        Pixels, class numbers in the order of the folders' names, and how they were read. They are in colour where any
        picture is.

    Raises:
        DataError: where there are no such folders or pictures, or one is no whole picture, naming it.
        ImportError: where Pillow is not installed; the message says how to install it.

    Example:
        >>> import tempfile, pathlib
        >>> from PIL import Image
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ('cat', 'dog'):
        ...     (folder / name).mkdir()
        ...     Image.new('L', (5, 4)).save(folder / name / 'one.png')
        >>> found = read_images(folder)
        >>> found.x.shape, found.y.tolist(), found.frame.classes
        ((2, 4, 5), [0, 1], ('cat', 'dog'))

    """
    folder = Path(folder)
    held = {one.name: pictures_in(one) for one in sorted(folder.iterdir()) if one.is_dir()} if folder.is_dir() else {}
    held = {name: paths for name, paths in held.items() if paths}
    if not held:
        raise DataError(f"{folder} must hold a folder for each class, with pictures ({', '.join(ENDINGS)}) in it.")
    paths = [path for own in held.values() for path in own]
    sizes: Counter[tuple[int, int]] = Counter()
    modes: Counter[bool] = Counter()
    for path in paths:
        with _opened(path) as picture:
            sizes[picture.size[1], picture.size[0]] += 1
            modes[picture.mode not in ("L", "1", "I", "I;16", "LA")] += 1
    height, width = size or sizes.most_common(1)[0][0]
    others = len(paths) - sizes[height, width]
    said = [
        f"{len(paths):,} pictures of {len(held)} classes, {height} x {width}, {'colour' if modes[True] else 'grey'}"
    ]
    said += [f"{others:,} pictures of other sizes: brought to {height} x {width}"] if others else []
    said += (
        [f"{modes[False]:,} grey pictures beside coloured ones: read in colour"] if modes[True] and modes[False] else []
    )
    frame = Frame(height, width, bool(modes[True]), tuple(held))
    y = np.repeat(np.arange(len(held), dtype=np.int32), [len(own) for own in held.values()])
    return Pictures(frame.pixels(paths), y, frame, tuple(said))


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())


def read_frame(record: dict[str, Any]) -> Frame:
    """A frame from its record.

    Raises:
        DataError: where the record is of a later version, or no whole one.

    """
    known_version(record, "What the file says of its pictures", _VERSION)
    try:
        told = record["images"]
        return Frame(int(told["height"]), int(told["width"]), bool(told["color"]), tuple(map(str, told["classes"])))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"What the file says of its pictures is damaged: {error}.") from error


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Pictures need the extra: pip install 'thalweg[images]'.") from error
    return Image


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A picture whose size is known, and whose pixels are read when they are asked for."""
    image = _pillow()
    try:
        with warnings.catch_warnings(), image.open(path) as picture:
            warnings.simplefilter("ignore")  # of sizes, which are looked at here
            if picture.size[0] * picture.size[1] > _MOST_PIXELS:
                most = f"at most {_MOST_PIXELS:,} are read"
                raise DataError(f"{path} has {picture.size[0]:,} x {picture.size[1]:,} pixels; {most}.")
            yield picture
    except DataError:
        raise
    except Exception as error:  # Pillow raises whatever its decoders do
        raise DataError(f"{path} is no whole picture: {error}.") from error
