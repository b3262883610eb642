import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_kedro.models.formats import arrays_from_bytes, lightgbm_from_bytes
from fleet_kedro.store.bundle import (
    MissingModelError,
    StoredModel,
    parse_bundle,
    read_bundle,
    write_bundle,
)
from fleet_kedro.store.canonical import readable
from fleet_kedro.store.checksums import FORMAT
from fleet_kedro.store.errors import StoreError

REMEDY = "dvc checkout|[Tt]rain|Move it|move"
FUZZ = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Bomb:
    """Leaves a file behind if it is ever unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self):
        return (Path.touch, (self._path,))


def forge(folder: Path, name: str, content: bytes) -> None:
    """Change a file and its sums, as someone would who may write into the folder."""
    (folder / name).write_bytes(content)
    path = folder / "checksums.json"
    told = json.loads(path.read_text())
    told["files"][name] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    path.write_bytes(readable(told))


def refusal(folder: Path) -> str:
    with pytest.raises(StoreError, match=REMEDY) as caught:
        read_bundle(folder)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path, model) -> Path:
    path = tmp_path / "store" / "btc-lstm"
    write_bundle(path, model.files, model.card)
    return path


class TestKnownValues:
    def test_what_is_written_is_read(self, folder, model):
        assert read_bundle(folder) == model

    def test_a_folder_holds_the_files_card_and_sums_and_nothing_beside_it(
        self, folder, model
    ):
        names = {path.name for path in folder.iterdir()}
        assert names == {*model.files, "card.json", "card.md", "checksums.json"}
        assert list(folder.parent.iterdir()) == [folder]

    def test_the_sums_are_those_of_every_other_file(self, folder):
        told = json.loads((folder / "checksums.json").read_text())
        assert told["format"] == FORMAT
        assert told["files"] == {
            path.name: {
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "size": path.stat().st_size,
            }
            for path in folder.iterdir()
            if path.name != "checksums.json"
        }

    def test_the_card_lists_the_files(self, folder, model):
        told = json.loads((folder / "card.json").read_text())
        assert told["files"] == [
            {"name": name, "size_bytes": len(model.files[name])}
            for name in sorted(model.files)
        ]

    def test_another_model_takes_the_place_of_the_first(
        self, folder, make_files, make_card
    ):
        files = make_files(1)
        del files["settings.json"]
        written = write_bundle(folder, files, make_card(folds=3))
        assert read_bundle(folder) == written
        assert not (folder / "settings.json").exists()
        assert list(folder.parent.iterdir()) == [folder]

    def test_a_damaged_model_can_be_written_anew(self, folder, model):
        (folder / "checksums.json").write_bytes(b"{")
        (folder / "trees.txt").unlink()
        write_bundle(folder, model.files, model.card)
        assert read_bundle(folder) == model


class TestProperties:
    def test_the_same_model_gives_the_same_bytes(self, folder, tmp_path, model):
        elsewhere = tmp_path / "elsewhere"
        backwards = dict(reversed(model.files.items()))
        write_bundle(elsewhere, backwards, model.card)
        for path in folder.iterdir():
            assert (elsewhere / path.name).read_bytes() == path.read_bytes()

    def test_another_process_writes_the_same_bytes(self, folder, tmp_path):
        elsewhere = tmp_path / "elsewhere"
        code = (
            "import sys; from pathlib import Path;"
            "from fleet_kedro.store.bundle import read_bundle, write_bundle;"
            "model = read_bundle(Path(sys.argv[1]));"
            "write_bundle(Path(sys.argv[2]), model.files, model.card)"
        )
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", code, folder, elsewhere],
            env=os.environ | {"PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo"},
            check=True,
        )
        for path in folder.iterdir():
            assert (elsewhere / path.name).read_bytes() == path.read_bytes()

    def test_the_digest_tells_models_apart_and_forgets_nothing(
        self, model, make_files, make_card
    ):
        assert model.digest == StoredModel(make_card(), model.files).digest
        others = [
            StoredModel(make_card(folds=4), model.files),
            StoredModel(make_card("eth-lstm"), model.files),
            StoredModel(make_card(), make_files(1)),
            StoredModel(make_card(), {"trees.txt": model.files["trees.txt"]}),
        ]
        assert len({model.digest, *(other.digest for other in others)}) == 5

    @given(data=st.data())
    @FUZZ
    def test_no_changed_byte_passes(self, model, data):
        contents = model.contents()
        name = data.draw(st.sampled_from(sorted(contents)))
        old = contents[name]
        start = data.draw(st.integers(0, len(old)))
        end = data.draw(st.integers(start, min(len(old), start + 50)))
        contents[name] = old[:start] + data.draw(st.binary(max_size=20)) + old[end:]
        if contents[name] == old:
            return
        # A name that was changed in the sums is told as a file that is missing.
        told = "here" if name == "checksums.json" else name
        with pytest.raises(StoreError, match=told):
            parse_bundle(contents, "here")

    @given(data=st.data())
    @FUZZ
    def test_no_flipped_bit_passes(self, model, data):
        contents = model.contents()
        name = data.draw(st.sampled_from(sorted(contents)))
        changed = bytearray(contents[name])
        position = data.draw(st.integers(0, len(changed) - 1))
        changed[position] ^= 1 << data.draw(st.integers(0, 7))
        contents[name] = bytes(changed)
        # A name that was changed in the sums is told as a file that is missing.
        told = "here" if name == "checksums.json" else name
        with pytest.raises(StoreError, match=told):
            parse_bundle(contents, "here")

    @given(data=st.data())
    @FUZZ
    def test_files_missing_swapped_or_foreign_do_not_pass(self, model, data):
        contents = model.contents()
        names = sorted(contents)
        what = data.draw(st.sampled_from(["missing", "swapped", "foreign"]))
        one, other = data.draw(st.permutations(names))[:2]
        if what == "missing":
            del contents[one]
        elif what == "swapped":
            contents[one], contents[other] = contents[other], contents[one]
        else:
            foreign = data.draw(st.text(max_size=12).filter(lambda n: n not in names))
            contents[foreign] = b""
        with pytest.raises(StoreError, match="here"):
            parse_bundle(contents, "here")

    @given(contents=st.dictionaries(st.text(max_size=20), st.binary(max_size=200)))
    @FUZZ
    def test_garbage_is_refused(self, contents):
        with pytest.raises(StoreError, match=r"checksums\.json"):
            parse_bundle(contents, "here")

    @given(garbage=st.binary(max_size=300))
    @FUZZ
    def test_garbage_as_sums_or_card_is_refused(self, model, garbage):
        with pytest.raises(StoreError, match=r"checksums\.json"):
            parse_bundle(model.contents() | {"checksums.json": garbage}, "here")


class TestForgery:
    """What stands even if someone who may write there also writes the sums anew."""

    @pytest.mark.parametrize("name", ["arrays.safetensors", "trees.txt"])
    def test_a_pickle_in_disguise_is_neither_taken_nor_run(
        self, folder, tmp_path, name
    ):
        marker = tmp_path / "exploded"
        forge(folder, name, pickle.dumps(Bomb(marker)))
        assert name in refusal(folder)
        assert not marker.exists()

    def test_the_bomb_of_these_tests_goes_off(self, tmp_path):
        marker = tmp_path / "exploded"
        pickle.loads(pickle.dumps(Bomb(marker)))  # noqa: S301
        assert marker.exists()

    @pytest.mark.parametrize("read", [arrays_from_bytes, lightgbm_from_bytes])
    def test_readers_of_the_formats_do_not_run_it_either(self, tmp_path, read):
        marker = tmp_path / "exploded"
        with pytest.raises(ValueError, match=r"no safetensors|no LightGBM"):
            read(pickle.dumps(Bomb(marker)))
        assert not marker.exists()

    def test_another_model_s_card_does_not_pass(self, folder, make_card):
        forge(folder, "card.json", make_card("eth-lstm").to_json())
        assert "does not describe these files" in refusal(folder)

    def test_a_card_that_is_none_names_what_is_wrong(self, folder):
        told = json.loads((folder / "card.json").read_text())
        forge(folder, "card.json", readable(told | {"folds": -1}))
        assert "card.json is no model card, folds" in refusal(folder)

    def test_a_card_that_nests_without_end_is_refused(self, folder):
        forge(folder, "card.json", b'{"a":' + b"[" * 100_000)
        assert "card.json" in refusal(folder)

    @pytest.mark.parametrize(
        "name", ["../../outside.json", "/etc/outside.json", "model.pkl", ".json", "a"]
    )
    def test_a_name_that_no_model_has_is_refused(self, model, name):
        contents = model.contents()
        told = json.loads(contents["checksums.json"])
        told["files"][name] = {"sha256": hashlib.sha256(b"{}").hexdigest(), "size": 2}
        contents |= {name: b"{}", "checksums.json": readable(told)}
        with pytest.raises(StoreError, match="is no file"):
            parse_bundle(contents, "here")


class TestErrors:
    def test_a_missing_model_says_where_to_get_it(self, tmp_path):
        with pytest.raises(MissingModelError, match="dvc pull"):
            read_bundle(tmp_path / "nothing")

    def test_a_changed_byte_is_told_with_file_and_remedy(self, folder):
        path = folder / "trees.txt"
        path.write_bytes(path.read_bytes().replace(b"v4", b"v5"))
        told = refusal(folder)
        assert f"{folder}: a byte of trees.txt was changed" in told
        assert "dvc checkout" in told

    def test_a_cut_file_is_told_with_its_lengths(self, folder):
        path = folder / "arrays.safetensors"
        path.write_bytes(path.read_bytes()[:-1])
        assert "arrays.safetensors has" in refusal(folder)

    def test_a_missing_file_is_named(self, folder):
        (folder / "trees.txt").unlink()
        assert "trees.txt is missing" in refusal(folder)

    @pytest.mark.parametrize("name", ["more.json", "model.pkl", ".DS_Store", "x.PY"])
    def test_a_foreign_file_is_named(self, folder, name):
        (folder / name).write_bytes(b"{}")
        with pytest.raises(StoreError, match=name):
            read_bundle(folder)

    def test_a_link_is_not_followed(self, folder, tmp_path):
        path = folder / "trees.txt"
        shutil.move(path, tmp_path / "trees.txt")
        path.symlink_to(tmp_path / "trees.txt")
        told = refusal(folder)
        assert "trees.txt" in told
        assert "links are not followed" in told

    def test_a_folder_that_is_a_link_is_not_followed(self, folder, tmp_path, model):
        link = tmp_path / "link"
        link.symlink_to(folder)
        assert "is a link" in refusal(link)
        with pytest.raises(StoreError, match="is a link"):
            write_bundle(link, model.files, model.card)
        assert read_bundle(folder) == model

    def test_a_pipe_is_not_waited_for(self, folder):
        (folder / "trees.txt").unlink()
        os.mkfifo(folder / "trees.txt")
        assert "trees.txt is no file of a model" in refusal(folder)

    def test_another_version_of_the_layout_is_told_as_such(self, folder):
        path = folder / "checksums.json"
        path.write_text(path.read_text().replace(FORMAT, "fleet_kedro.store/2"))
        told = refusal(folder)
        assert "'fleet_kedro.store/2'" in told
        assert "the program that wrote it" in told

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("model.pkl", b"", "can run code"),
            ("weights.npz", b"", "can run code"),
            ("sub/model.json", b"{}", "no file name"),
            ("card.json", b"{}", "written by the store"),
            ("trees.txt", b"import os", "not what its ending says"),
            ("arrays.safetensors", b"\x80\x04.", "not what its ending says"),
            ("trees.ubj", b"\x80\x04.", "not what its ending says"),
            ("settings.json", b"{NaN", "not what its ending says"),
        ],
    )
    def test_what_is_no_file_of_a_model_is_not_written(
        self, folder, model, name, content, reason
    ):
        with pytest.raises(StoreError, match=reason):
            write_bundle(folder, dict(model.files) | {name: content}, model.card)
        assert read_bundle(folder) == model

    def test_a_folder_of_something_else_is_not_replaced(self, tmp_path, model):
        (tmp_path / "precious").mkdir()
        (tmp_path / "notes.py").write_text("kept")
        for place in (tmp_path, tmp_path / "notes.py"):
            with pytest.raises(StoreError, match=r"elsewhere|is no file"):
                write_bundle(place, model.files, model.card)
        assert (tmp_path / "notes.py").read_text() == "kept"
