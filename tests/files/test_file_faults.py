"""What cannot be saved or loaded is named, with the way out; and files that are odd but valid are read."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import json
import shutil
import warnings
import zipfile

import h5py
import keras
import numpy as np
import optax
import pytest
from file_pairs import X, Y, identical, same_optimizer, same_outputs, train

import thalweg
from thalweg import layers
from thalweg.models import FileError, FileWarning, load_model


def net(module=thalweg, **compiled):
    model = module.Sequential(
        [
            module.Input((6,)),
            module.layers.Dense(4, activation="relu", name="first"),
            module.layers.Dense(2, name="last"),
        ]
    )
    model.compile(**{"optimizer": "adam", "loss": "mse", **compiled})
    return model


# -- saving ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: thalweg.Sequential([thalweg.Input((6,)), layers.Lambda(lambda x: x * 2, name="twice")]),
            "'twice'.*Lambda.*subclass",
        ),
        (
            lambda: thalweg.Sequential([thalweg.Input((6,)), layers.Dense(2, activation=lambda x: x, name="d")]),
            "'d' holds a lambda.*def",
        ),
        (lambda: net(loss=lambda y, p: (y - p) ** 2), "the loss holds a lambda.*def"),
        (lambda: net(metrics=[lambda y, p: y - p]), "the metric holds a lambda.*def"),
        (lambda: net(optimizer=optax.sgd(0.1)), "Optax.*thalweg.optimizers"),
        (lambda: thalweg.Sequential([layers.Dense(2)], name="later"), "'later' is not built"),
    ],
)
def test_what_a_file_has_no_place_for_is_named(make, words, ending, tmp_path):
    with pytest.raises(ValueError, match=words):
        make().save(tmp_path / f"net{ending}")
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_written_are_named(tmp_path):
    model = net()
    for name in ("net", "net.txt", "net.onnx", "net.keras.zip"):
        with pytest.raises(ValueError, match=r"ends in \.keras, \.h5"):
            model.save(tmp_path / name)
    with pytest.raises(ValueError, match="save_weights"):
        model.save(tmp_path / "net.weights.h5")
    with pytest.raises(ValueError, match=r"ends in \.weights\.h5"):
        model.save_weights(tmp_path / "net.keras")
    for ending in (".keras", ".h5"):
        with pytest.raises(OSError, match="does not exist: make it first"):
            model.save(tmp_path / "missing" / f"net{ending}")
        folder = tmp_path / f"folder{ending}"
        folder.mkdir()
        with pytest.raises(OSError, match="folder"):
            model.save(folder)
        assert folder.is_dir()
    model.save(tmp_path / "net.keras")
    held = (tmp_path / "net.keras").read_bytes()
    for write, name in ((model.save, "net.keras"), (model.save, "net.h5"), (model.save_weights, "net.weights.h5")):
        (tmp_path / name).write_bytes(held)
        with pytest.raises(FileExistsError, match="overwrite=True"):
            write(tmp_path / name, overwrite=False)
        assert (tmp_path / name).read_bytes() == held
    model.save(tmp_path / "net.keras", overwrite=True)
    assert not list(tmp_path.glob(".*"))


# -- loading --------------------------------------------------------------------------------------


def test_paths_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        load_model(tmp_path / "missing.keras")
    with pytest.raises(FileError, match="is a folder"):
        load_model(tmp_path)
    (tmp_path / "text.keras").write_text("a net, honestly")
    with pytest.raises(FileError, match="no HDF5 file"):
        load_model(tmp_path / "text.keras")
    net().save(tmp_path / "net.keras")
    with pytest.raises(ValueError, match="never does"):
        load_model(tmp_path / "net.keras", safe_mode=False)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_layers_that_thalweg_does_not_have_are_named(ending, tmp_path):
    kinds = keras.layers
    theirs = keras.Sequential(
        [keras.Input((6, 6, 6, 1)), kinds.Conv3D(2, 3, name="see"), kinds.Flatten(), kinds.Dense(2)]
    )
    theirs.save(tmp_path / f"theirs{ending}")
    with pytest.raises(FileError, match=r"'see' \(Conv3D\).*Unknown layer 'Conv3D'.*custom_objects"):
        load_model(tmp_path / f"theirs{ending}")
    theirs = keras.Sequential([keras.Input((6,)), kinds.Lambda(lambda x: x * 2, name="twice"), kinds.Dense(2)])
    theirs.save(tmp_path / f"theirs{ending}")
    with pytest.raises(FileError, match=r"'twice' \(Lambda\).*never run from a file"):
        load_model(tmp_path / f"theirs{ending}")


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_settings_that_thalweg_does_not_have_are_named(ending, tmp_path):
    theirs = keras.Sequential([keras.Input((6,)), keras.layers.BatchNormalization(renorm=True, name="again")])
    theirs.save(tmp_path / f"theirs{ending}")
    with pytest.raises(FileError, match="'again'.*renorm"):
        load_model(tmp_path / f"theirs{ending}")
    theirs = net(keras, loss=keras.losses.Tversky())
    theirs.save(tmp_path / f"theirs{ending}")
    with pytest.raises(FileError, match="compile_config.*Tversky.*compile=False"):
        load_model(tmp_path / f"theirs{ending}")
    same_outputs(load_model(tmp_path / f"theirs{ending}", compile=False), theirs)


# -- odd but valid --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A net of Keras's that was trained, and its files."""
    model, folder = net(keras), tmp_path_factory.mktemp("theirs")
    train(model)
    model.save(folder / "net.keras")
    model.save(folder / "net.h5")
    return model, folder


def rewritten(source, target, change=lambda name, content: content, extra=(), how=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", how) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name in extra:
            new.writestr(name, b"something" if not name.endswith("/") else b"")
    return target


def without_version(name, content):
    return json.dumps({"date_saved": "2031-01-01"}).encode() if name == "metadata.json" else content


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"extra": ["assets/", "assets/layers/words/vocabulary.txt", "__MACOSX/._config.json"]},
        {"change": without_version},
        {"change": lambda name, content: None if name == "metadata.json" else content},
    ],
    ids=["deflated", "extra members", "no version", "no metadata"],
)
def test_archives_that_were_packed_anew_are_read(options, theirs, tmp_path):
    model, folder = theirs
    again = load_model(rewritten(folder / "net.keras", tmp_path / "net.keras", **options))
    identical(again, model)
    same_optimizer(again, model, rtol=0)
    ours = net()
    ours.save(tmp_path / "ours.keras")
    identical(
        load_model(
            rewritten(tmp_path / "ours.keras", tmp_path / "packed.keras", **{**options, "change": lambda n, c: c})
        ),
        ours,
    )


def packed(source, target):
    """A copy whose arrays are compressed."""

    def copy(old, new):
        new.attrs.update(old.attrs.items())
        for name, one in old.items():
            if isinstance(one, h5py.Group):
                copy(one, new.create_group(name))
            elif one.shape:
                new.create_dataset(name, data=one[()], compression="gzip", shuffle=True, chunks=one.shape)
            else:
                new.create_dataset(name, data=one[()])

    with h5py.File(source) as old, h5py.File(target, "w") as new:
        copy(old, new)
    return target


def test_compressed_arrays_are_read(theirs, tmp_path):
    model, folder = theirs
    again = load_model(packed(folder / "net.h5", tmp_path / "net.h5"))
    identical(again, model)
    same_optimizer(again, model, rtol=0)


def test_a_file_under_another_name_is_known_by_its_content(theirs, tmp_path):
    model, folder = theirs
    for ending, name in ((".keras", "net.h5"), (".h5", "net.keras"), (".keras", "net")):
        shutil.copy(folder / f"net{ending}", tmp_path / name)
        identical(load_model(tmp_path / name), model)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("compiled", [True, False])
def test_nets_of_keras_s_that_were_never_fitted_are_read(ending, compiled, tmp_path):
    model = net(keras)
    model = model if compiled else keras.Sequential.from_config(model.get_config())
    model.save(tmp_path / f"new{ending}")
    again = load_model(tmp_path / f"new{ending}")
    identical(again, model)
    assert (again.optimizer is not None) == compiled
    if compiled:
        train(again, X, Y), train(model, X, Y)
        for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(a, np.asarray(b), rtol=1e-4, atol=1e-5)


def test_keras_drops_the_optimizer_of_a_net_that_was_saved_as_h5_before(theirs, tmp_path):
    model, _ = theirs
    model.save(tmp_path / "late.keras")
    with pytest.warns(FileWarning) as told:
        again = load_model(tmp_path / "late.keras")
    identical(again, model)
    assert type(again.optimizer).__name__ == "RMSprop"
    assert "not those of RMSprop" in str(told[0].message)
    assert "names no optimizer" in str(told[1].message)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_another_precision_is_told(ending, tmp_path):
    kinds = keras.layers
    model = keras.Sequential([keras.Input((6,)), kinds.Dense(4, dtype="mixed_bfloat16"), kinds.Dense(2)])
    model.save(tmp_path / f"mixed{ending}")
    with pytest.warns(FileWarning, match="was saved in mixed_bfloat16 and is used in float32"):
        again = load_model(tmp_path / f"mixed{ending}")
    identical(again, model)
    model = keras.Sequential([keras.Input((6,)), kinds.Dense(4, dtype="bfloat16")])
    model.save(tmp_path / f"half{ending}")
    with pytest.warns(FileWarning, match="was saved in bfloat16"):
        again = load_model(tmp_path / f"half{ending}")
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, np.asarray(b, np.float32))


DENSE_2 = {"activation": "relu", "use_bias": True, "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
           "bias_initializer": {"class_name": "Zeros", "config": {}}, "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}},
           "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None}  # fmt: skip


def dense_2(name, units, **more):
    return {
        "class_name": "Dense",
        "config": {"name": name, "trainable": True, "dtype": "float32", "units": units, **DENSE_2, **more},
    }


def keras_2_file(path, config, weights, state=True):
    """What Keras 2 wrote."""
    adam = {
        "name": "Adam",
        "learning_rate": 0.02,
        "decay": 0.0,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-07,
        "amsgrad": False,
    }
    training = {"loss": "mse", "metrics": ["mae"], "weighted_metrics": None, "loss_weights": None,
                "optimizer_config": {"class_name": "Adam", "config": adam}}  # fmt: skip
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = "2.9.0", "tensorflow"
        file.attrs["model_config"], file.attrs["training_config"] = json.dumps(config), json.dumps(training)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in weights]
        for name, arrays in weights.items():
            below = group.create_group(name)
            below.attrs["weight_names"] = np.array([key.encode() for key in arrays], "S") if arrays else np.zeros(0)
            for key, array in arrays.items():
                below[key] = array
    return path


def test_a_stack_of_keras_2_s_is_read(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"kernel": rng.normal(size=(6, 3)).astype(np.float32), "bias": rng.normal(size=3).astype(np.float32)}
    weights = {"dense_7": {f"dense_7/{name}:0": array for name, array in arrays.items()}, "dropout_3": {}}
    dropout = {
        "class_name": "Dropout",
        "config": {
            "name": "dropout_3",
            "trainable": True,
            "dtype": "float32",
            "rate": 0.5,
            "noise_shape": None,
            "seed": None,
        },
    }
    first = dense_2("dense_7", 3, batch_input_shape=[None, 6])
    for listed in ([first, dropout], {"name": "sequential_4", "layers": [first, dropout]}):
        path = keras_2_file(tmp_path / "old.h5", {"class_name": "Sequential", "config": listed}, weights)
        model = load_model(path)
        np.testing.assert_array_equal(model.layers[0].get_weights()[0], arrays["kernel"])
        np.testing.assert_allclose(
            model.predict(X), np.maximum(X @ arrays["kernel"] + arrays["bias"], 0), rtol=1e-5, atol=1e-5
        )
        assert model.layers[0].kernel_regularizer.l2 == pytest.approx(0.01)
        assert model.optimizer.learning_rate == 0.02
        assert [layer.name for layer in model.layers] == ["dense_7", "dropout_3"]


def test_a_graph_of_keras_2_s_is_read(tmp_path):
    rng = np.random.default_rng(0)
    kernel, inner_kernel = rng.normal(size=(6, 6)).astype(np.float32), rng.normal(size=(6, 6)).astype(np.float32)
    zeros = np.zeros(6, np.float32)

    def told_input(name):
        config = {"batch_input_shape": [None, 6], "dtype": "float32", "sparse": False, "ragged": False, "name": name}
        return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}

    inner_dense = {
        **dense_2("inside", 6, activation="linear"),
        "name": "inside",
        "inbound_nodes": [[["input_2", 0, 0, {}]]],
    }
    inner = {
        "name": "model_1",
        "trainable": True,
        "layers": [told_input("input_2"), inner_dense],
        "input_layers": [["input_2", 0, 0]],
        "output_layers": [["inside", 0, 0]],
    }
    config = {
        "name": "model_2",
        "trainable": True,
        "layers": [
            told_input("input_1"),
            {**dense_2("dense", 6, activation="linear"), "name": "dense", "inbound_nodes": [[["input_1", 0, 0, {}]]]},
            {"class_name": "Functional", "config": inner, "name": "model_1", "inbound_nodes": [[["input_1", 0, 0, {}]], [["dense", 0, 0, {}]]]},
            {"class_name": "Add", "config": {"name": "add", "trainable": True, "dtype": "float32"}, "name": "add", "inbound_nodes": [[["model_1", 1, 0, {}], ["model_1", 2, 0, {}]]]},
        ],
        "input_layers": [["input_1", 0, 0]],
        "output_layers": [["add", 0, 0], ["model_1", 2, 0]],
    }  # fmt: skip
    weights = {
        "input_1": {},
        "dense": {"dense/kernel:0": kernel, "dense/bias:0": zeros},
        "model_1": {"inside/kernel:0": inner_kernel, "inside/bias:0": zeros},
        "add": {},
    }
    model = load_model(
        keras_2_file(tmp_path / "old.h5", {"class_name": "Functional", "config": config}, weights), compile=False
    )
    both, second = model.predict(X)
    np.testing.assert_allclose(second, X @ kernel @ inner_kernel, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(both, X @ inner_kernel + second, rtol=1e-4, atol=1e-4)


# -- what Keras says of ours ------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_keras_has_nothing_to_say_about_files_of_ours(ending, tmp_path, caplog):
    model = net(metrics=["mae"])
    train(model)
    model.save(tmp_path / f"ours{ending}")
    model.save_weights(tmp_path / "ours.weights.h5")
    caplog.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = keras.models.load_model(tmp_path / f"ours{ending}")
        if ending == ".keras":
            again.load_weights(tmp_path / "ours.weights.h5")
            train(again)
    known = "Compiled the loaded model, but the compiled metrics have yet to be built"  # of every .h5, Keras's too
    assert [one for one in caplog.messages if ending == ".keras" or known not in one] == []


def test_keras_restores_no_optimizer_from_h5_files_of_its_own(tmp_path):
    model = net(keras, loss=keras.losses.MeanSquaredError())
    train(model)
    model.save(tmp_path / "net.h5")
    again = keras.models.load_model(tmp_path / "net.h5")
    assert len(again.optimizer.variables) == 2
    with pytest.raises(ValueError, match="built with 0 variables"):
        train(again)
