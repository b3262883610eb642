"""Bounding and z-scores: equal to numpy, additive, and fitted where told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.features.scaling import CHUNK_ROWS, ScalingSums, ZScore, bound


def rows(n_rows: int, seed: int = 0) -> np.ndarray:
    """Columns at level 0, at level 3, and at level 1000 with a spread of 0.1."""
    noise = np.random.default_rng(seed).normal(size=(n_rows, 3))
    return noise * [1.0, 2.0, 0.1] + [0.0, 3.0, 1000.0]


def assert_same_sums(left: ScalingSums, right: ScalingSums) -> None:
    np.testing.assert_array_equal(left.count, right.count)
    np.testing.assert_allclose(left.mean, right.mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        left.squared_deviation, right.squared_deviation, rtol=1e-10, atol=1e-12
    )


class TestBound:
    def test_known_values(self):
        bounded = bound(np.array([0.0, 1.0, -1.0, 1e6, np.nan]))

        # asinh(1) = log(1 + sqrt(2)); asinh(x) tends to log(2 x).
        expected = [0.0, np.log(1 + np.sqrt(2)), -np.log(1 + np.sqrt(2)), np.log(2e6)]
        np.testing.assert_allclose(bounded[:4], expected, rtol=1e-12)
        assert np.isnan(bounded[4])

    def test_is_linear_within_a_small_part_of_the_unit(self):
        assert bound(np.array([0.01]), unit=100.0)[0] == pytest.approx(1e-4, rel=1e-8)

    @given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=50))
    def test_keeps_the_order_and_the_sign(self, values):
        ordered = np.sort(np.array(values))

        bounded = bound(ordered)

        assert (np.diff(bounded) >= 0).all()
        np.testing.assert_array_equal(np.sign(bounded), np.sign(ordered))

    def test_keeps_the_precision_and_the_shape_of_its_input(self):
        bounded = bound(np.ones((2, 3, 4), dtype=np.float32), unit=2.0)

        assert bounded.dtype == np.float32
        assert bounded.shape == (2, 3, 4)


class TestScalingSums:
    def test_equal_numpy_across_chunks(self):
        values = rows(2 * CHUNK_ROWS + 17)

        sums = ScalingSums.from_rows(values)

        np.testing.assert_array_equal(sums.count, values.shape[0])
        np.testing.assert_allclose(sums.sum, values.sum(axis=0), rtol=1e-12)
        np.testing.assert_allclose(sums.square_sum, (values**2).sum(axis=0), rtol=1e-12)
        np.testing.assert_allclose(
            sums.squared_deviation / values.shape[0], values.var(axis=0), rtol=1e-11
        )

    @given(n_rows=st.integers(0, 60), cut=st.integers(0, 60))
    def test_blocks_add_up_in_any_order(self, n_rows, cut):
        values = rows(n_rows)
        first = ScalingSums.from_rows(values[:cut])
        second = ScalingSums.from_rows(values[cut:])

        assert_same_sums(first + second, ScalingSums.from_rows(values))
        assert_same_sums(second + first, first + second)

    def test_nothing_is_neutral(self):
        sums = ScalingSums.from_rows(rows(10))

        assert_same_sums(ScalingSums.of_nothing(3) + sums, sums)
        assert_same_sums(sums + ScalingSums.of_nothing(3), sums)

    def test_values_that_are_not_finite_are_left_out(self):
        values = rows(50)
        values[::7, 0] = np.nan
        values[5, 1] = np.inf

        sums = ScalingSums.from_rows(values)

        kept = [column[np.isfinite(column)] for column in values.T]
        np.testing.assert_array_equal(sums.count, [column.size for column in kept])
        np.testing.assert_allclose(sums.mean, [c.mean() for c in kept], rtol=1e-12)
        np.testing.assert_allclose(
            sums.squared_deviation / sums.count, [c.var() for c in kept], rtol=1e-12
        )

    def test_single_precision_rows_are_summed_in_double(self):
        values = rows(20_000).astype(np.float32)

        sums = ScalingSums.from_rows(values)

        expected = values.astype(np.float64).std(axis=0)
        np.testing.assert_allclose(
            np.sqrt(sums.squared_deviation / sums.count), expected, rtol=1e-11
        )


class TestZScore:
    def test_training_rows_have_mean_zero_and_deviation_one(self):
        values = rows(500)

        scaled = ZScore.from_sums(ScalingSums.from_rows(values)).transform(values)

        np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-9)
        np.testing.assert_allclose(scaled.std(axis=0), 1.0, rtol=1e-9)

    def test_later_rows_meet_the_statistics_of_the_training_rows(self):
        values = rows(500)
        train, later = values[:300], values[300:] * 5.0

        scaled = ZScore.from_sums(ScalingSums.from_rows(train)).transform(later)

        np.testing.assert_allclose(
            scaled, (later - train.mean(axis=0)) / train.std(axis=0), rtol=1e-9
        )

    def test_flags_pass_as_they_are(self):
        values = np.column_stack([np.tile([0.0, 1.0], 50), rows(100)[:, 0]])
        is_flag = np.array([True, False])

        z_score = ZScore.from_sums(ScalingSums.from_rows(values), is_flag)

        assert (z_score.mean[0], z_score.scale[0]) == (0.0, 1.0)
        assert z_score.scale[1] == pytest.approx(values[:, 1].std())
        np.testing.assert_array_equal(z_score.transform(values)[:, 0], values[:, 0])

    @pytest.mark.parametrize("constant", [0.0, 0.1, -12345.678])
    def test_a_constant_column_becomes_zero(self, constant):
        values = np.full((10_000, 1), constant, dtype=np.float32)

        z_score = ZScore.from_sums(ScalingSums.from_rows(values))

        assert z_score.scale[0] == 1.0
        assert np.abs(z_score.transform(values)).max() <= 1e-7 * abs(constant)

    def test_a_spread_that_is_single_precision_rounding_is_none(self):
        nearest = np.nextafter(np.float32(1000), np.float32(2000))
        values = np.tile(np.array([[1000], [nearest]], dtype=np.float32), (50, 1))

        z_score = ZScore.from_sums(ScalingSums.from_rows(values))

        assert z_score.scale[0] == 1.0

    def test_a_column_without_values_passes(self):
        z_score = ZScore.from_sums(ScalingSums.from_rows(np.full((5, 1), np.nan)))

        assert (z_score.mean[0], z_score.scale[0]) == (0.0, 1.0)

    def test_unknown_values_stay_unknown_and_the_precision_is_kept(self):
        values = rows(20).astype(np.float32)
        z_score = ZScore.from_sums(ScalingSums.from_rows(values))
        values[3, 1] = np.nan

        scaled = z_score.transform(values)

        assert scaled.dtype == np.float32
        assert np.argwhere(np.isnan(scaled)).tolist() == [[3, 1]]

    def test_an_expanding_window_equals_a_fresh_fit(self):
        values = rows(900)
        ends = [300, 600, 900]
        sums = ScalingSums.of_nothing(3)

        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            sums = sums + ScalingSums.from_rows(values[start:end])
            fitted = ZScore.from_sums(sums)

            np.testing.assert_allclose(
                fitted.mean, values[:end].mean(axis=0), rtol=1e-12, atol=1e-12
            )
            np.testing.assert_allclose(
                fitted.scale, values[:end].std(axis=0), rtol=1e-10
            )
