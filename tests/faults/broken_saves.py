"""Child processes in which saves go wrong: the disk is full, or the process dies in the middle."""

import hashlib
import json
import os
import resource
import sys
import warnings
from pathlib import Path

import numpy as np
from damage import FORMATS, content, net, write

CALLS = ("open", "write", "fsync", "replace", "close")


def full_disk(folder):
    """Save where no file may grow beyond a few sizes; tell what was raised, and whether the old file is whole."""
    old, new, empty = net(0), net(1), net(2)
    found = []
    shares = np.linspace(0, 1, int(sys.argv[3]), endpoint=False)
    for name in FORMATS:
        path = folder / name
        write(old, path)
        good, size = content(path, empty), path.stat().st_size
        for limit in (*(int(share * size) for share in shares), size - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            try:
                write(new, path)
                came = "saved"
            except OSError as error:
                came = str(error)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            kept = content(path, empty) == good
            found.append({"name": name, "limit": limit, "came": came, "kept": kept, "left": parts(folder)})
    print(json.dumps(found))


def full_run(folder):
    """The same for the files of a run."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 3)), rng.normal(size=(16, 2))
    found = []
    for limit in (0, 300, 3_000, 12_000):
        path = folder / f"run-{limit}"
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            net(0, trained=False).fit(x, y, epochs=3, verbose=0, seed=0, run=path)
            came = "saved"
        except OSError as error:
            came = str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        model = net(0, trained=False)
        model.fit(x, y, epochs=3, verbose=0, seed=0, run=path)
        found.append({"path": str(path), "came": came, "left": parts(path), "epochs": len(model.history.epoch)})
    print(json.dumps(found))


def parts(folder):
    """Names of files that are not whole."""
    return [one.name for one in folder.rglob("*.part")]


def dying_at(number):
    """Let this process end, as by a power failure, at the given call that touches a file."""
    seen = [0]

    def ending(function):
        def call(*arguments, **named):
            seen[0] += 1
            if seen[0] == number:
                os._exit(9)
            return function(*arguments, **named)

        return call

    for name in CALLS:
        setattr(os, name, ending(getattr(os, name)))


def killed(folder):
    """Die at each call of a save, in turn, in a copy of this process; tell what the file was afterwards."""
    old, new = net(0, trained=False), net(1, trained=False)
    found = []
    for name in FORMATS:
        digests = {}
        for model, which in ((new, "new"), (old, "old")):
            write(model, folder / name)
            digests[digest(folder / name)] = which
        came, number, status = [], 0, 9
        while status == 9:
            number += 1
            write(old, folder / name)
            status = died(lambda n=number, where=folder / name: (dying_at(n), write(new, where)))
            came.append(digests.get(digest(folder / name), "neither"))
        found.append({"name": name, "status": status, "came": came})
    print(json.dumps(found))


def died(act):
    """How a copy of this process ended that did `act`; nothing of it is shared."""
    child = os.fork()
    if not child:
        try:
            act()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def again_and_again(folder):
    """Save one of two models over and over."""
    model = net(int(sys.argv[3]))
    for _ in range(40):
        for name in FORMATS:
            write(model, folder / name)


def once(folder):
    write(net(0, trained=False), folder / sys.argv[3])


def every_format(folder):
    model = net()
    for name in FORMATS:
        write(model, folder / name)


def large(folder):
    """A net of 4M weights with Adam's moments, as two files of 48 MB."""
    import thalweg

    model = thalweg.Sequential([thalweg.Input((2000,)), thalweg.layers.Dense(2000)])
    model.compile("adam", "mse")
    for name in ("large.keras", "large.h5"):
        model.save(folder / name)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    globals()[sys.argv[1]](Path(sys.argv[2]))
