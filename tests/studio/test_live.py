"""What a fit tells, and its readers: whoever reads whenever ends with all of it."""

import threading
import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.studio._live import LISTS, Cursor, Live
from thalweg.studio._thin import thinned

adds = st.tuples(st.just("add"), st.sampled_from(LISTS), st.lists(st.integers(), min_size=1, max_size=3))
points = st.tuples(st.just("point"), st.integers(0, 2), st.integers(0, 5))
anew = st.tuples(st.just("anew"), st.none(), st.none())
reads = st.tuples(st.just("read"), st.none(), st.none())


@settings(max_examples=200)
@given(st.lists(adds | points | anew | reads, max_size=40))
def test_a_reader_ends_with_all_of_it_however_seldom_it_reads(steps):
    live, cursor = Live(), Cursor()
    held = {name: [] for name in LISTS}
    known = {"series": 0, "points": []}

    def read():
        nonlocal cursor
        frame, cursor = live.since(cursor)
        if frame["fresh"]:
            for name in LISTS:
                held[name] = []
            known.update(series=-1, points=[])
        for name in LISTS:
            held[name] += frame[name]
        if frame["series"] != known["series"]:
            known.update(series=frame["series"], points=[])
        known["points"] = known["points"] + frame["points"]

    for what, name, given_ in steps:
        if what == "add":
            live.add(name, given_)
        elif what == "point":
            live.point(name, given_, {"loss": 0.5})
        elif what == "anew":
            live.begin_anew()
        else:
            read()
    read()
    whole, _ = live.since()
    assert held == {name: whole[name] for name in LISTS}
    assert known == {"series": whole["series"], "points": whole["points"]}
    assert live.since(cursor)[0]["points"] == [] and not live.since(cursor)[0]["fresh"]


def test_last_words_wait_for_whoever_reads_and_for_nobody_else():
    live = Live()
    live.say(status="running")
    live.handed("slow", live.version)
    live.handed("prompt", live.version, got=True)
    live.say(status="finished")
    begun = time.monotonic()

    def read():
        time.sleep(0.4)
        live.handed("prompt", live.version, got=True)

    thread = threading.Thread(target=read)
    thread.start()
    live.wait_for_readers(5)
    thread.join()
    assert 0.3 < time.monotonic() - begun < 3
    begun = time.monotonic()
    live.wait_for_readers(5)
    assert time.monotonic() - begun < 1, "nobody but one who does not read"
    live.handed("slow", None)
    live.handed("prompt", None)
    assert live.readers == 0


def test_numbers_that_are_none_and_arrays_become_plain():
    live = Live()
    live.say(hypers={"a": np.float32(0.5)}, loss=float("nan"), what=object)
    frame, _ = live.since()
    assert (
        frame["now"]["hypers"] == {"a": 0.5} and frame["now"]["loss"] is None and isinstance(frame["now"]["what"], str)
    )


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(1, 40))
def test_what_is_thinned_keeps_its_ends_its_order_and_its_extremes(values, stretches):
    records = [{"epoch": i, "loss": value} for i, value in enumerate(values)]
    few = thinned(records, stretches)
    losses = [one["loss"] for one in few]
    assert few[0] is records[0] and few[-1] is records[-1] and few == sorted(few, key=lambda one: one["epoch"])
    assert min(losses) == min(values) and max(losses) == max(values)
    assert len(few) <= max(2 * stretches + 2, 2 * stretches)


def test_a_hundred_thousand_epochs_are_few_points_at_once():
    rng = np.random.default_rng(0)
    records = [{"epoch": i, "loss": float(v), "val_loss": float(v)} for i, v in enumerate(rng.normal(size=100_000))]
    records[77_777]["val_loss"] = None
    begun = time.monotonic()
    few = thinned(records)
    assert len(few) < 2_500 and time.monotonic() - begun < 5
