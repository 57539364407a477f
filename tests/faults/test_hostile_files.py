"""Whatever a file holds: loading it opens nothing else, runs nothing, takes little, and says what is wrong."""

import json
import re
import subprocess
import sys
from pathlib import Path

import hostile
import hostile_descriptions
import numpy as np
import odd
import pytest

import thalweg
from thalweg.models import FileError, load_model

ROOM = 200 * 10**6


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Good files, from which the others are made."""
    return hostile.sources(tmp_path_factory.mktemp("good"))


def loaded(cases, folder):
    """What a watched child says of each case."""
    listing = folder / "cases.json"
    listing.write_text(json.dumps(cases))
    command = [sys.executable, Path(__file__).with_name("watched.py"), listing, folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"died at {lines[-1] if lines else 'the beginning'}:\n{done.stderr[-3000:]}"
    return {line["name"]: line for line in lines if "kind" in line}


def wrong_with(case, told):
    """What a refusal lacks, in words; '' where nothing."""
    where = "the JSON" if case.how == "model_from_json" else case.path
    rest = told["message"].removeprefix(f"{where}: ")
    faults = {
        f"{told['kind'] or 'it loads'}: {rest}": told["kind"] != "FileError",
        f"not named first: {rest}": rest == told["message"],
        f"{case.culprit} is not in: {rest}": not re.search(case.culprit, rest),
        f"{told['length']} letters": told["length"] > 2500,  # however long the names in it are
        f"unprintable: {rest!r}": not all(one.isprintable() or one == "\n" for one in rest),
        f"opened, ran, imported: {told['events']}": bool(told["events"]),
        "opened a file that it names": told["trapped"],
        "changed the weights": not told["kept"],
        f"took {told['peak']:,} bytes": told["peak"] > 2 * min(told["size"], 2**30) + ROOM,
        f"took {told['seconds']} s": told["seconds"] > 10,
    }
    return "; ".join(words for words, there in faults.items() if there)


def test_hostile_files_are_refused_by_name_and_open_run_and_take_nothing(tmp_path):
    """One test for all, as all are loaded in one process: it names the files that got through."""
    cases = {case.name: case for case in hostile.cases(tmp_path)}
    said = loaded(list(cases.values()), tmp_path)
    assert said.keys() == cases.keys() and len(cases) > 250
    wrong = {name: wrong_with(case, said[name]) for name, case in cases.items()}
    assert {name: words for name, words in wrong.items() if words} == {}


def test_a_good_file_takes_twice_its_size(tmp_path):
    """1.9M weights with Adam's moments, 23 MB: the file, and the arrays out of it."""
    hostile.sources(tmp_path)
    model = thalweg.Sequential([thalweg.Input((1000,)), thalweg.layers.Dense(1900)])
    model.compile("adam", "mse")
    cases = []
    for ending in (".keras", ".h5"):
        model.save(tmp_path / f"large{ending}")
        cases.append(hostile.Case(ending, str(tmp_path / f"large{ending}"), "load_model", ""))
    for name, told in loaded(cases, tmp_path).items():
        assert told["kind"] == "", told["message"]
        assert told["peak"] <= 2.3 * told["size"] + 10 * 2**20, f"{name}: {told['peak']:,} of {told['size']:,}"


def test_compile_false_passes_over_what_was_compiled(given, tmp_path):
    tables = [(name, make) for name, (make, _) in hostile_descriptions.COMPILED.items()]
    tables.append(("own_optimizer", hostile.ARCHIVES["own_optimizer"][0]))
    for name, make in tables:
        path = tmp_path / f"{name}.keras"
        make(path, given)
        assert load_model(path, compile=False).count_params() == 26, name


def test_code_is_never_run_on_demand(given):
    with pytest.raises(ValueError, match="safe_mode=False would run code from the file.*custom_objects"):
        load_model(given.folder / "good.keras", safe_mode=False)


@pytest.mark.parametrize("name", odd.ARCHIVES)
def test_an_odd_archive_loads(name, given, tmp_path):
    path = tmp_path / "odd.keras"
    odd.ARCHIVES[name](path, given)
    model = load_model(path)
    if name in ("as_keras_writes", "no_metadata", "names_like_paths"):
        np.testing.assert_array_equal(model.get_weights()[0], np.full((3, 4), 0.5))
    else:
        for mine, good in zip(model.get_weights(), load_model(given.folder / "good.keras").get_weights(), strict=True):
            np.testing.assert_array_equal(mine, good)


@pytest.mark.parametrize("name", odd.WEIGHTS)
def test_odd_numbers_load(name, given, tmp_path):
    path = tmp_path / "odd.weights.h5"
    odd.WEIGHTS[name](path, given)
    model = load_model(given.folder / "good.keras")
    model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], odd.NUMBERS.astype("f4"))


@pytest.mark.parametrize("name", odd.LEGACY)
def test_an_odd_legacy_file_loads(name, given, tmp_path):
    path = tmp_path / "odd.h5"
    odd.LEGACY[name](path, given)
    model = load_model(path)
    np.testing.assert_array_equal(model.get_weights()[2], np.full((4, 2), 0.5))


def test_names_as_they_come_survive_a_save(tmp_path):
    """Names that mean something to a path or to HDF5, in each of the formats."""
    for name in ("..", ".", "a/../b", "/", "a//b", "./a", "a/"):
        for ending in (".keras", ".h5"):
            model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1, name=name)])
            model.save(tmp_path / f"net{ending}")
            again = load_model(tmp_path / f"net{ending}")
            assert again.layers[0].name == name
            np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0], err_msg=f"{name} {ending}")


def test_a_missing_file_is_no_hostile_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_model(tmp_path / "nowhere.keras")
    assert issubclass(FileError, ValueError)
