"""Energy and sample weight: training statistics only, always in range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fleet_kedro.features.energy import (
    EnergyScale,
    energy,
    fit_energy,
    sample_weight,
)

UNIT = EnergyScale(
    volume_mean=100.0,
    volume_deviation=10.0,
    move_mean=0.01,
    move_deviation=0.005,
    quiet=0.0,
    loud=4.0,
)
values = st.floats(0, 1e6)


class TestKnownValues:
    def test_fit_finds_mean_deviation_and_range(self):
        # z-scores: volume -1, 1, -1, 1; move -1, -1, 1, 1; products 0, 0, 0, 1.
        volume = np.array([90.0, 110.0, 90.0, 110.0])
        move = np.array([0.01, 0.01, 0.03, 0.03])

        scale = fit_energy(volume, move)

        assert scale.volume_mean == 100.0
        assert scale.volume_deviation == 10.0
        assert scale.move_mean == pytest.approx(0.02)
        assert scale.move_deviation == pytest.approx(0.01)
        assert (scale.quiet, scale.loud) == (0.0, pytest.approx(1.0))

    def test_product_of_clipped_scores_over_its_range(self):
        volume = np.array([120.0, 110.0, 80.0, 120.0])
        move = np.array([0.02, 0.02, 0.02, 0.0])

        # 2 x 2 / 4; 1 x 2 / 4; 0 x 2; 2 x 0.
        np.testing.assert_allclose(energy(volume, move, UNIT), [1.0, 0.5, 0.0, 0.0])

    def test_a_score_counts_up_to_five(self):
        scale = EnergyScale(100.0, 10.0, 0.01, 0.005, quiet=0.0, loud=25.0)

        loudest = energy(np.array([1e9]), np.array([0.015]), scale)

        np.testing.assert_allclose(loudest, [5 * 1 / 25])

    def test_louder_than_any_training_row_is_one(self):
        assert energy(np.array([1e9]), np.array([1.0]), UNIT)[0] == 1.0

    def test_weight_doubles_with_energy_and_vanishes_in_chaos(self):
        weight = sample_weight(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.0, 1.0]))

        np.testing.assert_array_equal(weight, [1.0, 1.5, 0.0])


class TestAgainstSlowReference:
    def test_every_row_equals_the_definition(self):
        rng = np.random.default_rng(0)
        volume, move = rng.lognormal(5, 1, 500), np.abs(rng.standard_t(3, 500)) / 100
        train = slice(0, 300)

        result = energy(volume, move, fit_energy(volume[train], move[train]))

        z_volume = (volume - volume[train].mean()) / volume[train].std()
        z_move = (move - move[train].mean()) / move[train].std()
        product = np.clip(z_volume, 0, 5) * np.clip(z_move, 0, 5)
        low, high = product[train].min(), product[train].max()
        np.testing.assert_allclose(
            result, np.clip((product - low) / (high - low), 0, 1), rtol=1e-12
        )


class TestProperties:
    @given(
        volume=arrays(float, 20, elements=values),
        move=arrays(float, 20, elements=values),
    )
    def test_always_between_zero_and_one(self, volume, move):
        result = energy(volume, move, fit_energy(volume[:10], move[:10]))

        assert ((result >= 0) & (result <= 1)).all()

    def test_training_rows_reach_both_ends(self):
        rng = np.random.default_rng(1)
        volume, move = rng.lognormal(size=200), np.abs(rng.normal(size=200))

        result = energy(volume, move, fit_energy(volume, move))

        assert (result.min(), result.max()) == (0.0, 1.0)

    @given(factor=st.floats(1e-3, 1e3))
    def test_the_unit_of_volume_does_not_matter(self, factor):
        rng = np.random.default_rng(2)
        volume, move = rng.lognormal(size=100), np.abs(rng.normal(size=100))

        scaled = energy(factor * volume, move, fit_energy(factor * volume, move))

        expected = energy(volume, move, fit_energy(volume, move))
        np.testing.assert_allclose(scaled, expected, atol=1e-10)

    def test_unknown_rows_are_left_out_of_the_fit_and_stay_unknown(self):
        volume = np.array([1.0, 2.0, 3.0, np.nan, 9.0])
        move = np.array([0.1, 0.2, 0.3, 0.4, np.nan])

        scale = fit_energy(volume, move)

        assert scale == fit_energy(volume[:3], move[:3])
        np.testing.assert_array_equal(
            np.isnan(energy(volume, move, scale)), [False, False, False, True, True]
        )

    @pytest.mark.parametrize("constant", [0.0, 0.1])
    def test_a_constant_input_has_no_energy(self, constant):
        volume, move = np.full(10, constant), np.linspace(0, 1, 10)

        assert (energy(volume, move, fit_energy(volume, move)) == 0.0).all()

    def test_an_unknown_row_weighs_nothing(self):
        weight = sample_weight(np.array([np.nan, 0.5]), np.array([0.0, np.nan]))

        np.testing.assert_array_equal(weight, [0.0, 0.0])


class TestErrors:
    def test_no_complete_row(self):
        with pytest.raises(ValueError, match="none of 2 training rows"):
            fit_energy(np.array([1.0, np.nan]), np.array([np.nan, 1.0]))
