import numpy as np
import pytest
from scipy.special import expit, logit

from fleet_kedro.models.calibration import PlattCalibrator


class TestKnownValues:
    def test_recovers_a_known_distortion(self) -> None:
        rng = np.random.default_rng(0)
        truth = expit(rng.normal(size=40_000))
        positive = rng.random(40_000) < truth
        distorted = expit(0.7 + 2.5 * logit(truth))
        calibrated = PlattCalibrator().fit(distorted, positive).predict(distorted)
        assert np.abs(calibrated - truth).max() < 0.02

    def test_a_forecaster_without_skill_ends_at_the_base_rate(self) -> None:
        rng = np.random.default_rng(1)
        boast = np.where(rng.random(20_000) < 0.5, 0.999, 0.001)
        positive = rng.random(20_000) < 0.3
        calibrated = PlattCalibrator().fit(boast, positive).predict(boast)
        np.testing.assert_allclose(calibrated, positive.mean(), atol=0.02)

    def test_a_forecaster_that_is_always_wrong_is_not_turned_round(self) -> None:
        positive = np.arange(1000) % 2 == 0
        wrong = np.where(positive, 0.1, 0.9)
        calibrator = PlattCalibrator().fit(wrong, positive)
        assert calibrator.slope_ == 1e-3
        np.testing.assert_allclose(calibrator.predict(wrong), 0.5, atol=2e-3)


class TestProperties:
    @pytest.mark.parametrize("outcome", [True, False])
    def test_one_outcome_only_stays_finite(self, outcome: bool) -> None:
        probability = np.linspace(0, 1, 50)
        calibrator = PlattCalibrator().fit(probability, np.full(50, outcome))
        calibrated = calibrator.predict(probability)
        assert np.isfinite(calibrated).all()
        assert (np.abs(calibrated - outcome) < 0.1).all()
