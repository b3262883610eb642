import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from fleet_kedro.models.mixture import (
    PHYSICS_COLUMNS,
    MixtureOfExpertsEnsemble,
    PastForecasts,
)


class Memoriser(ClassifierMixin, BaseEstimator):
    """Knows every training row by heart, and guesses boldly about any other."""

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray
    ) -> "Memoriser":
        assert (sample_weight == 1).all()
        self.classes_ = np.array([False, True])
        rows = zip(X, y, strict=True)
        self.known_ = {row.tobytes(): bool(label) for row, label in rows}
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        said = [self.known_.get(row.tobytes(), row[1] > 0) for row in X]
        positive = np.where(said, 0.999, 0.001)
        return np.column_stack([1 - positive, positive])


def market(
    rows: int = 6000, seed: int = 0
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Rows whose label depends on one latent, with idle physics."""
    rng = np.random.default_rng(seed)
    latents = rng.normal(size=(rows, 3)).astype(np.float32)
    physics = rng.normal(size=(rows, 6)).astype(np.float32)
    physics[:, 5] = rng.random(rows) < 0.1
    frame = pd.DataFrame(
        np.hstack([latents, physics]),
        columns=[*(f"latent_{i:02d}" for i in range(3)), *PHYSICS_COLUMNS],
    )
    positive = rng.random(rows) < 1 / (1 + np.exp(-1.2 * latents[:, 0]))
    return frame, positive, rng.choice(["BTC", "ETH"], size=rows)


def ensemble(**experts: object) -> MixtureOfExpertsEnsemble:
    return MixtureOfExpertsEnsemble(
        experts=experts, columns=dict.fromkeys(experts, ("latent_",)), purge_rows=26
    )


class TestKnownValues:
    def test_the_gate_does_not_prefer_an_expert_that_memorises(self) -> None:
        X, y, asset = market()
        brain = ensemble(honest=LogisticRegression(), memoriser=Memoriser())
        brain.fit(X, y, asset=asset)
        in_sample = brain.expert_probability(X, asset)
        assert ((in_sample[:, 1] > 0.5) == y).all()

        fresh, fresh_y, fresh_asset = market(seed=1)
        forecast = brain.forecast(fresh, fresh_asset)
        honest, memoriser = forecast.gate_weights.mean(axis=0)
        assert honest > 2 * memoriser
        np.testing.assert_allclose(
            forecast.expert_probability[:, 1], fresh_y.mean(), atol=0.05
        )

    def test_judged_in_sample_the_memoriser_would_win(self) -> None:
        X, y, asset = market()
        brain = ensemble(honest=LogisticRegression(), memoriser=Memoriser())
        brain.fit(X, y, asset=asset)
        leak = PastForecasts(
            brain.expert_probability(X, asset),
            X.loc[:, list(PHYSICS_COLUMNS)].to_numpy(),
            asset,
            y,
        )
        brain.fit(X, y, asset=asset, past=leak)
        assert brain.forecast(X, asset).gate_weights[:, 1].mean() > 0.9

    def test_one_expert_alone_is_that_expert_calibrated(self) -> None:
        X, y, asset = market()
        brain = ensemble(only=LogisticRegression()).fit(X, y, asset=asset)
        forecast = brain.forecast(X, asset)
        order = np.argsort(forecast.expert_probability[:, 0])
        assert (np.diff(forecast.probability[order]) >= -1e-12).all()
        assert abs(forecast.probability.mean() - y.mean()) < 0.03

    def test_a_relative_expert_learns_from_the_fleet_and_its_judges_do_not(
        self,
    ) -> None:
        X, y, asset = market()
        brain = ensemble(own=LogisticRegression(), relative=LogisticRegression())
        brain.set_params(relative_experts=("relative",))
        brain.fit(X, y, asset=asset, relative=~y)
        said = brain.expert_probability(X, asset)
        np.testing.assert_allclose(said.sum(axis=1), 1.0, atol=1e-3)
        # Judged by how trades came out, the opposite is worth no more than their mean.
        calibrated = brain.forecast(X, asset).expert_probability
        assert calibrated[:, 0].std() > 0.15
        np.testing.assert_allclose(calibrated[:, 1], y.mean(), atol=0.03)

    def test_without_relative_outcomes_all_learn_the_same(self) -> None:
        X, y, asset = market(2000)
        brain = ensemble(own=LogisticRegression(), relative=LogisticRegression())
        brain.set_params(relative_experts=("relative",))
        brain.fit(X, y, asset=asset)
        np.testing.assert_array_equal(*brain.expert_probability(X, asset).T)


class TestProperties:
    def test_rows_of_weight_zero_teach_the_experts_nothing(self) -> None:
        X, y, asset = market(2000)
        weight = np.ones(2000)
        weight[::2] = 0.0
        flipped = np.where(weight == 0, ~y, y)
        past = PastForecasts(
            np.full((50, 1), 0.5),
            X.loc[:49, list(PHYSICS_COLUMNS)].to_numpy(),
            asset[:50],
            y[:50],
        )
        fitted = [
            ensemble(only=LogisticRegression())
            .fit(X, labels, weight, asset=asset, past=past)
            .expert_probability(X, asset)
            for labels in (y, flipped)
        ]
        np.testing.assert_allclose(fitted[0], fitted[1], atol=1e-4)

    def test_an_unknown_asset_is_forecast_by_the_physics_alone(self) -> None:
        X, y, asset = market(2000)
        brain = ensemble(a=LogisticRegression(), b=LogisticRegression(C=0.01))
        brain.fit(X, y, asset=asset)
        strangers = np.full(2000, "PEPE")
        probability = brain.forecast(X, strangers).probability
        assert np.isfinite(probability).all()
        assert ((probability > 0) & (probability < 1)).all()

    def test_the_interval_holds_most_of_the_forecasts(self) -> None:
        X, y, asset = market()
        brain = ensemble(only=LogisticRegression()).fit(X, y, asset=asset)
        forecast = brain.forecast(X, asset)
        assert (forecast.low <= forecast.high).all()
        inside = (forecast.low - 0.05 < forecast.probability) & (
            forecast.probability < forecast.high + 0.05
        )
        assert inside.mean() > 0.8

    def test_an_expert_that_asks_for_the_code_can_tell_assets_apart(self) -> None:
        X, _, asset = market()
        y = asset == "BTC"
        gaps = {}
        for kind in ("off", "one_hot", "learned"):
            brain = MixtureOfExpertsEnsemble(
                experts={"only": LogisticRegression()},
                columns={"only": ("latent_", "asset_")},
                use_asset_embedding=kind,
                purge_rows=26,
            ).fit(X, y, asset=asset)
            probability = brain.forecast(X, asset).probability
            gaps[kind] = probability[y].mean() - probability[~y].mean()
        assert gaps["off"] < 0.1
        assert min(gaps["one_hot"], gaps["learned"]) > 0.9


class TestErrors:
    def test_too_few_rows_for_a_holdout(self) -> None:
        X, y, asset = market(30)
        with pytest.raises(ValueError, match="30 rows leave none to fit"):
            ensemble(only=LogisticRegression()).fit(X, y, asset=asset)
