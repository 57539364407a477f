"""A child process that loads damaged files of each format and tells what became of each."""

import faulthandler
import json
import sys
import warnings
from pathlib import Path

import numpy as np

FORMATS = ("net.keras", "net.h5", "net.weights.h5", "net.safetensors")


def net(seed=0, trained=True):
    """A small net that knows all that a file can keep."""
    import thalweg
    from thalweg import layers

    rng = np.random.default_rng(seed)
    parts = [layers.Dense(4, activation="relu", name="first"), layers.BatchNormalization(), layers.Dense(2)]
    model = thalweg.Sequential([thalweg.Input((3,)), *parts])
    model.compile(thalweg.optimizers.Adam(0.01, weight_decay=0.01), "mse", metrics=["mae"])
    model.class_names = ["a", "b"]
    if trained:
        model.fit(rng.normal(size=(16, 3)), rng.normal(size=(16, 2)), batch_size=4, epochs=2, verbose=0, seed=seed)
    else:
        model.draw(seed)
    return model


def write(model, path):
    """Save a model in the format that the path says."""
    from thalweg.files import write_checkpoint

    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    elif path.suffix == ".safetensors":
        write_checkpoint(path, {"epoch": 3, "weights": model.get_weights(), "why": ["a", 1.5, None]})
    else:
        model.save(path)


def content(path, empty):
    """What is in a file, comparable bit by bit."""
    import jax

    from thalweg.files import read_checkpoint
    from thalweg.models import load_model

    if path.suffix == ".safetensors":
        tree = read_checkpoint(path)
        leaves, form = jax.tree.flatten(tree, is_leaf=lambda one: one is None)
        return str(form), [np.asarray(one).tobytes() if one is not None else None for one in leaves]
    if path.name.endswith(".weights.h5"):
        empty.load_weights(path)
        model = empty
    else:
        model = load_model(path)
    state = [np.asarray(one).tobytes() for one in jax.tree.leaves(model.optimizer_state)]
    rest = (model.description(), int(model.steps_taken), model.class_names, type(model).__name__)
    return repr(rest), [one.tobytes() for one in model.get_weights()], state


def damages(raw, kind, number, seed):
    """(name, bytes) of each damaged file."""
    rng = np.random.default_rng(seed)
    if kind == "cut":
        for length in rng.integers(0, len(raw), number):
            yield f"cut to {length}", raw[:length]
        return
    places = rng.integers(0, len(raw), number) if kind == "flip" else [*range(600), *range(len(raw) - 200, len(raw))]
    for at in places:
        bit = int(rng.integers(8))
        yield f"bit {bit} of {at}", raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]


def judged(path, bad, good, empty):
    """'refused', 'same' or what else came of it."""
    from thalweg.models import FileError

    path.write_bytes(bad)
    try:
        return "same" if content(path, empty) == good else "different"
    except FileError as error:
        return "refused" if str(error).startswith(f"{path}: ") else f"not named: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main():
    folder, kinds, number, seed = Path(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3]), int(sys.argv[4])
    formats = sys.argv[5].split(",") if len(sys.argv) > 5 else FORMATS
    faulthandler.enable()
    warnings.simplefilter("ignore")
    empty = net(1)
    for name in formats:
        raw = (folder / name).read_bytes()
        good = content(folder / name, empty)
        counts = {}
        for kind in kinds if name == "net.weights.h5" else [one for one in kinds if one != "ends"]:
            for told, bad in damages(raw, kind, number, seed):
                faulthandler.dump_traceback_later(20, exit=True)
                print(json.dumps({"at": f"{name}: {told}"}), flush=True)
                came = judged(folder / f"bad_{seed}_{name}", bad, good, empty)
                counts[came if came in ("refused", "same") else f"{told}: {came}"] = counts.get(came, 0) + 1
        print(json.dumps({"format": name, "counts": counts}), flush=True)


if __name__ == "__main__":
    main()
