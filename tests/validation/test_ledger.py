import json
import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_kedro.validation.ledger import TrialLedger
from fleet_kedro.validation.trials import Trial, TrialResults

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=10,
)
SHARPES = st.floats(-5, 5)

# One folder serves all examples; each writes its file anew.
ONE_FOLDER = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def trial(name: str = "brain", sharpe: float = 0.05, **changes: object) -> Trial:
    values = {
        "source": "files in market/",
        "start": "2022-01-01",
        "end": "2023-12-31T23:00",
        "horizon_bars": 12,
        "round_trip_cost": 0.002,
        "kind": "brain",
        "name": name,
        "parameters": {"latents": 25},
        "results": TrialResults(daily_sharpe=sharpe, n_days=600, signals=900),
    }
    return Trial(**(values | changes))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trials.jsonl"


class TestKnownValues:
    def test_a_file_that_is_not_there_holds_nothing(self, path: Path) -> None:
        assert TrialLedger(path).read() == []
        assert not path.exists()

    def test_a_line_is_json_with_the_key_of_its_trial(self, path: Path) -> None:
        TrialLedger(path).append([trial()])
        (line,) = path.read_text().splitlines()
        told = json.loads(line)
        assert set(told) == {"key", "results_key", "trial"}
        of_results = told["trial"].pop("results")
        compact = {"sort_keys": True, "separators": (",", ":")}
        written = json.dumps(told["trial"], **compact).encode()
        assert told["key"] == sha256(written).hexdigest()
        assert of_results == {"daily_sharpe": 0.05, "n_days": 600, "signals": 900}

    def test_trials_stand_in_the_order_in_which_they_came(self, path: Path) -> None:
        ledger = TrialLedger(path)
        assert ledger.append([trial("b"), trial("a")]) == 2
        assert ledger.append([trial("c"), trial("a")]) == 1
        assert [found.name for found in ledger.read()] == ["b", "a", "c"]

    def test_other_results_of_a_known_trial_stay_beside_it(self, path: Path) -> None:
        ledger = TrialLedger(path)
        ledger.append([trial(sharpe=0.1)])
        assert ledger.append([trial(sharpe=0.2), trial(sharpe=0.1)]) == 1
        first, second = ledger.read()
        assert first.key == second.key
        assert [t.results.daily_sharpe for t in (first, second)] == [0.1, 0.2]

    def test_a_folder_is_made(self, tmp_path: Path) -> None:
        ledger = TrialLedger(tmp_path / "new" / "trials.jsonl")
        ledger.append([trial()])
        assert ledger.read() == [trial()]


class TestProperties:
    @given(parameters=st.dictionaries(st.text("abcé\n☃", max_size=4), JSON), s=SHARPES)
    @ONE_FOLDER
    def test_what_is_appended_is_read_back(
        self, path: Path, parameters: dict[str, object], s: float
    ) -> None:
        path.unlink(missing_ok=True)
        ledger = TrialLedger(path)
        written = [trial("first"), trial(sharpe=s, parameters=parameters)]
        ledger.append(written)
        assert ledger.read() == written
        assert [t.key for t in ledger.read()] == [t.key for t in written]

    @given(sharpes=st.lists(st.sampled_from([0.0, 0.1, 0.2]), max_size=6))
    @ONE_FOLDER
    def test_appending_again_changes_no_byte(
        self, path: Path, sharpes: list[float]
    ) -> None:
        path.unlink(missing_ok=True)
        ledger = TrialLedger(path)
        trials = [trial(sharpe=sharpe) for sharpe in sharpes]
        assert ledger.append(trials) == len(set(sharpes))
        before = path.read_bytes() if trials else b""
        assert ledger.append(trials) == 0
        assert (path.read_bytes() if trials else b"") == before

    def test_what_stood_there_is_never_changed(self, path: Path) -> None:
        ledger = TrialLedger(path)
        content = b""
        for number in range(5):
            ledger.append([trial(sharpe=number / 10), trial(f"{number}")])
            assert path.read_bytes().startswith(content)
            content = path.read_bytes()
        assert content.count(b"\n") == 10

    def test_a_link_to_the_old_file_keeps_the_old_content(
        self, path: Path, tmp_path: Path
    ) -> None:
        ledger = TrialLedger(path)
        ledger.append([trial("old")])
        cached = tmp_path / "cached"
        os.link(path, cached)
        ledger.append([trial("new")])
        assert [t.name for t in TrialLedger(cached).read()] == ["old"]

    def test_what_a_killed_writer_left_is_overwritten(self, path: Path) -> None:
        ledger = TrialLedger(path)
        ledger.append([trial("a")])
        path.with_name(".trials.jsonl.tmp").write_bytes(b'{"half')
        ledger.append([trial("b")])
        assert [found.name for found in ledger.read()] == ["a", "b"]

    def test_writers_at_the_same_time_lose_nothing(self, path: Path) -> None:
        def write(writer: int) -> None:
            for number in range(6):
                TrialLedger(path).append([trial(f"{writer} {number}")])

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(8)))
        names = [found.name for found in TrialLedger(path).read()]
        assert sorted(names) == sorted(f"{w} {n}" for w in range(8) for n in range(6))


class TestErrors:
    @pytest.fixture
    def content(self, path: Path) -> bytes:
        TrialLedger(path).append([trial("a"), trial("b", parameters={"x": [1, None]})])
        return path.read_bytes()

    def refuses(self, path: Path, content: bytes) -> str:
        path.write_bytes(content)
        with pytest.raises(ValueError, match="restore the file") as caught:
            TrialLedger(path).read()
        with pytest.raises(ValueError, match="restore the file"):
            TrialLedger(path).append([trial("c")])
        assert path.read_bytes() == content
        return str(caught.value)

    def test_a_line_that_was_cut_off(self, path: Path, content: bytes) -> None:
        told = self.refuses(path, content[:-1])
        assert f"{path}, line 2" in told
        assert "cut off" in told

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"daily_sharpe":0.05', b'"daily_sharpe":0.06'),
            (b'"latents":25', b'"latents":26'),
            (b'"latents":25', b'"latents":25.0'),
            (b'"latents":25', b'"latents":24,"latents":25'),
            (b'"latents":25', b'"latents": 25'),
            (b'"n_days":600', b'"n_days":600,"precision":null'),
            (b"\n", b"\r\n"),
        ],
    )
    def test_a_line_that_was_edited(
        self, path: Path, content: bytes, old: bytes, new: bytes
    ) -> None:
        assert old in content
        told = self.refuses(path, content.replace(old, new, 1))
        assert f"{path}, line 1 is no trial" in told
        assert "changed after it was written" in told

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            (b'"latents":25', b'"latents":NaN', "trial.parameters"),
            (b'"n_days":600', b'"n_days":"600"', "trial.results.n_days"),
            (b'"kind":"brain"', b'"kind":"guess"', "trial.kind"),
            (b'"kind":"brain",', b"", "trial.kind"),
            (b'"kind":"brain",', b'"kind":"brain","when":1,', "trial.when"),
            (b'{"key"', b"[" * 100_000 + b'{"key"', "recursion limit"),
            (b'{"key"', b"\xff\xfe", "Invalid JSON"),
            (b'{"key"', b"\x80\x04\x95cos\nsystem\n{", "Invalid JSON"),
        ],
    )
    def test_a_line_that_is_no_trial(
        self, path: Path, content: bytes, old: bytes, new: bytes, reason: str
    ) -> None:
        told = self.refuses(path, content.replace(old, new, 1))
        assert f"{path}, line 1 is no trial" in told
        assert reason in told

    @given(data=st.data())
    @ONE_FOLDER
    def test_no_foreign_byte_passes(
        self, path: Path, content: bytes, data: st.DataObject
    ) -> None:
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, len(content)))
        put = data.draw(st.binary(max_size=20))
        changed = content[:start] + put + content[end:]
        first_line = content[: content.index(b"\n") + 1]
        if changed in (content, first_line, content[len(first_line) :], b""):
            return
        self.refuses(path, changed)

    @given(garbage=st.binary(min_size=1, max_size=200))
    @ONE_FOLDER
    def test_garbage_is_refused(self, path: Path, garbage: bytes) -> None:
        self.refuses(path, garbage)
