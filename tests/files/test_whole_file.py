"""A file that is written bit by bit is there whole, or not at all."""

import pytest

from thalweg import files


def test_it_takes_its_place_when_all_is_written(tmp_path):
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")
    with files.whole_file(path) as file:
        file.write(b"one")
        assert path.read_bytes() == b"before"
        file.write(b"two")
    assert path.read_bytes() == b"onetwo" and list(tmp_path.iterdir()) == [path]


def test_what_was_there_stays_where_it_is_broken_off(tmp_path):
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), files.whole_file(path) as file:
        file.write(b"one")
        raise ZeroDivisionError
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_an_error_of_the_file_that_is_read_meanwhile_keeps_its_own_words(tmp_path):
    with pytest.raises(FileNotFoundError, match="other.csv") as caught, files.whole_file(tmp_path / "out.csv"):
        open(tmp_path / "other.csv").close()
    assert "Cannot write" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(OSError, match="Cannot write .*nowhere does not exist"),
        files.whole_file(tmp_path / "nowhere" / "o"),
    ):
        pass
