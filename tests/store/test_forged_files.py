"""Damage whose sums were written anew: what still stands behind them."""

import hashlib
import json
from contextlib import suppress
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_kedro.store.bundle import StoredModel, parse_bundle
from fleet_kedro.store.canonical import readable
from fleet_kedro.store.errors import StoreError

FUZZ = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
BY_ENDING = ("arrays.safetensors", "trees.txt", "trees.ubj", "settings.json")


def forged(contents: dict[str, bytes], name: str, content: bytes) -> dict[str, bytes]:
    """Replace a file, and its sum, as someone would who may write into the folder."""
    sums = json.loads(contents["checksums.json"])
    sums["files"][name] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    return contents | {name: content, "checksums.json": readable(sums)}


@pytest.fixture
def of_every_format(make_files, make_card) -> StoredModel:
    files = make_files() | {"trees.ubj": b"{L\x00\x00\x00\x00\x00\x00\x00\x01ai\x01}"}
    assert files.keys() == set(BY_ENDING)
    return StoredModel(make_card().naming(files), files)


@pytest.mark.parametrize(
    ("name", "other"),
    # JSON and UBJSON begin alike: only the reader of the trees tells them apart.
    sorted({*permutations(BY_ENDING, 2)} - {("trees.ubj", "settings.json")}),
)
def test_a_file_of_another_format_is_refused_by_name(of_every_format, name, other):
    contents = forged(of_every_format.contents(), name, of_every_format.files[other])
    with pytest.raises(StoreError, match=rf"here: {name} is not what .* train it"):
        parse_bundle(contents, "here")


@given(data=st.data())
@FUZZ
def test_a_changed_card_is_refused_or_is_the_card_that_is_read(model, data):
    contents = model.contents()
    card = contents["card.json"]
    start = data.draw(st.integers(0, len(card)))
    end = data.draw(st.integers(start, min(len(card), start + 30)))
    changed = card[:start] + data.draw(st.binary(max_size=10)) + card[end:]
    with suppress(StoreError):  # any other exception fails this test
        read = parse_bundle(forged(contents, "card.json", changed), "here")
        assert read.card.to_json() == changed
        assert read.files == model.files


@given(data=st.data())
@FUZZ
def test_a_changed_card_names_the_card(model, data):
    contents = model.contents()
    card = contents["card.json"]
    cut = data.draw(st.integers(0, len(card) - 1))
    with pytest.raises(StoreError, match=r"here: card\.json .*([Tt]rain|written by)"):
        parse_bundle(forged(contents, "card.json", card[:cut]), "here")


@given(data=st.data())
@FUZZ
def test_a_page_that_says_something_else_does_no_harm(model, data):
    text = data.draw(st.text(max_size=50)).encode("utf-8", "replace")
    with suppress(StoreError):  # such as a zero byte: then it is no text
        read = parse_bundle(forged(model.contents(), "card.md", text), "here")
        assert read == model
