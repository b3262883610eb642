"""Moments of lagged rows against the lagged rows themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from fleet_kedro.refine.lagged_gram import lagged_gram
from fleet_kedro.refine.moments import LinkMoments, Moments
from fleet_kedro.refine.panel_moments import (
    AssetRows,
    asset_link_moments,
    asset_moments,
)

LAGS = (0, 1, 2, 3, 5, 8)
N_BLOCKS = 3


def lagged(signals, rows, lags=LAGS):
    """The lagged rows, written out: the definition."""
    return np.hstack([signals[rows - lag] for lag in lags])


def complete(segment, lags=LAGS):
    """Rows whose longest lag lies in their own segment."""
    bars = np.arange(len(segment))
    return np.array(
        [t >= max(lags) and segment[t] == segment[t - max(lags)] for t in bars]
    )


def asset(n_bars=240, n_signals=4, seed=3):
    """Three segments, a fifth of the rows unused in runs, NaN where no row looks."""
    rng = np.random.default_rng(seed)
    walk = rng.standard_normal((n_bars, n_signals)).cumsum(axis=0)
    signals = (walk + np.array([0.0, 10.0, -40.0, 3.0])[:n_signals]).astype(np.float32)
    segment = np.searchsorted([n_bars // 4, n_bars // 2], np.arange(n_bars), "right")
    is_used = complete(segment)
    for start in rng.integers(0, n_bars, n_bars // 30):
        is_used[start : start + 6] = False
    label = np.where(is_used, rng.standard_normal(n_bars), np.nan)
    signals[:3] = np.nan
    is_used[: 3 + max(LAGS)] = False
    return AssetRows(signals, segment, is_used, label)


def blocks(n_bars):
    """Three blocks, and a stretch at the end that belongs to none."""
    block = np.arange(n_bars) * 4 // n_bars
    return np.where(block < N_BLOCKS, block, -1)


def reference(rows, block_of_row, block, kind):
    """The sums over lagged rows that were built in full, in float64."""
    at = np.flatnonzero(rows.is_used & (block_of_row == block))
    return kind.of(lagged(rows.signals.astype(np.float64), at), rows.label[at])


def assert_close(actual, expected, tolerance):
    """Same counts, and sums that differ by ``tolerance`` of the largest at most."""
    assert actual.row_count == expected.row_count
    assert actual.label_sum == pytest.approx(expected.label_sum, abs=1e-9)
    for name in ("feature_sum", "feature_label_sum", "feature_gram"):
        if hasattr(expected, name):
            value = getattr(expected, name)
            atol = tolerance * max(1.0, np.abs(value).max())
            np.testing.assert_allclose(getattr(actual, name), value, atol=atol, rtol=0)


class TestAgainstSlowReference:
    def test_moments_equal_those_of_lagged_rows(self):
        rows = asset()
        block_of_row = blocks(len(rows.label))
        moments = asset_moments(rows, block_of_row, N_BLOCKS, LAGS)
        assert all(part.row_count > 20 for part in moments)
        for block, part in enumerate(moments):
            assert_close(part, reference(rows, block_of_row, block, Moments), 1e-6)

    def test_link_moments_equal_those_of_lagged_rows(self):
        rows = asset()
        block_of_row = blocks(len(rows.label))
        moments = asset_link_moments(rows, block_of_row, N_BLOCKS, LAGS)
        assert all(part.row_count > 20 for part in moments)
        for block, part in enumerate(moments):
            assert_close(part, reference(rows, block_of_row, block, LinkMoments), 1e-12)

    @given(
        mask=st.lists(st.booleans(), min_size=12, max_size=60),
        lags=st.sets(st.integers(0, 7), min_size=1, max_size=4).map(sorted),
    )
    @settings(max_examples=60, deadline=None)
    def test_shared_products_equal_direct_ones_for_any_mask(self, mask, lags):
        is_used = np.array(mask)
        is_used[: max(lags)] = False
        rng = np.random.default_rng(1)
        signals = rng.integers(-9, 10, (len(mask), 3)).astype(np.float32)
        rows = lagged(signals.astype(np.float64), np.flatnonzero(is_used), lags)
        # Small whole numbers: float32 products are exact, so equality is too.
        np.testing.assert_array_equal(
            lagged_gram(signals, is_used, lags), rows.T @ rows
        )

    def test_more_rows_than_one_chunk(self):
        rows = asset(n_bars=5_000)
        whole = np.zeros(5_000, dtype=int)
        (moments,) = asset_moments(rows, whole, 1, LAGS)
        assert_close(moments, reference(rows, whole, 0, Moments), 1e-6)


class TestProperties:
    def test_a_gram_is_exactly_symmetric(self):
        rows = asset()
        for part in asset_moments(rows, blocks(240), N_BLOCKS, LAGS):
            np.testing.assert_array_equal(part.feature_gram, part.feature_gram.T)

    @pytest.mark.parametrize("compute", [asset_moments, asset_link_moments])
    def test_what_follows_a_block_changes_no_byte_of_it(self, compute):
        rows = asset()
        block_of_row = blocks(240)
        end = int(np.flatnonzero(block_of_row == 1)[-1]) + 1
        signals, label = rows.signals.copy(), rows.label.copy()
        signals[end:] *= -1e3
        label[end:] *= 7.0
        perturbed = AssetRows(signals, rows.segment, rows.is_used, label)
        truncated = AssetRows(*(getattr(rows, n)[:end] for n in vars(rows)))
        expected = compute(rows, block_of_row, N_BLOCKS, LAGS)[:2]
        for other, of_row in (
            (perturbed, block_of_row),
            (truncated, block_of_row[:end]),
        ):
            for part, known in zip(
                compute(other, of_row, N_BLOCKS, LAGS)[:2], expected, strict=True
            ):
                assert part.feature_sum.tobytes() == known.feature_sum.tobytes()
                assert part.feature_label_sum.tobytes() == (
                    known.feature_label_sum.tobytes()
                )
                if compute is asset_moments:
                    assert part.feature_gram.tobytes() == known.feature_gram.tobytes()

    def test_bars_that_no_row_looks_back_on_change_no_byte(self):
        rows = asset()
        used = np.flatnonzero(rows.is_used)
        is_needed = np.zeros(240, dtype=bool)
        for lag in LAGS:
            is_needed[used - lag] = True
        assert not is_needed.all()
        signals = np.where(is_needed[:, None], rows.signals, np.float32(1e30))
        other = AssetRows(signals, rows.segment, rows.is_used, rows.label)
        for part, known in zip(
            asset_moments(other, blocks(240), N_BLOCKS, LAGS),
            asset_moments(rows, blocks(240), N_BLOCKS, LAGS),
            strict=True,
        ):
            assert part.feature_gram.tobytes() == known.feature_gram.tobytes()

    def test_blocks_add_up_to_one_block(self):
        rows = asset()
        parts = asset_moments(rows, blocks(240), N_BLOCKS, LAGS)
        as_one = np.where(blocks(240) < 0, -1, 0)
        (whole,) = asset_moments(rows, as_one, 1, LAGS)
        assert_close(parts[0] + parts[1] + parts[2], whole, 1e-6)

    def test_threads_change_no_byte(self):
        rows = asset(n_bars=5_000)
        results = []
        for n_threads in (1, 2):
            with threadpool_limits(n_threads, user_api="blas"):
                results.append(asset_moments(rows, blocks(5_000), N_BLOCKS, LAGS))
        for one, two in zip(*results, strict=True):
            assert one.feature_gram.tobytes() == two.feature_gram.tobytes()
            assert one.feature_label_sum.tobytes() == two.feature_label_sum.tobytes()

    def test_a_block_without_rows_is_zero(self):
        rows = asset()
        moments = asset_moments(rows, np.full(240, 1), N_BLOCKS, LAGS)
        assert [part.row_count > 0 for part in moments] == [False, True, False]
        assert not moments[0].feature_gram.any()
        assert moments[0].feature_gram.shape == (24, 24)


class TestErrors:
    def test_a_used_row_whose_lag_leaves_the_segment_is_refused(self):
        rows = asset()
        border = int(np.flatnonzero(np.diff(rows.segment))[0]) + 1
        is_used = rows.is_used.copy()
        is_used[border + 7] = True
        label = np.nan_to_num(rows.label)
        wrong = AssetRows(rows.signals, rows.segment, is_used, label)
        with pytest.raises(ValueError, match=f"Row {border + 7} is marked as used"):
            asset_moments(wrong, blocks(240), N_BLOCKS, LAGS)

    def test_a_used_row_with_a_missing_signal_or_label_is_refused(self):
        rows = asset()
        row = int(np.flatnonzero(rows.is_used)[50])
        signals, label = rows.signals.copy(), rows.label.copy()
        signals[row - 5, 2] = np.nan
        label[row] = np.nan
        for wrong in (
            AssetRows(signals, rows.segment, rows.is_used, rows.label),
            AssetRows(rows.signals, rows.segment, rows.is_used, label),
        ):
            with pytest.raises(ValueError, match="is marked as used, but its label or"):
                asset_link_moments(wrong, blocks(240), N_BLOCKS, LAGS)

    @pytest.mark.parametrize("lags", [(1, 0), (0, 0, 1), (-1, 0)])
    def test_lags_must_increase_and_look_back(self, lags):
        with pytest.raises(ValueError, match="increasing and not negative"):
            asset_moments(asset(), blocks(240), N_BLOCKS, lags)
