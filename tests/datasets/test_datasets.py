"""Data sets: what comes with the package, MNIST's files, and hostile ones."""

import functools
import gzip
import hashlib
import http.server
import struct
import threading

import numpy as np
import pytest

from thalweg import datasets
from thalweg.data import DataError
from thalweg.datasets import mnist


def test_embedded_digits_are_stratified_and_disjoint_from_nothing_else():
    (x, y), (x_test, y_test) = datasets.digits.load_data()
    assert x.shape == (10_000, 28, 28)
    assert x_test.shape == (2_000, 28, 28)
    shares = np.bincount(y) / 10_000
    np.testing.assert_allclose(
        shares, [0.0987, 0.1124, 0.0993, 0.1022, 0.0974, 0.0904, 0.0986, 0.1044, 0.0975, 0.0992], atol=1e-4
    )
    assert set(np.bincount(y_test) > 150) == {True}
    rows = np.concatenate([x, x_test]).reshape(12_000, -1)
    assert len(np.unique(rows, axis=0)) == 12_000


def test_digits_of_8_by_8_are_scikit_learn_s():
    (x, y), (x_test, y_test) = datasets.digits8.load_data()
    assert len(x) + len(x_test) == 1797
    assert x.max() == 16
    assert set(y) == set(y_test) == set(range(10))


def idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def small(monkeypatch, tmp_path):
    """MNIST's four files with a few rows each, and their digests in the place of the real ones."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    rng = np.random.default_rng(0)
    digests = {}
    for name in mnist.FILES:
        shape = (5, 28, 28) if "images" in name else (5,)
        content = idx(rng.integers(0, 10, shape).astype(np.uint8))
        digests[name] = hashlib.sha256(content).hexdigest()
        (folder / name).write_bytes(gzip.compress(content))
    monkeypatch.setattr(mnist, "FILES", digests)
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("THALWEG_DATA", raising=False)
    return folder


def test_files_are_found_in_a_folder_and_by_the_environment(small, monkeypatch):
    (x, y), (x_test, y_test) = mnist.load_data(small)
    assert x.shape == x_test.shape == (5, 28, 28)
    assert y.shape == y_test.shape == (5,)
    monkeypatch.setenv("THALWEG_DATA", str(small))
    np.testing.assert_array_equal(mnist.load_data()[0][0], x)


def test_files_are_downloaded_from_the_first_mirror_that_answers(small, monkeypatch, tmp_path):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(small)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/", f"http://127.0.0.1:{server.server_port}/"))
    try:
        (x, _), _ = mnist.load_data()
    finally:
        server.shutdown()
        server.server_close()
    assert x.shape == (5, 28, 28)
    kept = {path.name for path in (tmp_path / "cache" / "mnist").iterdir()}
    assert kept == set(mnist.FILES)
    mnist.load_data()  # from the cache: the server is gone


def test_without_a_network_it_is_said_where_to_put_the_files(small, monkeypatch, tmp_path):
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/",))
    with pytest.raises(DataError, match=f"THALWEG_DATA.*no download|{tmp_path}"):
        mnist.load_data()


def test_a_changed_or_cut_file_is_named(small):
    file = small / "t10k-labels-idx1-ubyte.gz"
    whole = file.read_bytes()
    file.write_bytes(gzip.compress(idx(np.zeros(5, np.uint8))))
    with pytest.raises(DataError, match="t10k-labels.*SHA-256"):
        mnist.load_data(small)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="t10k-labels.*no whole gzip"):
        mnist.load_data(small)
    file.unlink()
    with pytest.raises(DataError, match="lacks t10k-labels"):
        mnist.load_data(small)


def test_npz_files_of_both_spellings(tmp_path):
    x, y = np.ones((4, 2)), np.arange(4)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.savez(tmp_path / "b.npz", x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    assert datasets.load(tmp_path / "a.npz").x_test is None
    assert datasets.load(str(tmp_path / "b.npz")).y_test.tolist() == [0, 1]


def test_hostile_files_are_refused_by_name(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    np.savez(tmp_path / "pickle.npz", x=np.array([Bomb()], dtype=object), y=np.arange(1))
    with pytest.raises(DataError, match="'x' holds Python objects"):
        datasets.load(tmp_path / "pickle.npz")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "cut.npz").write_bytes((tmp_path / "pickle.npz").read_bytes()[:100])
    with pytest.raises(DataError, match="cut.npz"):
        datasets.load(tmp_path / "cut.npz")
    np.savez(tmp_path / "other.npz", pictures=np.ones(3))
    with pytest.raises(DataError, match="holds pictures"):
        datasets.load(tmp_path / "other.npz")
    with pytest.raises(DataError, match="Did you mean 'digits'"):
        datasets.load("digit")
    with pytest.raises(DataError, match="no file"):
        datasets.load("nowhere.npz")
