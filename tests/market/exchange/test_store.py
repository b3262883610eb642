import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.store import (
    CandleStore,
    no_candles,
    only_writer,
)


@pytest.fixture
def store(tmp_path) -> CandleStore:
    return CandleStore(tmp_path)


def files_in(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


class TestKnownValues:
    def test_what_is_appended_is_read_back_to_the_bit(self, store, stored_at):
        candles = stored_at(range(30)).assign(volume=np.arange(30) / 3)

        counts = store.append("BTCUSDT", candles)

        assert counts == (30, 0)
        pd.testing.assert_frame_equal(store.read("BTCUSDT"), candles)

    def test_months_are_files_of_their_own(self, store, stored_at):
        store.append("BTCUSDT", stored_at(range(24 * 31 - 2, 24 * 31 + 2)))

        assert files_in(store.folder) == {
            "BTCUSDT/2023-01.parquet",
            "BTCUSDT/2023-02.parquet",
        }
        assert store.symbols() == ["BTCUSDT"]

    def test_the_youngest_candle_is_found_whatever_came_last(self, store, stored_at):
        store.append("BTCUSDT", stored_at([800, 801]))
        store.append("BTCUSDT", stored_at([0]))

        assert store.last_open_time("BTCUSDT") == stored_at([801])["timestamp"][0]
        assert store.last_open_time("ETHUSDT") is None

    def test_reading_may_begin_at_a_moment(self, store, stored_at):
        candles = stored_at(range(1000))
        store.append("BTCUSDT", candles)

        found = store.read("BTCUSDT", since=candles["timestamp"][900])

        assert found["timestamp"].tolist() == candles["timestamp"][900:].tolist()

    def test_an_unknown_symbol_has_no_candles(self, store):
        pd.testing.assert_frame_equal(store.read("NOPE"), no_candles())
        assert store.hours("NOPE", 0, 10**6).tolist() == []
        assert store.symbols() == []

    def test_gaps_are_kept_with_their_confirmations(self, store):
        gaps = {10: 2, 11: 2, 12: 1, 20: 2}
        store.write_gaps("BTCUSDT", gaps)

        assert CandleStore(store.folder.parent).gaps("BTCUSDT") == gaps


class TestProperties:
    def test_pages_in_any_order_and_with_overlap_make_one_series(
        self, store, stored_at
    ):
        rng = np.random.default_rng(5)
        truth = stored_at(range(2000))
        for begin in rng.permutation(np.arange(0, 2000, 90)):
            page = truth.iloc[begin : begin + 120].sample(frac=1, random_state=3)
            store.append("BTCUSDT", page)

        pd.testing.assert_frame_equal(store.read("BTCUSDT"), truth)

    def test_a_candle_that_is_there_is_not_written_again(self, store, stored_at):
        store.append("BTCUSDT", stored_at(range(5)))
        path = store.folder / "BTCUSDT/2023-01.parquet"
        before = path.stat()

        assert store.append("BTCUSDT", stored_at(range(5))) == (0, 0)
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (
            before.st_ino,
            before.st_mtime_ns,
        )

    def test_hours_follow_what_another_instance_has_written(self, store, stored_at):
        store.append("BTCUSDT", stored_at(range(3)))
        first = int(stored_at([0])["timestamp"][0].timestamp()) // 3600
        assert len(store.hours("BTCUSDT", first, first + 9)) == 3

        CandleStore(store.folder.parent).append("BTCUSDT", stored_at(range(5)))

        assert len(store.hours("BTCUSDT", first, first + 9)) == 5

    def test_the_same_candles_make_the_same_bytes(self, tmp_path, stored_at):
        stores = [CandleStore(tmp_path / name) for name in "ab"]
        stores[0].append("X", stored_at(range(50)))
        for begin in (20, 0, 30):
            stores[1].append("X", stored_at(range(50)).iloc[begin : begin + 20])

        one, other = ((s.folder / "X/2023-01.parquet").read_bytes() for s in stores)
        assert one == other


class TestRevisions:
    def changed(self, candles):
        return candles.assign(close=candles["close"] + 0.5)

    @pytest.mark.parametrize("rule", ["first_wins", "last_wins"])
    def test_a_candle_told_differently_is_logged_and_resolved(
        self, tmp_path, stored_at, rule
    ):
        store = CandleStore(tmp_path, rule=rule)
        told, again = stored_at(range(4)), self.changed(stored_at([2]))
        store.append("BTCUSDT", told)

        assert store.append("BTCUSDT", again) == (0, 1)

        kept = store.read("BTCUSDT")["close"][2]
        assert (
            kept
            == (told if rule == "first_wins" else again)["close"].iloc[
                2 if rule == "first_wins" else 0
            ]
        )
        (entry,) = store.revisions.read()
        assert entry["symbol"] == "BTCUSDT"
        assert entry["timestamp"] == told["timestamp"][2].isoformat()
        assert entry["rule"] == rule
        assert entry["stored"]["close"] == told["close"][2]
        assert entry["fetched"]["close"] == again["close"][0]

    def test_the_same_revision_is_logged_once(self, store, stored_at):
        store.append("BTCUSDT", stored_at(range(4)))
        counts = [
            store.append("BTCUSDT", self.changed(stored_at([3]))) for _ in range(3)
        ]

        assert [count.revised for count in counts] == [1, 0, 0]
        assert len(store.revisions.read()) == 1

    def test_a_page_that_contradicts_itself_is_a_revision(self, store, stored_at):
        page = pd.concat([stored_at([0, 1]), self.changed(stored_at([1]))])

        assert store.append("BTCUSDT", page) == (2, 1)
        assert (
            store.read("BTCUSDT")["close"].tolist()
            == stored_at([0, 1])["close"].tolist()
        )

    def test_a_line_cut_short_by_a_crash_costs_no_other(self, store, stored_at):
        store.append("BTCUSDT", stored_at(range(4)))
        store.append("BTCUSDT", self.changed(stored_at([1])))
        with store.revisions.path.open("ab") as stream:
            stream.write(b'{"symbol": "BTC')

        store.append("BTCUSDT", self.changed(stored_at([2])))

        hours = [str(entry["timestamp"])[11:13] for entry in store.revisions.read()]
        assert hours == ["01", "02"]


WRITER = """
import sys, time
from pathlib import Path
import pandas as pd
from fleet_kedro.market.exchange.store import CandleStore, only_writer

truth, folder = pd.read_parquet(sys.argv[1]), Path(sys.argv[2])
with only_writer(folder):
    for k in range(0, len(truth), 50):
        CandleStore(folder).append("BTCUSDT", truth.iloc[k : k + 50])
    time.sleep(60)
"""


class TestCrashes:
    def test_a_draft_left_behind_is_neither_read_nor_in_the_way(self, store, stored_at):
        store.append("BTCUSDT", stored_at(range(3)))
        (store.folder / "BTCUSDT/.2023-01.parquet.draft").write_bytes(b"PAR1 half")

        assert len(store.read("BTCUSDT")) == 3
        store.append("BTCUSDT", stored_at(range(6)))
        assert len(store.read("BTCUSDT")) == 6

    def test_a_killed_writer_leaves_whole_pages_and_frees_the_lock(
        self, tmp_path, stored_at
    ):
        truth = stored_at(range(3000))
        truth.to_parquet(tmp_path / "truth.parquet")
        folder = tmp_path / "store"
        store = CandleStore(folder)
        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", WRITER, tmp_path / "truth.parquet", folder]
        ) as writer:
            while writer.poll() is None and len(store.read("BTCUSDT")) < 500:
                time.sleep(0.01)
            writer.kill()

        found = store.read("BTCUSDT")
        assert len(found) >= 500
        pd.testing.assert_frame_equal(found, truth.iloc[: len(found)])
        with only_writer(folder):
            store.append("BTCUSDT", truth)
        pd.testing.assert_frame_equal(store.read("BTCUSDT"), truth)


class TestErrors:
    def test_a_second_writer_is_told_to_wait(self, tmp_path):
        with (
            only_writer(tmp_path / "exchange"),
            pytest.raises(MarketError, match=r"Another ingestion .* exchange/; wait"),
            only_writer(tmp_path / "exchange"),
        ):
            pass

    def test_a_broken_month_is_named_with_what_to_do(self, store, stored_at):
        store.append("BTCUSDT", stored_at(range(3)))
        (store.folder / "BTCUSDT/2023-01.parquet").write_bytes(b"not Parquet")

        with pytest.raises(MarketError, match=r"BTCUSDT/2023-01.parquet .* remove it"):
            store.read("BTCUSDT")
