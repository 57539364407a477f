"""Event files as TensorBoard reads them; nothing of TensorBoard is imported before the first one is written."""

from __future__ import annotations

import importlib
import struct
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_BUCKETS = 30


def require_tensorboard() -> None:
    """Say which extra is missing, where it is.

    Raises:
        ImportError: where TensorBoard is not installed.

    """
    try:
        importlib.import_module("tensorboard.summary.writer.event_file_writer")
    except ImportError as error:
        raise ImportError("TensorBoard logs need the extra: pip install 'thalweg[tensorboard]'") from error


class Events:
    """One folder of event files, which TensorBoard calls a run. The file is begun with the first event.

    Args:
        folder: where the files go; made where it does not exist.

    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._writer: Any = None

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A number; NaN and infinities too."""
        from tensorboard.plugins.scalar import summary_v2

        with np.errstate(over="ignore"):  # TensorBoard keeps float32, in which a large float64 is infinite
            self._add(summary_v2.scalar_pb(tag, np.float32(value)), step)

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """How the finite ones of `values` are spread: rows of [from, to, how many]."""
        from tensorboard.plugins.histogram import metadata
        from tensorboard.util import tensor_util

        about = metadata.create_summary_metadata(display_name=None, description=None)
        self._tensor(tag, tensor_util.make_tensor_proto(buckets(values), dtype=np.float64), about, step)

    def image(self, tag: str, values: np.ndarray, step: int) -> None:
        """A matrix in grey: its smallest number black, its largest white."""
        from tensorboard.plugins.image import metadata
        from tensorboard.util import tensor_util

        height, width = values.shape
        parts = [str(width).encode(), str(height).encode(), png(grey(values))]
        about = metadata.create_summary_metadata(display_name=None, description=None)
        self._tensor(tag, tensor_util.make_tensor_proto(parts), about, step)

    def experiment(self, ranges: Mapping[str, tuple[float, float]], metrics: Iterable[str]) -> None:
        """Which hypers and which of the scalars ``hparams/<metric>`` the HPARAMS tab shows."""
        from tensorboard.plugins.hparams import summary_v2

        hypers = [summary_v2.HParam(path, summary_v2.RealInterval(*ends)) for path, ends in ranges.items()]
        shown = [summary_v2.Metric(f"hparams/{name}", display_name=name) for name in metrics]
        self._add(summary_v2.hparams_config_pb(hypers, shown, time_created_secs=time.time()), 0)

    def session_start(self, hypers: Mapping[str, float]) -> None:
        """A fit begins, with these hypers."""
        from tensorboard.plugins.hparams import summary_v2

        # a name of its own: TensorBoard would make one row of all fits with equal hypers
        self._add(summary_v2.hparams_pb(dict(hypers), trial_id=self.folder), 0)

    def session_end(self, well: bool) -> None:
        """The fit is over, well or not."""
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        status = api_pb2.STATUS_SUCCESS if well else api_pb2.STATUS_FAILURE
        ended = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
        about = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=ended))
        self._tensor(metadata.SESSION_END_INFO_TAG, metadata.NULL_TENSOR, about, 0)

    def flush(self) -> None:
        """Bring to disk what was written."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Close the file; what is written later begins another one."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _tensor(self, tag: str, tensor: Any, about: Any, step: int) -> None:
        from tensorboard.compat.proto import summary_pb2

        summary = summary_pb2.Summary()
        summary.value.add(tag=tag, tensor=tensor, metadata=about)
        self._add(summary, step)

    def _add(self, summary: Any, step: int) -> None:
        from tensorboard.compat.proto import event_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if self._writer is None:
            self._writer = EventFileWriter(self.folder)
        self._writer.add_event(event_pb2.Event(wall_time=time.time(), step=step, summary=summary))


def buckets(values: np.ndarray) -> np.ndarray:
    """[30, 3]: each bucket's left end, right end, and how many finite values lie in it.

    Equal values lie in the last bucket, and all ends are that value, as TensorBoard wants it.

    Example:
        >>> buckets(np.array([0.0, 1.0, 1.0, np.nan]))[[0, -1], 2]
        array([1., 2.])

    """
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        return np.zeros((_BUCKETS, 3))
    low, high = finite.min(), finite.max()
    width = (high - low) / _BUCKETS
    place = np.full(finite.size, _BUCKETS - 1)
    if width > 0:
        place = np.minimum((finite - low) / width, _BUCKETS - 1).astype(np.int64)
    ends = np.linspace(low, high, _BUCKETS + 1)
    return np.stack([ends[:-1], ends[1:], np.bincount(place, minlength=_BUCKETS)], axis=1)


def grey(values: np.ndarray) -> np.ndarray:
    """Bytes from 0, the smallest finite number, to 255, the largest; what is not finite is 0."""
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    values = np.where(finite, values, values[finite].min()).astype(np.float64)
    low, high = values.min(), values.max()
    share = (values - low) / ((high - low) or 1)
    return np.rint(share * 255).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """A grey picture as a PNG file."""
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits of grey, nothing special
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)  # each begins with its filter: none
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
