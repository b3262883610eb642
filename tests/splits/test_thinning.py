"""Rows are drawn evenly: over time, over assets, and without knowing the future."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.splits.thinning import thinned

ASSETS = np.array(["ADA", "AVAX", "BNB", "BTC", "DOGE", "ETH", "LINK", "LTC"], object)


def panel(n_hours: int, n_assets: int) -> np.ndarray:
    """Hour by hour, and within an hour asset by asset."""
    return np.tile(ASSETS[:n_assets], n_hours)


class TestThinned:
    @pytest.mark.parametrize("most_rows", [None, 40, 1_000])
    def test_all_rows_where_they_are_few(self, most_rows: int | None) -> None:
        np.testing.assert_array_equal(thinned(panel(10, 4), most_rows), np.arange(40))

    def test_no_row_of_none(self) -> None:
        assert thinned(panel(0, 4), 10).size == 0

    @given(
        n_assets=st.integers(1, 8),
        n_hours=st.integers(50, 400),
        most_rows=st.integers(20, 3_000),
        seed=st.integers(0, 99),
    )
    def test_every_asset_keeps_its_share_evenly_over_its_time(
        self, n_assets: int, n_hours: int, most_rows: int, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        is_there = rng.random(n_hours * n_assets) < rng.uniform(0.3, 1.0)
        asset = panel(n_hours, n_assets)[is_there]
        kept = thinned(asset, most_rows)
        share = min(1.0, most_rows / max(len(asset), 1))
        assert abs(len(kept) - share * len(asset)) <= n_assets
        assert (np.diff(kept) > 0).all()
        for name in np.unique(asset):
            own = np.flatnonzero(asset == name)
            places = np.searchsorted(own, kept[asset[kept] == name])
            gaps = np.diff(places)
            assert set(gaps) <= {int(1 / share), int(np.ceil(1 / share - 1e-9))}

    @pytest.mark.parametrize("step", [2, 4, 8, 16])
    def test_assets_take_turns_where_a_common_step_would_leave_some_out(
        self, step: int
    ) -> None:
        # Every 16th row of a panel of eight assets would always be the same asset's.
        asset = panel(1_600, 8)
        kept = thinned(asset, len(asset) // step)
        assert set(asset[kept]) == set(ASSETS)
        told = np.bincount(kept // 8, minlength=1_600)
        assert told.max() - told.min() <= 1

    def test_rows_of_other_assets_do_not_move_those_of_one(self) -> None:
        """Only their number counts: who stands where in an hour does not."""
        asset = panel(300, 6)
        order = np.random.default_rng(0).permuted(
            np.arange(1_800).reshape(300, 6), axis=1
        )
        kept = thinned(asset, 500)
        shuffled = order.ravel()[thinned(asset[order.ravel()], 500)]
        np.testing.assert_array_equal(np.sort(shuffled), kept)
