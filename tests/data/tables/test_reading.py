"""Awkward files: each is read rightly, or refused with the culprit named."""

import gzip

import numpy as np
import pandas as pd
import pytest

from thalweg import data

ROWS = [("31", "Zürich", "yes"), ("45", "Bern", "no"), ("27", "Zürich", "no"), ("60", "Genève", "yes")] * 6


def written(path, rows=ROWS, names=("age", "city", "rich"), delimiter=",", encoding="utf-8", end="\n"):
    text = end.join(delimiter.join(row) for row in (names, *rows)) + end
    raw = text.encode(encoding)
    if path.suffix == ".gz":
        raw = gzip.compress(raw)
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter_and_encoding(tmp_path, delimiter, encoding):
    table = data.read(written(tmp_path / "people.csv", delimiter=delimiter, encoding=encoding), "rich")
    assert list(table.frame.columns) == ["age", "city"] and len(table) == len(ROWS)
    assert set(table.frame["city"]) == {"Zürich", "Bern", "Genève"}
    assert [one.kind for one in table.columns] == ["numeric", "categorical"]
    assert any("Windows-1252" in text for text in table.said) == (encoding == "cp1252")


def test_packed_and_with_windows_line_ends(tmp_path):
    assert len(data.read(written(tmp_path / "people.csv.gz", end="\r\n"), "rich")) == len(ROWS)


def test_json_lines(tmp_path):
    path = tmp_path / "people.jsonl"
    pd.DataFrame(ROWS, columns=["age", "city", "rich"]).to_json(path, orient="records", lines=True)
    assert [one.kind for one in data.read(path, "rich").columns] == ["numeric", "categorical"]


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "people.parquet"
    pd.DataFrame(ROWS, columns=["age", "city", "rich"]).to_parquet(path)
    assert len(data.read(path, "rich")) == len(ROWS)


def test_quotes_delimiters_and_line_ends_in_cells(tmp_path):
    path = tmp_path / "notes.csv"
    rows = [f'{i},"he said ""no"", then\nleft; twice | at {i}",{i % 2}' for i in range(30)]
    path.write_text("n,note,y\n" + "\n".join(rows) + "\n")
    table = data.read(path, "y", types={"note": "text"})
    assert len(table) == 30 and table.frame["note"][3] == 'he said "no", then\nleft; twice | at 3'


REFUSED = {
    "no file": (None, "There is no file"),
    "nothing": ("", "is empty"),
    "names alone": ("a,b\n", "no rows"),
    "two names alike": ("a,b,a\n1,2,3\n", "'a' stands twice.*\\[1, 3\\]"),
    "a name is missing": ("a,,c\n1,2,3\n", "column 2 of 3 has no name"),
    "too many cells": ("a,b\n1,2\n3,4\n5,6,7,8\n", "line 4"),
    "no such target": ("a,b\n1,2\n", "Unknown column 'c'"),
    "numbers and texts": ("a,c\n" + "\n".join(f"{i},1" for i in range(30)) + "\nmany,0\n", "'a' mixes.*'many'.*row 30"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_used_is_named(tmp_path, what):
    text, message = REFUSED[what]
    path = tmp_path / "table.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(data.DataError, match=f"(?s){message}"):
        data.read(path, "c" if what != "too many cells" else "b")


def test_an_index_that_pandas_wrote_is_left_out(tmp_path):
    path = tmp_path / "table.csv"
    pd.DataFrame({"a": [3.0, 1.0, 2.0], "b": [0, 1, 0]}).to_csv(path)
    table = data.read(path, "b")
    assert list(table.frame.columns) == ["a"] and "left out" in table.said[0]


def test_an_unknown_ending_names_the_known_ones(tmp_path):
    (tmp_path / "table.xlsx").write_text("x")
    with pytest.raises(ValueError, match=r"'\.xlsx'.*\.csv"):
        data.read(tmp_path / "table.xlsx")


def test_marks_that_stand_for_nothing_are_missing(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        "a,b,y\n" + "\n".join(f"{'?' if i % 5 == 0 else i},{'-' if i % 7 == 0 else 'x'},{i % 2}" for i in range(40))
    )
    table = data.read(path, "y")
    assert [one.missing for one in table.columns] == [8, 6]
    assert table.columns[0].kind == "numeric"


def test_rows_without_a_target_are_left_out_with_a_word(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,y\n" + "\n".join(f"{i}.5,{'' if i % 4 == 0 else i % 3}" for i in range(40)))
    table = data.read(path, "y")
    assert len(table) == 30 and any("10 rows without a target" in text for text in table.said)
    path.write_text("a,y\n1,\n2,\n")
    with pytest.raises(data.DataError, match="no row has a target"):
        data.read(path, "y")


def test_a_mark_for_nothing_is_no_class_wherever_it_comes_from(tmp_path):
    frame = pd.DataFrame({"x": np.arange(30.0), "y": ["a", "b", "?"] * 10, "z": ["u", " ", None] * 10})
    frame.to_parquet(tmp_path / "table.parquet")
    for source in (frame, tmp_path / "table.parquet"):
        table = data.read(source, "y")
        assert len(table) == 20 and any("10 rows without a target" in text for text in table.said)
        assert table.recipe().goal.encode(table.targets).tolist() == [0, 1] * 10
        assert table.columns[1].missing == 10
        assert table.recipe().unseen(table.frame).tolist() == [0] * 20


def test_a_frame_is_taken_as_it_is():
    frame = pd.DataFrame(
        {"a": np.arange(30.0), "b": pd.Categorical(["x", "y", "z"] * 10), "y": [0, 1, 2] * 10}, index=range(5, 35)
    )
    table = data.read(frame, "y")
    assert [one.kind for one in table.columns] == ["numeric", "categorical"] and table.task == "classification"
    with pytest.raises(data.DataError, match="two columns with the name 'a'"):
        data.read(pd.concat([frame, frame[["a"]]], axis=1), "y")
