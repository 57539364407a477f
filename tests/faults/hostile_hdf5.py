"""HDF5 files that lie: links and numbers that lie elsewhere, shapes without numbers, texts without end."""

import json
import os
import struct
import zlib

import h5py
import numpy as np

SHAPES = {"layers/dense/vars/0": (3, 4), "layers/dense/vars/1": (4,), "layers/dense_1/vars/0": (4, 2)}
SHAPES["layers/dense_1/vars/1"] = (2,)
KERNEL = "layers/dense/vars/0"
TRAP = "trap.h5"
"""A pipe: whoever opens it, hangs."""


def plain(path, leave=()):
    """A file of weights as Keras writes it, without digests; still open."""
    file = h5py.File(path, "w")
    for name, shape in SHAPES.items():
        if name not in leave:
            file[name] = np.full(shape, 0.5, np.float32)
    return file


def weights(change, leave=(KERNEL,)):
    """A file of weights with the first kernel put there by `change`."""

    def make(path, given):
        with plain(path, leave) as file:
            change(file)

    return make


def kernel(value, **options):
    """The first kernel, another one."""
    return weights(lambda file: file.create_dataset(KERNEL, data=value, **options))


def trap(path):
    """The pipe beside the files."""
    where = os.path.join(os.path.dirname(path), TRAP)
    if not os.path.exists(where):
        os.mkfifo(where)
    return where


def external_link(path, given):
    with plain(path, (KERNEL,)) as file:
        file[KERNEL] = h5py.ExternalLink(trap(path), "/kernel")


def external_group(path, given):
    with plain(path, (KERNEL, "layers/dense/vars/1")) as file:
        file["layers/dense"] = h5py.ExternalLink(trap(path), "/")


def external_numbers(path, given):
    with plain(path, (KERNEL,)) as file:
        file.create_dataset(KERNEL, (3, 4), "f4", external=[(trap(path), 0, 48)])


def virtual(path, given, shape=(3, 4), most=None):
    layout = h5py.VirtualLayout(shape, "f4", maxshape=most)
    source = h5py.VirtualSource(trap(path), "kernel", shape, maxshape=most)
    layout[...] = source
    if most:
        layout = h5py.VirtualLayout(shape, "f4", maxshape=most)
        source = h5py.VirtualSource(trap(path), "kernel", shape, maxshape=most)
        layout[: h5py.h5s.UNLIMITED, :] = source[: h5py.h5s.UNLIMITED, :]
    with plain(path, (KERNEL,)) as file:
        file.create_virtual_dataset(KERNEL, layout)


def deflate_bomb(path, given):
    """One chunk of 48 bytes, whose packed form unpacks to 290 MB."""
    packer, packed = zlib.compressobj(9), b""
    for _ in range(280):
        packed += packer.compress(bytes(1 << 20))
    with plain(path, (KERNEL,)) as file:
        data = file.create_dataset(KERNEL, (3, 4), "f4", chunks=(3, 4), compression="gzip")
        data.id.write_direct_chunk((0, 0), packed + packer.flush())


def large_chunk(path, given):
    """A chunk far larger than what it is of."""
    with plain(path, (KERNEL,)) as file:
        data = file.create_dataset(KERNEL, (3, 4), "f4", maxshape=(None, None), chunks=(9_000, 9_000), shuffle=True)
        data.id.write_direct_chunk((0, 0), bytes(100))


def sparse_chunk(path, given):
    """A chunk of 324 MB, packed to as little as can be, of which twelve numbers are asked for."""
    packer, packed = zlib.compressobj(9), b""
    for _ in range(9_000 * 9_000 * 4 >> 20):
        packed += packer.compress(bytes(1 << 20))
    packed += packer.compress(bytes(9_000 * 9_000 * 4 % (1 << 20))) + packer.flush()
    with plain(path, (KERNEL,)) as file:
        data = file.create_dataset(
            KERNEL, (3, 4), "f4", maxshape=(None, None), chunks=(9_000, 9_000), compression="gzip"
        )
        data.id.write_direct_chunk((0, 0), packed)


def two_filters(path, given):
    """A chunk that is packed twice."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3, 4))
    plist.set_deflate(9)
    plist.set_deflate(9)
    with plain(path, (KERNEL,)) as file:
        space = h5py.h5s.create_simple((3, 4))
        h5py.h5d.create(file["layers/dense/vars"].id, b"0", h5py.h5t.IEEE_F32LE, space, plist)
        packed = zlib.compress(zlib.compress(np.zeros((3, 4), np.float32).tobytes()))
        file[KERNEL].id.write_direct_chunk((0, 0), packed)


def unknown_filter(path, given):
    """A filter that only a plugin knows."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3, 4))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    with plain(path, (KERNEL,)) as file:
        space = h5py.h5s.create_simple((3, 4))
        h5py.h5d.create(file["layers/dense/vars"].id, b"0", h5py.h5t.IEEE_F32LE, space, plist)
        file[KERNEL].id.write_direct_chunk((0, 0), bytes(48))


def huge_contiguous(path, given):
    """A dataset whose size was raised behind the library's back."""
    with plain(path, (KERNEL,)) as file:
        file.create_dataset(KERNEL, data=np.full((3, 4), 0.25, np.float32))
    raw = path.read_bytes()
    old, new = struct.pack("<QQ", 3, 4), struct.pack("<QQ", 1 << 20, 1 << 20)
    assert old in raw
    path.write_bytes(raw.replace(old, new))


def beyond_the_end(path, given):
    """A dataset of the right shape, of numbers that begin behind the file's end."""
    with plain(path, (KERNEL,)) as file:
        data = file.create_dataset(KERNEL, data=np.full((3, 4), 0.25, np.float32))
        where = data.id.get_offset()
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<Q", where), struct.pack("<Q", len(raw) + (1 << 20))))


def references(file):
    file.create_dataset(KERNEL, (3, 4), h5py.ref_dtype)
    file[KERNEL][...] = file["layers"].ref


def region_references(file):
    file.create_dataset(KERNEL, (3, 4), h5py.regionref_dtype)


def vlen_numbers(file):
    data = file.create_dataset(KERNEL, (3, 4), h5py.vlen_dtype(np.float32))
    data[0, 0] = np.zeros(5, np.float32)


def vlen_texts(file):
    file.create_dataset(KERNEL, (3, 4), h5py.string_dtype())


def group_instead(file):
    file.create_group(KERNEL)


def loop(file):
    """Groups that contain themselves."""
    file["layers/dense/vars/0"] = file["layers"]


def dataset_as_group(file):
    file["layers/dense/vars"] = np.zeros((3, 4), np.float32)


def root_as_dataset(file):
    file["layers"] = np.zeros((3, 4), np.float32)


def many_names(file):
    """One crowded group that stands in many places."""
    crowd = file.create_group("crowd")
    shared = file["layers/dense/vars/1"]
    for i in range(3_000):
        crowd[f"x{i}"] = shared
    for i in range(3_000):
        file[f"layers/more_{i}/vars"] = crowd
    file[KERNEL] = np.zeros((3, 4), np.float32)


WEIGHTS = {
    "external_link": (external_link, r"'layers/dense/vars/0'.*ExternalLink"),
    "external_group": (external_group, r"ExternalLink"),
    "soft_link": (
        weights(lambda file: file.__setitem__(KERNEL, h5py.SoftLink("/layers/dense/vars/1"))),
        r"'layers/dense/vars/0'.*SoftLink",
    ),
    "dangling_link": (weights(lambda file: file.__setitem__(KERNEL, h5py.SoftLink("/no"))), r"'layers/dense/vars/0'"),
    "link_to_itself": (weights(lambda file: file.__setitem__(KERNEL, h5py.SoftLink(KERNEL))), r"'layers/dense/vars/0'"),
    "external_numbers": (external_numbers, r"'layers/dense/vars/0'.*another file"),
    "virtual": (virtual, r"'layers/dense/vars/0'.*another file"),
    "virtual_endless": (
        lambda path, given: virtual(path, given, most=(None, 4)),
        r"'layers/dense/vars/0'.*another file",
    ),
    "references": (weights(references), r"'layers/dense/vars/0'.*numbers"),
    "region_references": (weights(region_references), r"'layers/dense/vars/0'.*numbers"),
    "vlen_numbers": (weights(vlen_numbers), r"'layers/dense/vars/0'.*numbers"),
    "vlen_texts": (weights(vlen_texts), r"'layers/dense/vars/0'.*numbers"),
    "compound": (
        kernel(np.zeros((3, 4), [("a", "f4"), ("b", "f4")])),
        r"'layers/dense/vars/0'",
    ),
    "opaque": (kernel(np.zeros((3, 4), "V7")), r"'layers/dense/vars/0'"),
    "complex": (kernel(np.zeros((3, 4), np.complex64)), r"'layers/dense/vars/0'.*numbers"),
    "strings": (kernel(np.full((3, 4), b"abc")), r"'layers/dense/vars/0'.*numbers"),
    "array_dtype": (kernel(np.zeros((3, 4), [("a", "f4", (1 << 10,))])), r"'layers/dense/vars/0'"),
    "no_data": (weights(lambda file: file.__setitem__(KERNEL, h5py.Empty("f4"))), r"'layers/dense/vars/0'"),
    "scalar": (kernel(np.float32(3)), r"'layers/dense/vars/0'.*shape \(\)"),
    "transposed": (kernel(np.zeros((4, 3), np.float32)), r"'layers/dense/vars/0'.*shape \(4, 3\)"),
    "nan": (kernel(np.full((3, 4), np.nan, np.float32)), r"'layers/dense/vars/0'.*NaN"),
    "infinite": (kernel(np.full((3, 4), -np.inf, np.float32)), r"'layers/dense/vars/0'.*infinite"),
    "infinite_as_float32": (kernel(np.full((3, 4), 1e300)), r"'layers/dense/vars/0'"),
    "huge_chunked": (
        weights(lambda file: file.create_dataset(KERNEL, (1 << 20, 1 << 20), "f4", chunks=(16, 16))),
        r"'layers/dense/vars/0'.*shape \(1048576, 1048576\)",
    ),
    "huge_contiguous": (huge_contiguous, r"'layers/dense.*shape|'layers/dense"),
    "beyond_the_end": (beyond_the_end, r"'layers/dense/vars/0'"),
    "deflate_bomb": (deflate_bomb, r"'layers/dense/vars/0'"),
    "large_chunk": (large_chunk, r"'layers/dense/vars/0'.*chunk"),
    "sparse_chunk": (sparse_chunk, r"'layers/dense/vars/0'.*chunk"),
    "two_filters": (two_filters, r"'layers/dense/vars/0'"),
    "unknown_filter": (unknown_filter, r"'layers/dense/vars/0'.*32015"),
    "group_instead": (weights(group_instead), r"'layers/dense/vars/0'.*group"),
    "loop": (weights(loop), r"'layers/dense/vars/0'.*group"),
    "dataset_as_group": (weights(dataset_as_group, [name for name in SHAPES if "dense/" in name]), r"'first'"),
    "root_as_dataset": (weights(root_as_dataset, list(SHAPES)), r"'first'"),
    "nothing": (weights(lambda file: None, list(SHAPES)), r"'first'"),
    "one_missing": (weights(lambda file: None), r"'first'|'layers/dense/vars/0'"),
    "one_more": (
        weights(lambda file: file.__setitem__("layers/dense_2/vars/0", np.zeros(3)), ()),
        r"'layers/dense_2'",
    ),
    "many_names": (weights(many_names), r"layers"),
}


def model_settings(given):
    """model_config of the good net, as a legacy file has it."""
    description = json.loads(given.stack["config.json"])
    return {"class_name": description["class_name"], "config": description["config"]}


def legacy(change, **attributes):
    """A legacy file that Keras might have written, then `change`; attributes of the root instead of the good ones."""

    def make(path, given):
        with h5py.File(path, "w") as file:
            told = {"keras_version": "3.15.1", "model_config": json.dumps(model_settings(given)), **attributes}
            for name, value in told.items():
                if value is not None:
                    file.attrs[name] = value
            group = file.create_group("model_weights")
            group.attrs["layer_names"] = np.array([b"first", b"drop", b"last"])
            for name, shapes in (("first", [(3, 4), (4,)]), ("drop", []), ("last", [(4, 2), (2,)])):
                one = group.create_group(name)
                paths = [f"{name}/{kind}" for kind in ("kernel", "bias")][: len(shapes)]
                one.attrs["weight_names"] = np.array([each.encode() for each in paths]) if paths else np.zeros(0)
                for where, shape in zip(paths, shapes, strict=True):
                    one[where] = np.full(shape, 0.5, np.float32)
            change(file)

    return make


def attribute(where, name, value):
    """An attribute of a group, another one; None takes it away."""

    def change(file):
        if value is None:
            del file[where].attrs[name]
        else:
            file[where].attrs[name] = value(file) if callable(value) else value

    return legacy(change)


def same_text_often(path, given):
    """4,000 names, each pointing to one text of a megabyte: patched, as no library would write it."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(model_settings(given))
        group = file.create_group("model_weights")
        texts = np.array(["a" * (1 << 20), *["b"] * 3_999], dtype=object)
        group.attrs.create("layer_names", texts, dtype=h5py.string_dtype())
    raw = bytearray(path.read_bytes())
    long, short = struct.pack("<I", 1 << 20), struct.pack("<I", 1)
    at = next(
        i
        for i in range(len(raw) - 64)
        if raw[i : i + 4] == long and raw[i + 16 : i + 20] == short == raw[i + 32 : i + 36]
    )
    raw[at : at + 16 * 4_000] = bytes(raw[at : at + 16]) * 4_000
    path.write_bytes(bytes(raw))


def endless_heap(path, given):
    """Free room of no size in the heap of texts, from which a reader never gets on."""
    legacy(lambda file: None)(path, given)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"GCOL") + 16
    while raw[at]:
        at += 16 + -(-struct.unpack_from("<Q", raw, at + 8)[0] // 8) * 8
    struct.pack_into("<Q", raw, at + 8, 0)
    path.write_bytes(bytes(raw))


def long_path(file):
    """Names that go round and round in a group that contains itself."""
    file["model_weights/first/a"] = file["model_weights/first"]
    around = b"a/" * 15_000 + b"first/kernel"
    file["model_weights/first"].attrs["weight_names"] = np.array([around, b"first/bias"])


def crowded_names(file):
    """Many layers that are one group with many weights: few bytes, very many names."""
    group, one = file["model_weights"], file["model_weights/first"]
    one.attrs["weight_names"] = np.array([b"first/kernel"] * 3_000)
    names = [f"l{i}" for i in range(5_000)]
    for name in names:
        group[name] = one
    group.attrs["layer_names"] = np.array([name.encode() for name in names])


TWO = np.array([b"first/kernel", b"first/bias"])
LEGACY = {
    "no_layer_names": (attribute("model_weights", "layer_names", None), r"layers with weights|layer_names"),
    "layer_names_numbers": (attribute("model_weights", "layer_names", np.arange(3.0)), r"'layer_names'.*text"),
    "layer_names_references": (
        attribute("model_weights", "layer_names", lambda f: np.array([f["model_weights"].ref] * 3, h5py.ref_dtype)),
        r"'layer_names'.*text",
    ),
    "layer_names_vlen": (
        legacy(lambda f: f["model_weights"].attrs.create("layer_names", 3, dtype=np.int64)),
        r"'layer_names'.*text",
    ),
    "layer_names_utf8": (attribute("model_weights", "layer_names", np.array([b"\xff\xfe"] * 3)), r"'layer_names'"),
    "layer_names_empty": (attribute("model_weights", "layer_names", h5py.Empty("S1")), r"'layer_names'|layers"),
    "layer_names_odd": (attribute("model_weights", "layer_names", np.array([b"../x", b"drop", b"last"])), r"layers"),
    "layer_names_root": (attribute("model_weights", "layer_names", np.array([b"", b"", b""])), r"layers|arrays"),
    "no_weight_names": (attribute("model_weights/first", "weight_names", None), r"layers with weights|layer"),
    "weight_names_numbers": (attribute("model_weights/first", "weight_names", np.arange(2)), r"'weight_names'.*text"),
    "weight_names_more": (
        attribute("model_weights/first", "weight_names", np.array([*TWO, b"first/more"])),
        r"'first'.*3 arrays",
    ),
    "weight_names_parent": (
        attribute("model_weights/first", "weight_names", np.array([b"../last/last/kernel", b"first/bias"])),
        r"\.\./last/last/kernel'",
    ),
    "weight_names_absolute": (
        attribute("model_weights/first", "weight_names", np.array([b"/etc/passwd", b"first/bias"])),
        r"etc/passwd",
    ),
    "weight_names_swapped": (attribute("model_weights/first", "weight_names", TWO[::-1]), r"'model_weights/first"),
    "same_text_often": (same_text_often, r"'layer_names'"),
    "endless_heap": (endless_heap, r"heap of texts"),
    "long_path": (legacy(long_path), r"levels|deep"),
    "crowded_names": (legacy(crowded_names), r"names|layers"),
    "model_config_no_json": (legacy(lambda f: None, model_config="{"), r"'model_config'.*JSON"),
    "model_config_number": (legacy(lambda f: None, model_config=3), r"'model_config'.*text"),
    "model_config_list": (legacy(lambda f: None, model_config=["{}", "{}"]), r"model_config|description"),
    "no_model_config": (legacy(lambda f: None, model_config=None), r"weights alone"),
    "training_config_no_json": (legacy(lambda f: None, training_config="{"), r"'training_config'"),
    "training_config_odd": (legacy(lambda f: None, training_config='{"loss": 7}'), r"compile_config"),
    "keras_9": (legacy(lambda f: None, keras_version="9.0"), r"keras_version.*9\.0"),
    "thalweg_2": (legacy(lambda f: None, thalweg='{"format": 2, "thalweg": "7.0"}'), r"7\.0.*format 2"),
    "thalweg_odd": (legacy(lambda f: None, thalweg="[]"), r"'thalweg'.*object"),
    "missing_kernel": (legacy(lambda f: f["model_weights/first/first"].pop("kernel")), r"first/first/kernel'.*missing"),
    "group_as_kernel": (
        legacy(
            lambda f: (f.pop("model_weights/first/first/kernel"), f.create_group("model_weights/first/first/kernel"))
        ),
        r"first/first/kernel'.*group",
    ),
    "weights_as_dataset": (
        legacy(lambda f: (f.pop("model_weights"), f.__setitem__("model_weights", np.zeros(3)))),
        r"layers",
    ),
}


def tables():
    """(cases, ending of the files, how they are read)."""
    by_name = {
        name: WEIGHTS[name] for name in ("external_link", "virtual_endless", "vlen_texts", "nan", "deflate_bomb")
    }
    by_name = {f"{name}_skip": (make, culprit) for name, (make, culprit) in by_name.items()}
    return [
        (WEIGHTS, ".weights.h5", "load_weights"),
        (by_name, ".weights.h5", "load_weights_skip"),
        (LEGACY, ".h5", "load_model"),
    ]
