import numpy as np
import pytest

from fleet_kedro.market.exchange.fill import missing_hours, read_page
from fleet_kedro.market.exchange.hours import (
    MILLISECONDS,
    hour_of,
    hours_of,
    moment_of,
    runs,
)
from fleet_kedro.market.exchange.store import CandleStore


def row(hour, close=2.0):
    return [hour * MILLISECONDS, 1.0, 3.0, 0.5, close, 7.0]


class TestReadPage:
    def test_rows_become_candles_in_order(self):
        page = read_page([row(12), row(10), row(11)], 0, 100)

        assert hours_of(page["timestamp"]).tolist() == [10, 11, 12]
        assert page.iloc[0, 1:].tolist() == [1.0, 3.0, 0.5, 2.0, 7.0]

    def test_what_was_not_asked_for_is_not_taken(self):
        """The unfinished candle opens after the last hour that is wanted."""
        page = read_page([row(h) for h in range(20)], 5, 10)
        assert hours_of(page["timestamp"]).tolist() == [5, 6, 7, 8, 9, 10]

    def test_a_row_that_lacks_a_number_is_not_received(self):
        nan, inf = float("nan"), float("inf")
        spoilt = [row(1, None), row(2, nan), row(3, inf), row(4)[:5], []]
        assert hours_of(read_page([*spoilt, row(5)], 0, 9)["timestamp"]).tolist() == [5]

    def test_contradicting_rows_are_left_to_the_store(self):
        page = read_page([row(1, 2.0), row(1, 2.5)], 0, 9)
        assert page["close"].tolist() == [2.0, 2.5]

    def test_an_empty_answer_is_an_empty_page(self):
        assert len(read_page([], 0, 9)) == 0


class TestMissingHours:
    @pytest.fixture
    def store(self, tmp_path, stored_at) -> CandleStore:
        store = CandleStore(tmp_path)
        store.append("X", stored_at([0, 1, 2, 6, 7]))
        return store

    def test_stored_hours_and_confirmed_gaps_are_not_missing(self, store, origin):
        first = hour_of(origin)
        store.write_gaps("X", {first + 3: 2, first + 4: 1})

        found = missing_hours(store, "X", first, first + 9, confirmations=2)

        assert (found - first).tolist() == [4, 5, 8, 9]

    def test_an_empty_store_misses_all(self, store):
        assert missing_hours(store, "Y", 5, 8, confirmations=2).tolist() == [5, 6, 7, 8]


class TestHours:
    def test_moments_and_hours_are_one_thing(self, origin):
        assert moment_of(hour_of(origin)) == origin
        assert moment_of(0).isoformat() == "1970-01-01T00:00:00+00:00"

    def test_runs_are_unbroken(self):
        assert runs(np.array([1, 2, 3, 7, 9, 10])) == [(1, 3), (7, 7), (9, 10)]
        assert runs(np.empty(0, np.int64)) == []
