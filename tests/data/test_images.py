"""Folders of pictures."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from thalweg import data
from thalweg.cli import main
from thalweg.cli._source import source_of
from thalweg.data import _images

RNG = np.random.default_rng(0)


def drawn(folder, count=12, size=(8, 8), mode="L", kind="png"):
    """Bright upper halves are 'day', dark ones 'night'."""
    for name, level in (("day", 220), ("night", 30)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            shape = (*size, 3) if mode == "RGB" else size
            pixels = np.clip(RNG.normal(level, 20, shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i:03d}-{size[0]}.{kind}")
    return folder


def test_pixels_and_classes_come_as_they_are(tmp_path):
    found = data.read_images(drawn(tmp_path, 3))
    assert found.x.shape == (6, 8, 8) and found.x.dtype == np.uint8 and found.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.frame.classes == ("day", "night") and "grey" in found.said[0]
    with Image.open(tmp_path / "day" / "001-8.png") as picture:
        assert np.array_equal(found.x[1], np.asarray(picture))


def test_other_sizes_and_colours_are_brought_together_with_a_word(tmp_path):
    drawn(tmp_path, 4)
    drawn(tmp_path, 1, size=(16, 12), mode="RGB", kind="jpg")
    found = data.read_images(tmp_path)
    assert found.x.shape == (10, 8, 8, 3)
    assert any("2 pictures of other sizes" in text for text in found.said)
    assert any("8 grey pictures beside coloured" in text for text in found.said)
    assert data.read_images(tmp_path, size=(4, 6)).x.shape == (10, 4, 6, 3)


def test_what_is_no_picture_is_named(tmp_path):
    with pytest.raises(data.DataError, match="a folder for each class"):
        data.read_images(tmp_path)
    drawn(tmp_path, 2)
    (tmp_path / "day" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(data.DataError, match=r"broken\.png is no whole picture"):
        data.read_images(tmp_path)


def test_a_picture_that_claims_to_be_huge_is_refused(tmp_path):
    drawn(tmp_path, 2)
    Image.new("1", (20_000, 20_000)).save(tmp_path / "day" / "huge.png")
    with pytest.raises(data.DataError, match=r"huge\.png (has|is no whole)"):
        data.read_images(tmp_path)


def test_what_a_later_version_says_of_pictures_is_refused(tmp_path):
    record = data.read_images(drawn(tmp_path, 2)).frame.record()
    assert _images.read_frame(record).classes == ("day", "night")
    with pytest.raises(data.DataError, match="version 99"):
        _images.read_frame({**record, "version": 99})


def test_options_of_tables_are_refused_and_a_folder_is_no_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawn(tmp_path / "photos", 2)
    done = CliRunner().invoke(main, ["train", "photos", "--target", "y"])
    assert done.exit_code == 1 and "--target goes with tables" in done.output
    drawn(tmp_path / "digits8", 2)
    assert source_of("digits8", {"validation": 0.1, "seed": 0}).goal.outputs == 10


def test_a_net_is_trained_on_a_folder_and_tells_new_pictures_apart(tmp_path):
    drawn(tmp_path / "photos", 40)
    drawn(tmp_path / "new", 5)

    def run(*arguments):
        done = CliRunner().invoke(main, [str(one) for one in arguments])
        assert done.exit_code == 0, done.output
        return done.output

    said = run(
        "train",
        tmp_path / "photos",
        "--layers",
        "16",
        "--dropout",
        0,
        "--learning-rate",
        0.01,
        "--epochs",
        30,
        "--out",
        tmp_path / "run",
    )
    assert "80 pictures of 2 classes, 8 x 8, grey" in said
    for name in ("day", "night"):
        run("predict", tmp_path / "run", tmp_path / "new" / name, "-o", tmp_path / "out.csv")
        lines = (tmp_path / "out.csv").read_text().splitlines()
        assert lines[0] == "picture,class,probability of day,probability of night" and len(lines) == 6
        assert all(line.split(",")[1] == name for line in lines[1:])
    run("predict", tmp_path / "run" / "best.keras", tmp_path / "new" / "day" / "000-8.png", "-o", tmp_path / "one.csv")
    assert len((tmp_path / "one.csv").read_text().splitlines()) == 2
    run("predict", tmp_path / "run", tmp_path / "new", "-o", tmp_path / "all.csv")  # folders in it are looked into
    found = [line.split(",") for line in (tmp_path / "all.csv").read_text().splitlines()[1:]]
    assert len(found) == 10 and all(cells[0].split("/")[0] == cells[1] for cells in found)
