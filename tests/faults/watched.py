"""A child process that loads files one by one and tells what it did meanwhile: run with a list of cases."""

import contextlib
import faulthandler
import json
import os
import sys
import sysconfig
import time
import warnings
from pathlib import Path

QUIET = {"object.__getattr__", "object.__setattr__", "sys._getframe", "gc.get_referents", "gc.get_objects"}
WATCHED = ("open", "exec", "compile", "import", "subprocess", "socket", "os.", "shutil.", "ctypes", "pickle", "marshal")
CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class Watch:
    """Notes the audit events that a loader has no business with."""

    def __init__(self):
        self.file = ""
        self.events = []
        self.on = False

    def __call__(self, event, arguments):
        if not self.on or event in QUIET or not event.startswith(WATCHED) or event == "os.listdir":
            return
        told = f"{event} {str(arguments[:2])[:300]}"
        if event == "open":
            path, mode, flags = str(arguments[0]), str(arguments[1]), arguments[2]
            if (path == self.file or isinstance(arguments[0], int)) and not flags & CHANGING:
                return
            if path.startswith(LIBRARIES) and mode in ("rb", "r"):  # lines of source for a message
                return
        if event == "import" and arguments[0] in sys.modules:
            return
        self.events.append(told)


def status(name):
    """A line of this process's memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def forget_peak():
    """Let the peak of memory be what is held now; where the system does not, it only ever rises."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def readers(thalweg, folder):
    """How each kind of case is read."""
    from thalweg.files import read_checkpoint

    def weights(path, **options):
        model = thalweg.models.load_model(folder / "good.keras")
        before = [array.copy() for array in model.get_weights()]

        def load():
            try:
                model.load_weights(path, **options)
            finally:
                model.kept = all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))

        return model, load

    def plain(function):
        return lambda path: (None, lambda: function(path))

    return {
        "load_model": plain(thalweg.models.load_model),
        "model_from_json": plain(lambda path: thalweg.models.model_from_json(text_of(path))),
        "read_checkpoint": plain(read_checkpoint),
        "load_weights": weights,
        "load_weights_skip": lambda path: weights(path, skip_mismatch=True),
        "load_weights_by_name": lambda path: weights(path, by_name=True),
    }


def text_of(path):
    """The file's text, read where nobody watches."""
    return TEXTS[path]


TEXTS = {}


def tried(read, path, watch):
    """What loading one file did."""
    model, load = read(path)
    forget_peak()
    before, begun = status("VmRSS"), time.monotonic()
    watch.file, watch.events, watch.on = path, [], True
    try:
        load()
        kind, message = "", ""
    except Exception as error:
        kind, message = type(error).__name__, str(error)
        if kind != "FileError":
            import traceback

            watch.on = False
            message += "\n" + "".join(traceback.format_exception(error)[-3:])[-1500:]
        del error
    finally:
        watch.on = False
    return {
        "kind": kind,
        "message": message[:5000],
        "length": len(message),
        "seconds": time.monotonic() - begun,
        "peak": status("VmHWM") - before,
        "size": os.stat(path).st_size if os.path.isfile(path) else 0,
        "events": watch.events,
        "kept": getattr(model, "kept", True),
        "trapped": trapped(Path(path).parent / "trap.h5"),
    }


def trapped(pipe):
    """Whether somebody has opened the pipe for reading."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def main():
    listing, folder = Path(sys.argv[1]), Path(sys.argv[2])
    faulthandler.enable()
    warnings.simplefilter("ignore")
    import thalweg

    every = readers(thalweg, folder)
    for name in ("good.keras", "good.h5", "good_graph.keras"):  # what is imported late is imported now
        thalweg.models.load_model(folder / name)
    for name in ("good.weights.h5", "good.keras"):
        for how in ("load_weights", "load_weights_skip", "load_weights_by_name"):
            every[how](folder / name)[1]()
    every["read_checkpoint"](folder / "good.safetensors")[1]()
    cases = json.loads(listing.read_text())
    TEXTS.update({path: Path(path).read_text() for _, path, how, _ in cases if how == "model_from_json"})
    watch = Watch()
    sys.addaudithook(watch)
    for name, path, how, _ in cases:
        faulthandler.dump_traceback_later(30, exit=True)
        print(json.dumps({"begun": name}), flush=True)
        print(json.dumps({"name": name, **tried(every[how], path, watch)}), flush=True)


if __name__ == "__main__":
    main()
