"""Descriptions that lie: of a stack, of a graph, of what a model was compiled with."""

import json

from hostile_seal import repacked

SYSTEM = {"module": "os", "class_name": "system", "config": {"command": "touch pwned"}, "registered_name": "os.system"}
CODE = {"class_name": "__lambda__", "config": {"code": "4wAAAA==\n", "defaults": None, "closure": None}}


def told(change, base="stack"):
    """A good archive whose description was changed."""

    def make(path, given):
        members = getattr(given, base)
        description = json.loads(members["config.json"])
        changed = change(description)
        description = changed if isinstance(changed, dict) and "class_name" in changed else description
        repacked(path, {**members, "config.json": json.dumps(description).encode()}, seal=True)

    return make


def first(**settings):
    """The first Dense with other settings."""
    return told(lambda whole: whole["config"]["layers"][1]["config"].update(settings))


def layer(**entries):
    """The first Dense with other entries beside its settings."""
    return told(lambda whole: whole["config"]["layers"][1].update(entries))


def compiled(**entries):
    """Another compile_config; thalweg's own optimizer is taken out, so that this one counts."""

    def make(path, given):
        own = json.loads(given.stack["thalweg.json"])
        own["own"].pop("optimizer", None)
        description = json.loads(given.stack["config.json"])
        description["compile_config"].update(entries)
        members = {"config.json": json.dumps(description).encode(), "thalweg.json": json.dumps(own).encode()}
        repacked(path, {**given.stack, **members}, seal=True)

    return make


def whole_compile(value):
    """Something else in the place of compile_config."""
    return told(lambda whole: whole.update(compile_config=value))


def node(end, **entries):
    """The graph's last layer, called on `end`."""

    def change(whole):
        tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "keras_history": end}}
        whole["config"]["layers"][3]["inbound_nodes"] = [{"args": [tensor], "kwargs": {}, **entries}]

    return told(change, "graph")


def graph(change):
    """The graph's settings, changed."""
    return told(lambda whole: change(whole["config"]), "graph")


def many(number):
    """Very many layers."""

    def change(whole):
        one = {"class_name": "Identity", "config": {}}
        whole["config"]["layers"] = [whole["config"]["layers"][0], *[one] * number]

    return told(change)


def nested(depth):
    """Models in models in models."""

    def change(whole):
        inner = json.loads(json.dumps(whole))
        inner.pop("compile_config")
        for i in range(depth):
            inner = {"class_name": "Sequential", "config": {"name": f"m{i}", "layers": [inner]}}
        return inner

    return told(change)


def wide(depth=3, each=200):
    """Models whose layers are models: few bytes a layer, and many layers in all."""

    def change(whole):
        inner = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Identity", "config": {}}] * each}}
        for _ in range(depth - 1):
            inner = {"class_name": "Sequential", "config": {"layers": [inner] * 10}}
        whole["config"]["layers"] = [whole["config"]["layers"][0], *[inner] * 10]

    return told(change)


def self_loop(inner):
    inner["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["left", 0, 0]


def cycle(inner):
    inner["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["both", 0, 0]


def reversed_chain(inner, number=4_000):
    """A chain whose calls stand in the wrong order: each is ready one round after the one that stands behind it."""
    listed = [inner["layers"][0]]
    for i in reversed(range(number)):
        end = ["entry", 0, 0] if i == 0 else [f"l{i - 1}", 0, 0]
        listed.append(
            {"class_name": "Identity", "config": {"name": f"l{i}"}, "name": f"l{i}", "inbound_nodes": [[end]]}
        )
    inner.update(layers=listed, output_layers=[["l9999", 0, 0]])


def called_often(inner, number=150_000):
    inner["layers"][1]["inbound_nodes"] = [[["entry", 0, 0]]] * number


def twice(inner):
    inner["layers"].append(inner["layers"][1])


STACKS = {
    "units_huge": (first(units=2**40), r"'layers/dense/vars/0'.*1099511627776"),
    "units_beyond": (first(units=2**400), r"'layers/dense/vars/0'"),
    "units_negative": (first(units=-4), r"'first'.*units"),
    "units_zero": (first(units=0), r"'first'.*units"),
    "units_text": (first(units="4"), r"'first'.*units"),
    "units_list": (first(units=[4]), r"'first'.*units"),
    "units_nan": (first(units=float("nan")), r"'first'.*units"),
    "units_object": (first(units={"a": 1}), r"'first'.*units"),
    "rate_nan": (told(lambda w: w["config"]["layers"][2]["config"].update(rate=float("nan"))), r"'drop'.*rate"),
    "unknown_argument": (first(shell="rm"), r"'first'.*shell"),
    "dunder_argument": (first(__class__="os"), r"'first'"),
    "self_argument": (first(self="os"), r"'first'"),
    "many_layers": (many(20_000), r"the description.*20,001 layers"),
    "wide": (wide(), r"the description.*layers"),
    "nested": (nested(30), r"the description"),
    "very_nested": (nested(45), r"the description|config\.json"),
    "lambda": (layer(class_name="Lambda", config={"name": "evil", "function": CODE}), r"'evil'.*code"),
    "lambda_python": (layer(class_name="Lambda", config={"name": "evil", "function": "os.system"}), r"'evil'.*code"),
    "lambda_registered": (
        layer(class_name="Dense", module="os", registered_name="keras>Lambda", config={"name": "evil", "units": 1}),
        r"'evil'",
    ),
    "unknown_layer": (layer(class_name="Densest"), r"'first'.*Did you mean 'Dense'"),
    "custom_layer": (
        layer(class_name="Mine", registered_name="pkg>Mine", module="pkg"),
        r"'first'.*custom_objects=\{'Mine'",
    ),
    "system_layer": (layer(**SYSTEM), r"system"),
    "builtin_layer": (layer(module="builtins", class_name="eval", config={"name": "evil"}), r"'evil'.*eval"),
    "dunder_layer": (layer(class_name="__import__", config={"name": "evil"}), r"'evil'.*__import__"),
    "dotted_layer": (layer(class_name="thalweg.models.load_model", config={"name": "evil"}), r"'evil'"),
    "base_layer": (layer(class_name="Layer", config={"name": "evil"}), r"'evil'.*Layer"),
    "list_as_class": (layer(class_name=["Dense"]), r"class_name|'first'"),
    "object_as_class": (layer(class_name={"a": 1}), r"class_name|'first'"),
    "number_as_class": (layer(class_name=7), r"class_name|'first'"),
    "number_as_module": (layer(module=7), r"'first'"),
    "list_as_module": (layer(module=["os"]), r"'first'"),
    "list_as_registered": (layer(registered_name=["a"]), r"'first'"),
    "config_list": (layer(config=[1]), r"layer"),
    "config_text": (layer(config="units"), r"the description"),
    "config_number": (layer(config=3), r"the description"),
    "no_config": (told(lambda w: w["config"]["layers"][1].pop("config") and None), r"layer .*Dense"),
    "layer_null": (told(lambda w: w["config"]["layers"].__setitem__(1, None)), r"the description"),
    "system_activation": (first(activation=SYSTEM), r"'first'.*system"),
    "named_activation": (first(activation="os.system"), r"'first'.*os\.system"),
    "function_activation": (
        first(activation={"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}),
        r"'first'.*system",
    ),
    "builtin_function": (
        first(
            activation={"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"}
        ),
        r"'first'.*exec",
    ),
    "lambda_activation": (first(activation=CODE), r"'first'"),
    "system_initializer": (first(kernel_initializer=SYSTEM), r"'first'.*system"),
    "system_regularizer": (first(kernel_regularizer=SYSTEM), r"'first'.*system"),
    "system_constraint": (first(kernel_constraint=SYSTEM), r"'first'.*system"),
    "number_initializer": (first(kernel_initializer=3), r"'first'"),
    "list_initializer": (first(kernel_initializer=[SYSTEM]), r"'first'"),
    "nested_regularizer": (
        first(kernel_regularizer={"class_name": "L2", "config": {"l2": SYSTEM}}),
        r"'first'",
    ),
    "path_as_name": (first(name="../../etc/passwd", units="x"), r"passwd"),
    "url_as_activation": (first(activation="https://example.org/evil.py"), r"'first'.*example"),
    "name_number": (first(name=7), r"name"),
    "name_object": (first(name={"a": 1}), r"name"),
    "name_enormous": (first(name="n" * 1_000_000), r"name"),
    "name_escape": (first(name="\x1b[2J\n", units="x"), r"units"),
    "name_twice": (first(name="last"), r"'last'"),
    "dtype_odd": (first(dtype={"class_name": "DTypePolicy", "config": [1]}, units="x"), r"units"),
    "dtype_policy_odd": (first(dtype={"class_name": "DTypePolicy", "config": [1]}), r"'first'.*dtype"),
    "input_huge": (
        told(lambda w: w["config"]["layers"][0]["config"].update(batch_shape=[None, 2**40])),
        r"first|the description|shape",
    ),
    "input_negative": (told(lambda w: w["config"]["layers"][0]["config"].update(batch_shape=[None, -3])), r"shape"),
    "input_text": (told(lambda w: w["config"]["layers"][0]["config"].update(batch_shape="abc")), r"shape"),
    "input_empty": (told(lambda w: w["config"]["layers"][0]["config"].update(batch_shape=[])), r"shape|input"),
    "input_number": (told(lambda w: w["config"]["layers"][0]["config"].update(batch_shape=3)), r"input"),
    "build_config_odd": (
        told(lambda w: (w["config"]["layers"].pop(0), w["config"].pop("build_input_shape"), w.update(build_config=7))),
        r"build_config",
    ),
    "build_shape_odd": (
        told(lambda w: (w["config"]["layers"].pop(0), w["config"].update(build_input_shape=["a", "b"]))),
        r"build_input_shape|weights",
    ),
    "build_shape_negative": (
        told(lambda w: (w["config"]["layers"].pop(0), w["config"].update(build_input_shape=[None, -3]))),
        r"shape|description",
    ),
    "model_name": (told(lambda w: w["config"].update(name={"a": [1]})), r"name"),
    "class_unknown": (told(lambda w: w.update(class_name="Subclassed")), r"the description.*Subclassed"),
    "class_list": (told(lambda w: dict(w, class_name=["Sequential"])), r"the description"),
    "config_missing": (told(lambda w: w.pop("config") and None), r"the description"),
    "layers_object": (told(lambda w: w["config"].update(layers={"a": 1})), r"the description.*layers"),
    "weights_elsewhere": (first(units=5), r"'layers/dense/vars/0'.*shape"),
}
COMPILED = {
    "system_optimizer": (compiled(optimizer=SYSTEM), r"compile_config.*system"),
    "system_loss": (compiled(loss=SYSTEM), r"compile_config.*system"),
    "named_loss": (compiled(loss="os.system"), r"compile_config.*os\.system"),
    "system_metric": (compiled(metrics=[SYSTEM]), r"compile_config.*system"),
    "system_schedule": (
        compiled(optimizer={"class_name": "Adam", "config": {"learning_rate": SYSTEM}}),
        r"compile_config.*system",
    ),
    "optax": (
        compiled(optimizer={"class_name": "OptaxOptimizer", "config": {"transformation": "os.system"}}),
        r"compile_config.*Optax",
    ),
    "optimizer_number": (compiled(optimizer=7), r"compile_config"),
    "optimizer_list": (compiled(optimizer=[1]), r"compile_config"),
    "optimizer_config": (compiled(optimizer={"class_name": "Adam", "config": "x"}), r"compile_config"),
    "optimizer_rate": (
        compiled(optimizer={"class_name": "Adam", "config": {"learning_rate": [1]}}),
        r"compile_config",
    ),
    "optimizer_class": (compiled(optimizer={"class_name": ["Adam"], "config": {}}), r"compile_config"),
    "loss_number": (compiled(loss=7), r"compile_config"),
    "loss_many": (compiled(loss=["mse"] * 50), r"compile_config"),
    "loss_weights": (compiled(loss_weights={"a": "b"}), r"compile_config"),
    "metrics_number": (compiled(metrics=7), r"compile_config"),
    "compile_text": (whole_compile("adam"), r"compile_config"),
    "compile_list": (whole_compile([1]), r"compile_config"),
    "compile_number": (whole_compile(7), r"compile_config"),
    "loss_class_list": (compiled(loss={"class_name": [], "config": {}}), r"compile_config"),
}
GRAPHS = {
    "self_loop": (graph(self_loop), r"'left'"),
    "cycle": (graph(cycle), r"'left'|'both'"),
    "nobody": (node(["nobody", 0, 0]), r"'end'.*nobody"),
    "no_such_call": (node(["both", 7, 0]), r"'end'"),
    "no_such_tensor": (node(["both", 0, 7]), r"'end'"),
    "negative_call": (node(["both", -1, 0]), r"'end'"),
    "end_short": (node(["both"]), r"'end'.*inbound_nodes"),
    "end_number": (node(7), r"'end'.*inbound_nodes"),
    "end_text": (node("both"), r"'end'"),
    "end_infinite": (node(["both", float("inf"), 0]), r"'end'"),
    "end_list": (node([["both"], 0, 0]), r"'end'"),
    "args_odd": (node(["both", 0, 0], args=7), r"'end'.*inbound_nodes"),
    "kwargs_odd": (node(["both", 0, 0], kwargs=7), r"'end'.*inbound_nodes"),
    "nodes_number": (graph(lambda c: c["layers"][3].update(inbound_nodes=7)), r"'end'.*inbound_nodes"),
    "nodes_text": (graph(lambda c: c["layers"][3].update(inbound_nodes="abc")), r"'end'.*inbound_nodes"),
    "nodes_object": (graph(lambda c: c["layers"][3].update(inbound_nodes={"a": 1})), r"'end'.*inbound_nodes"),
    "nodes_null": (graph(lambda c: c["layers"][3].update(inbound_nodes=[None])), r"'end'.*inbound_nodes"),
    "nodes_empty": (graph(lambda c: c["layers"][3].update(inbound_nodes=[[]])), r"'end'"),
    "nodes_nested": (graph(lambda c: c["layers"][3].update(inbound_nodes=[[[[[[]]]]]])), r"'end'.*inbound_nodes"),
    "called_often": (graph(called_often), r"'left'|calls"),
    "reversed_chain": (graph(reversed_chain), r"input or output"),
    "twice": (graph(twice), r"'left'.*twice"),
    "output_nobody": (graph(lambda c: c.update(output_layers=[["nobody", 0, 0]])), r"output"),
    "output_number": (graph(lambda c: c.update(output_layers=7)), r"output|the description"),
    "output_empty": (graph(lambda c: c.update(output_layers=[])), r"output|the description"),
    "output_null": (graph(lambda c: c.update(output_layers=None)), r"output|the description"),
    "output_deep": (graph(lambda c: c.update(output_layers=[[[[[]]]]])), r"output|the description"),
    "output_text": (graph(lambda c: c.update(output_layers="end")), r"output|the description"),
    "output_object": (graph(lambda c: c.update(output_layers={"a": {"b": 3}})), r"output|the description"),
    "layer_number": (graph(lambda c: c["layers"].append(7)), r"the description"),
    "layer_name_list": (graph(lambda c: c["layers"][1].update(name=["left"])), r"name|left"),
    "model_in_graph": (
        graph(lambda c: c["layers"].append({"class_name": "Functional", "name": "m", "config": 3})),
        r"the description",
    ),
}


def tables():
    """(cases, ending of the files, how they are read)."""
    return [
        (STACKS, ".keras", "load_model"),
        (COMPILED, ".keras", "load_model"),
        (GRAPHS, ".keras", "load_model"),
    ]
