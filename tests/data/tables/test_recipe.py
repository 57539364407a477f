"""Recipes: what is fitted is kept as plain data, and does the same to other tables."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg import data

RNG = np.random.default_rng(1)


def frame(n=200):
    return pd.DataFrame(
        {
            "income": np.where(RNG.random(n) < 0.1, np.nan, RNG.lognormal(10, 1, n)),
            "city": RNG.choice(["Bern", "Basel", "Chur"], n),
            "street": RNG.choice([f"street {i}" for i in range(40)], n),
            "since": pd.to_datetime("2020-01-01") + pd.to_timedelta(RNG.integers(0, 1000, n), "D"),
            "member": RNG.choice(["yes", "no"], n),
            "note": [f"a note about {i} things and {i % 5} more" for i in range(n)],
            "y": RNG.choice(["low", "mid", "high"], n),
        }
    )


def test_a_record_is_plain_and_makes_the_same(tmp_path):
    table = data.read(frame(), "y")
    recipe = table.recipe()
    assert {one.KIND for one in recipe.encoders} == {"numeric", "one-hot", "embedded", "date", "boolean", "text"}
    record = json.loads(json.dumps(recipe.record()))
    again = data.read_recipe(record)
    assert again == recipe
    other = frame(50)
    mine, theirs = recipe.encode(other), again.encode(other)
    assert np.array_equal(mine.numbers, theirs.numbers) and np.array_equal(mine.codes, theirs.codes)


def test_the_order_of_columns_does_not_matter_and_more_of_them_are_named():
    recipe = data.read(frame(), "y").recipe()
    other = frame(50)
    turned = other[other.columns[::-1]].assign(more=1)
    assert np.array_equal(recipe.encode(other).numbers, recipe.encode(turned).numbers)
    assert recipe.check(list(turned.columns)) == ("more",)
    with pytest.raises(data.DataError, match="A column is missing: 'city'"):
        recipe.encode(other.drop(columns="city"))


def test_pieces_are_encoded_as_the_whole_whatever_pandas_takes_them_for():
    table = data.read(
        pd.DataFrame({"zip": [8001, 3011, 4051, 8001] * 10, "x": np.arange(40.0) ** 2, "y": [0, 1] * 20}),
        "y",
        types={"zip": "categorical"},
    )
    recipe = table.recipe()
    whole = recipe.encode(table.frame).numbers
    as_text = table.frame.assign(zip=table.frame["zip"].map(lambda v: f"0{v}"), x=table.frame["x"].astype(str))
    as_float = table.frame.assign(zip=table.frame["zip"].astype(float))
    for other in (as_text, as_float, table.frame.astype(object)):
        np.testing.assert_allclose(recipe.encode(other).numbers, whole, rtol=1e-6)


def test_what_was_never_seen_is_none_of_the_names_and_counted():
    table = data.read(frame(), "y")
    recipe = table.recipe()
    odd = table.frame.head(3).assign(city=["Bern", "Paris", None], street="nowhere", income=[1e12, 2e4, np.nan])
    found = recipe.encode(odd)
    titles = list(recipe.titles)
    cities = found.numbers[:, [titles.index(f"city is {c}") for c in ("Bern", "Basel", "Chur")]]
    assert cities.sum(axis=1).tolist() == [1, 0, 0]
    assert (found.codes == 0).all()
    assert recipe.unseen(odd).tolist() == [2, 2, 1]
    assert abs(found.numbers).max() <= 3 * 4


def test_missing_numbers_have_a_column_of_their_own():
    table = data.read(frame(), "y")
    recipe = table.recipe()
    at = recipe.titles.index("income is missing")
    found = recipe.encode(table.frame).numbers
    assert (found[:, at] == table.frame["income"].isna()).all()
    assert (found[table.frame["income"].isna(), at - 1] == 0).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), min_size=2, max_size=40))
def test_any_numbers_become_finite_ones_in_their_order(values):
    series = pd.DataFrame({"x": np.array(values, float), "z": np.arange(len(values)) % 2 + 0.5})
    table = data.read(series, types={"x": "numeric"})
    found = table.recipe().encode(table.frame).numbers[:, 0]
    assert np.isfinite(found).all() and np.abs(found).max() <= 3.001
    there = np.isfinite(values)
    order = np.argsort(np.array(values)[there], kind="stable")
    assert (np.diff(found[there][order]) >= -1e-6).all()


def test_ten_thousand_names_and_one_row_a_class():
    n = 20_000
    table = data.read(
        pd.DataFrame(
            {"name": RNG.integers(0, 10_000, n).astype(str), "x": RNG.normal(size=n), "y": RNG.normal(size=n)}
        ),
        "y",
        types={"name": "categorical"},
    )
    recipe = table.recipe()
    assert 5000 < recipe.sizes[0] < 10_001 and recipe.encode(table.frame).codes.max() == recipe.sizes[0] - 1
    one_each = data.read(pd.DataFrame({"x": np.arange(30.0), "y": [f"class {i}" for i in range(30)]}), "y")
    assert one_each.recipe().goal.outputs == 30
    train, rest = data.read(frame(), "y").split(0.25)
    assert len(train) + len(rest) == 200


def test_a_record_of_a_later_version_or_a_damaged_one_is_refused():
    record = data.read(frame(), "y").recipe().record()
    with pytest.raises(data.DataError, match="version 99"):
        data.read_recipe({**record, "version": 99})
    with pytest.raises(data.DataError, match="damaged"):
        data.read_recipe({**record, "columns": [{"kind": "numeric", "name": "x"}]})
    with pytest.raises(data.DataError, match="damaged"):
        data.read_recipe({**record, "columns": [{"kind": "pickle", "name": "x"}]})


def test_splits_keep_groups_whole_classes_mixed_and_the_future_apart():
    table = data.read(frame(400), "y")
    train, rest = table.split(0.2, seed=3)
    shares = [part.targets["y"].value_counts(normalize=True).sort_index() for part in (train, rest)]
    np.testing.assert_allclose(shares[0], shares[1], atol=0.02)
    assert len(rest) == 80
    train, rest = table.split(0.2, group="street")
    assert not set(train.frame["street"]) & set(rest.frame["street"]) and 60 <= len(rest) <= 100
    assert "street" in table.recipe().columns
    for part in (train, rest):  # what rows are kept together by is not learnt from
        assert "street" not in part.recipe().columns and "which rows stay together" in str(part)
    again, checked = train.split(0.2, group="street")
    assert not set(again.frame["street"]) & set(checked.frame["street"])
    train, rest = table.split(0.2, time="since")
    assert train.frame["since"].max() <= rest.frame["since"].min()
    with pytest.raises(ValueError, match="Did you mean 'street'"):
        table.split(0.2, group="stret")


def test_rows_of_a_table_are_known_again_whatever_is_learnt_from_them():
    held = frame()
    table = data.read(held, "y")
    known = table.fingerprint()
    for like in (
        data.read(held, "city"),
        data.read(held, "y", drop=["city"], types={"income": "categorical"}),
        data.read(held[held.columns[::-1]], "y"),
        data.read(held),
    ):
        assert like.fingerprint() == known
    assert table.part(range(100)).fingerprint() != known
    other = held.copy()
    other.loc[7, "city"] = "elsewhere"
    assert data.read(other, "y").fingerprint() != known


def test_rows_follow_each_other_by_their_dates_however_these_are_written():
    days = pd.date_range("2024-01-01", periods=60)
    order = RNG.permutation(60)
    for form in ("%d.%m.%Y", "%b %d, %Y", "%Y-%m-%d"):
        when = days[order].strftime(form)
        table = data.read(pd.DataFrame({"when": when, "x": RNG.normal(size=60), "y": RNG.normal(size=60)}), "y")
        train, rest = table.split(0.25, time="when")
        assert sorted(order[rest.frame.index]) == list(range(45, 60)) and len(train) == 45
    table = data.read(frame(), "y")
    for name, message in (("city", "neither dates nor numbers"), ("income", "nothing stands")):
        with pytest.raises(data.DataError, match=message):
            table.split(0.2, time=name)
