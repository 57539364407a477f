"""Files that are read in several pieces and by several threads hold what pandas finds when it reads them whole."""

import contextlib
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg import data
from thalweg.data.tables import _csv, _form, _threads


@pytest.fixture
def in_pieces(monkeypatch):
    """Pieces of 7 rows, and a thread for every 200 bytes."""
    monkeypatch.setattr(_csv, "_PIECE", 7)
    monkeypatch.setattr(_csv, "_SPAN", 200)
    monkeypatch.setattr(_threads.os, "cpu_count", lambda: 4)


def frame_of(n=300, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "n": rng.normal(size=n),
            "whole": rng.integers(-5, 5, n),
            "gaps": np.where(rng.random(n) < 0.3, np.nan, rng.integers(0, 9, n)),
            "late": np.where(np.arange(n) < n - 3, np.nan, 2.5),  # nothing in most pieces
            "city": rng.choice(["Bern", "Zürich", "São Paulo"], n),
            "rare": np.where(np.arange(n) == n - 1, "word", None),
            "flag": rng.random(n) < 0.5,
            "flag with gaps": pd.Series(np.where(rng.random(n) < 0.2, None, rng.random(n) < 0.5)),
            "mixed": [f"0{i}" if i % 40 == 39 else str(i) if i < n - 20 else f"name {i}" for i in range(n)],
        }
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("quoted", [0, 1])
def test_the_whole_is_what_pandas_reads(tmp_path, in_pieces, end, encoding, quoted):
    path = tmp_path / "long.csv"
    frame_of().to_csv(path, index=False, encoding=encoding, lineterminator=end, quoting=quoted)
    form = _form.form_of(path)
    assert len(_csv._spans(path, form)) == (1 if quoted or encoding == "utf-16" else 4)
    ours = _csv.whole(path, form)
    theirs = pd.read_csv(path, encoding=encoding, dtype={"mixed": "str", "flag with gaps": "str"}, low_memory=False)
    for name in theirs:
        one = ours[name].astype(object).where(ours[name].notna(), None)
        other = theirs[name].astype(object).where(theirs[name].notna(), None)
        assert one.tolist() == other.tolist(), name
    assert [ours[name].dtype.kind for name in ("n", "whole", "flag")] == ["f", "i", "b"]


def test_no_last_line_end_and_one_long_line(tmp_path, in_pieces):
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "\n".join(f"{i},{'x' * (900 if i == 50 else 3)}" for i in range(200)))
    found = _csv.whole(path, _form.form_of(path))
    assert found["a"].tolist() == list(range(200)) and found["b"].map(len).tolist().count(900) == 1


def test_a_line_with_too_many_cells_is_counted_from_the_file_s_beginning(tmp_path, in_pieces):
    path = tmp_path / "long.csv"
    lines = [f"{i},{i}" for i in range(300)]
    lines[250] += ",1,2"
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    with pytest.raises(data.DataError, match="line 252"):
        data.read(path, "b")


@settings(max_examples=40, deadline=None)
@given(
    cells=st.lists(st.sampled_from(["", "1", "2.5", "07", "True", "False", "x", "NA", "é"]), min_size=40, max_size=120)
)
def test_a_column_does_not_depend_on_where_pieces_end(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("pieces") / "t.csv"
    path.write_text("c,n\n" + "\n".join(f"{cell},{i}" for i, cell in enumerate(cells)) + "\n", encoding="utf-8")
    form = _form.form_of(path)
    whole = _csv.whole(path, form)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_csv, "_PIECE", 5)
        patch.setattr(_csv, "_SPAN", 60)
        patch.setattr(_threads.os, "cpu_count", lambda: 3)
        cut = _csv.whole(path, form)
    assert cut["n"].tolist() == whole["n"].tolist()
    one, other = (data.tables._cells.words(frame["c"]).tolist() for frame in (whole, cut))
    assert one == other


HOSTILE = {
    "bytes of zero": b"a,y\n1,0\n\x00,1\n" + b"2,1\n" * 30,
    "a wild quote": b'a,y\n1,0\n"2,1\n' + b"3,1\n" * 30,
    "no letters at all": bytes(range(256)) * 20,
    "one endless line": b"a," * 50_000,
    "nothing but line ends": b"\n" * 500,
    "half a letter": "a,y\nZürich,1\n".encode()[:-4] + b"\xc3\n",
    "a packed file that is none": b"\x1f\x8b\x08\x00nonsense",
    "numbers beyond float": b"a,y\n1e999,0\n-1e999,1\n" + b"2,1\n" * 30,
    "a formula": b"a,y\n=cmd|' /C calc'!A0,0\n" + b"x,1\n" * 30,
    "thousands of columns": b",".join(b"c%d" % i for i in range(5000)) + b",y\n" + (b"1," * 5000 + b"0\n") * 3,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_read_or_refused_with_one_line(tmp_path, what):
    path = tmp_path / "hostile.csv"
    path.write_bytes(HOSTILE[what])
    with contextlib.suppress(data.DataError):  # which says what is wrong
        table = data.read(path, "y")
        assert np.isfinite(table.recipe().encode(table.frame).numbers).all()


def test_arrays_of_an_npz_file_are_columns(tmp_path):
    path = tmp_path / "arrays.npz"
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 2, 2)), rng.integers(0, 3, 50)
    np.savez(path, x=x, age=np.arange(50.0) ** 2, y=y, x_test=x[:5], y_test=y[:5])
    table = data.read(path, "y")
    assert list(table.frame.columns) == ["x 0", "x 1", "x 2", "x 3", "age"] and table.task == "classification"
    np.testing.assert_array_equal(table.frame["x 3"], x[:, 1, 1])
    np.savez(path, x=x, y=y[:9])
    with pytest.raises(data.DataError, match="'x' has 50, 'y' has 9"):
        data.read(path, "y")
    np.savez(path, x=np.array([{}, {}]), y=y[:2])
    with pytest.raises(data.DataError, match="never unpickled"):
        data.read(path, "y")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(data.DataError, match="no whole .npz"):
        data.read(path, "y")
    np.save(io.BytesIO(), x)
    with path.open("wb") as file:
        np.save(file, x)
    with pytest.raises(data.DataError, match="one array"):
        data.read(path, "y")


def test_flipped_bits_of_an_npz_file_are_refused(tmp_path):
    path = tmp_path / "arrays.npz"
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 3))
    np.savez_compressed(path, x=x, y=np.arange(2000))
    whole, refused = path.read_bytes(), 0
    for _ in range(300):
        flipped = bytearray(whole)
        for place in rng.integers(0, len(flipped), 3):
            flipped[place] ^= 1 << rng.integers(0, 8)
        path.write_bytes(flipped)
        try:
            found = data.read_arrays(path, lambda names: names)
        except data.DataError:
            refused += 1
        else:
            assert all(np.array_equal(one, {"x": x, "y": np.arange(2000)}[name]) for name, one in found.items())
    assert refused > 250
