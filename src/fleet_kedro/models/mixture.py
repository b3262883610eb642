r"""One brain out of several experts: a gated mixture, trained without self-deception.

For a row with expert inputs ``x``, physics ``z`` and asset ``a``,

.. math:: p(x, z, a) = \sigma_{mix}\Big(\sum_e g_e(z, a)\, c_e(f_e(x))\Big)

with experts ``f_e``, their calibration ``c_e``, gate weights ``g_e`` and a calibration
of the whole (Jacobs et al., 1991, for the mixture). Experts learn from all training
rows. Whatever *judges* them, ``c_e``, ``g_e`` and the last calibration, learns from
forecasts of the past that were made out of sample, so an expert that memorises its
training rows gains nothing by it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from fleet_kedro.models.batches import in_equal_batches
from fleet_kedro.models.calibration import PlattCalibrator
from fleet_kedro.models.embedding import AssetEmbedding, EmbeddingKind
from fleet_kedro.models.gate import GatingNetwork
from fleet_kedro.models.venn_abers import VennAbers

PHYSICS_COLUMNS = (
    "physics_hurst",
    "physics_entropy",
    "physics_fdi",
    "physics_theta",
    "physics_acf",
    "physics_stability_warning",
)
_FLAGS = (PHYSICS_COLUMNS.index("physics_stability_warning"),)
_LATENTS = ("latent_",)
ASSET_CODE = "asset_"
"""The prefix by which an expert asks for the asset's code, beside columns of ``X``."""


class PastForecasts(NamedTuple):
    """What the experts said about rows none of them was trained on, and the outcome."""

    expert_probability: Float[np.ndarray, "rows experts"]
    physics: Float[np.ndarray, "rows 6"]
    asset: Shaped[np.ndarray, " rows"]
    is_positive: Bool[np.ndarray, " rows"]


class MixtureForecast(NamedTuple):
    """The calibrated forecast, its Venn-Abers interval, and how it came about."""

    probability: Float[np.ndarray, " rows"]
    low: Float[np.ndarray, " rows"]
    high: Float[np.ndarray, " rows"]
    gate_weights: Float[np.ndarray, "rows experts"]
    expert_probability: Float[np.ndarray, "rows experts"]


class MixtureOfExpertsEnsemble(ClassifierMixin, BaseEstimator):
    """Several experts, a gate that knows the physics and the asset, one probability.

    It is no plain scikit-learn classifier: a row has an asset, the columns of ``X``
    have names, and what judges the experts learns from other rows than they do. ``fit``
    is ``learn`` and then ``judge``; a walk calls the two itself.

    Parameters
    ----------
    experts
        Unfitted classifiers by name; the order is the order of all outputs.
    columns
        For each expert, the prefixes of the columns of ``X`` that it reads;
        ``asset_`` asks for the asset's code.
    relative_experts
        Names of the experts that learn from outcomes relative to the fleet, where they
        are given. Judges know how a trade came out, and nothing else.
    use_asset_embedding
        What gate and experts know of the asset; see ``AssetEmbedding``.
    gate_penalty, gate_balance
        See ``GatingNetwork``.
    holdout
        Without past forecasts, the share of the last training rows that the experts
        forecast out of sample before they are fitted on all rows.
    purge_rows
        Rows left out before that holdout.
    effective_share
        Share of the past forecasts with outcomes of their own; see ``VennAbers``.
    """

    def __init__(
        self,
        *,
        experts: Mapping[str, ClassifierMixin],
        columns: Mapping[str, Sequence[str]],
        relative_experts: Collection[str] = (),
        use_asset_embedding: EmbeddingKind = "one_hot",
        gate_penalty: float = 1e-2,
        gate_balance: float = 5e-4,
        holdout: float = 0.3,
        purge_rows: int = 0,
        effective_share: float = 1.0,
    ) -> None:
        self.experts = experts
        self.columns = columns
        self.relative_experts = relative_experts
        self.use_asset_embedding = use_asset_embedding
        self.gate_penalty = gate_penalty
        self.gate_balance = gate_balance
        self.holdout = holdout
        self.purge_rows = purge_rows
        self.effective_share = effective_share

    def fit(
        self,
        X: pd.DataFrame,
        y: Bool[np.ndarray, " rows"],
        sample_weight: Float[np.ndarray, " rows"] | None = None,
        *,
        asset: Shaped[np.ndarray, " rows"],
        relative: Bool[np.ndarray, " rows"] | None = None,
        past: PastForecasts | None = None,
    ) -> "MixtureOfExpertsEnsemble":
        """Fit the experts on all rows, and their judges on out-of-sample forecasts.

        Parameters
        ----------
        X
            Rows in time order, with the columns that the experts read and the physics.
        relative
            Whether each row beat the fleet; see ``labels.beats_fleet``. Without it
            ``relative_experts`` learn from ``y`` like all others.
        past
            Forecasts of earlier rows by experts that had not seen them. None holds out
            the end of ``X`` to make some; inputs that were themselves fitted on all of
            ``X`` then make the judges a little too kind.
        """
        weight = np.ones(len(X)) if sample_weight is None else sample_weight
        if past is None:
            past = self._hold_out(X, y, weight, asset, relative)
        return self.learn(X, y, weight, asset, relative=relative).judge(past)

    def learn(
        self,
        X: pd.DataFrame,
        y: Bool[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
        asset: Shaped[np.ndarray, " rows"],
        *,
        relative: Bool[np.ndarray, " rows"] | None = None,
        only: Collection[str] | None = None,
    ) -> "MixtureOfExpertsEnsemble":
        """Fit embedding and experts; of these ``only`` some, when others are known."""
        self.classes_ = np.array([False, True])
        self.embedding_ = AssetEmbedding(kind=self.use_asset_embedding).fit(
            _named(X, _LATENTS), y, asset, weight
        )
        code = self.embedding_.code(asset)
        taught = dict.fromkeys(self.experts, y)
        if relative is not None:
            taught |= dict.fromkeys(self.relative_experts, relative)
        self.experts_ = {
            name: clone(expert).fit(
                _view(X, code, self.columns[name]), taught[name], weight
            )
            for name, expert in self.experts.items()
            if only is None or name in only
        }
        return self

    def judge(self, past: PastForecasts) -> "MixtureOfExpertsEnsemble":
        """Fit calibrations and gate on forecasts made before their outcome."""
        self.calibrators_ = [
            PlattCalibrator().fit(column, past.is_positive)
            for column in past.expert_probability.T
        ]
        self.gate_ = self.unfitted_gate().fit(
            past.physics,
            self.embedding_.code(past.asset),
            self._calibrated(past.expert_probability),
            past.is_positive,
        )
        _, _, mixed = self._mixed(past.expert_probability, past.physics, past.asset)
        self.calibrator_ = PlattCalibrator().fit(mixed, past.is_positive)
        self.interval_ = VennAbers(effective_share=self.effective_share).fit(
            mixed, past.is_positive
        )
        return self

    def unfitted_gate(self) -> GatingNetwork:
        """Return the gate that the parameters describe."""
        return GatingNetwork(
            flags=_FLAGS, penalty=self.gate_penalty, balance=self.gate_balance
        )

    def forecast(
        self, X: pd.DataFrame, asset: Shaped[np.ndarray, " rows"]
    ) -> MixtureForecast:
        """Return probability, gate weights and calibrated expert probabilities.

        An asset that was never seen is forecast by the physics and the latents alone.
        """
        check_is_fitted(self)
        return self.mix(self.expert_probability(X, asset), _physics(X), asset)

    def predict_proba(
        self, X: pd.DataFrame, asset: Shaped[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows 2"]:
        """Return the probabilities of a negative and of a positive label."""
        probability = self.forecast(X, asset).probability
        return np.column_stack([1 - probability, probability])

    def expert_probability(
        self, X: pd.DataFrame, asset: Shaped[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows experts"]:
        """Return what each fitted expert says, uncalibrated, a column per expert."""
        if not len(X):
            return np.empty((0, len(self.experts_)))
        code = self.embedding_.code(asset)
        return np.column_stack(
            [
                in_equal_batches(
                    expert.predict_proba, _view(X, code, self.columns[name])
                )[:, 1]
                for name, expert in self.experts_.items()
            ]
        )

    def mix(
        self,
        expert_probability: Float[np.ndarray, "rows experts"],
        physics: Float[np.ndarray, "rows 6"],
        asset: Shaped[np.ndarray, " rows"],
    ) -> MixtureForecast:
        """Calibrate, weigh and add up forecasts that the experts have made."""
        weights, calibrated, mixed = self._mixed(expert_probability, physics, asset)
        low, high = self.interval_.interval(mixed)
        probability = self.calibrator_.predict(mixed)
        return MixtureForecast(probability, low, high, weights, calibrated)

    def _calibrated(
        self, expert_probability: Float[np.ndarray, "rows experts"]
    ) -> Float[np.ndarray, "rows experts"]:
        columns = zip(self.calibrators_, expert_probability.T, strict=True)
        return np.column_stack([judge.predict(column) for judge, column in columns])

    def _mixed(
        self,
        expert_probability: Float[np.ndarray, "rows experts"],
        physics: Float[np.ndarray, "rows 6"],
        asset: Shaped[np.ndarray, " rows"],
    ) -> tuple[
        Float[np.ndarray, "rows experts"],
        Float[np.ndarray, "rows experts"],
        Float[np.ndarray, " rows"],
    ]:
        """Return gate weights, calibrated experts and their weighted sum."""
        calibrated = self._calibrated(expert_probability)
        weights = self.gate_.weights(physics, self.embedding_.code(asset))
        return weights, calibrated, np.einsum("re,re->r", weights, calibrated)

    def _hold_out(
        self,
        X: pd.DataFrame,
        y: Bool[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
        asset: Shaped[np.ndarray, " rows"],
        relative: Bool[np.ndarray, " rows"] | None,
    ) -> PastForecasts:
        """Forecast the last rows with experts fitted on the rows before them."""
        first_held_out = round(len(X) * (1 - self.holdout))
        n_fitted = first_held_out - self.purge_rows
        if n_fitted < 1:
            raise ValueError(
                f"{len(X)} rows leave none to fit before a holdout of "
                f"{self.holdout:.0%} and a purge of {self.purge_rows} rows: give more "
                "rows, or past forecasts."
            )
        earlier = clone(self).learn(
            X.iloc[:n_fitted],
            y[:n_fitted],
            weight[:n_fitted],
            asset[:n_fitted],
            relative=None if relative is None else relative[:n_fitted],
        )
        held_out = X.iloc[first_held_out:]
        return PastForecasts(
            earlier.expert_probability(held_out, asset[first_held_out:]),
            _physics(held_out),
            asset[first_held_out:],
            y[first_held_out:],
        )


def _view(
    X: pd.DataFrame, code: Float[np.ndarray, "rows width"], prefixes: Sequence[str]
) -> Float[np.ndarray, "rows some"]:
    """Return the columns that an expert reads, and the asset's code if it asks."""
    named = _named(X, prefixes)
    if ASSET_CODE not in prefixes:
        return named
    return np.hstack([named, code.astype(named.dtype)])


def _named(X: pd.DataFrame, prefixes: Sequence[str]) -> Float[np.ndarray, "rows some"]:
    """Return the columns that begin with one of the prefixes, in their order."""
    return X.loc[:, X.columns.str.startswith(tuple(prefixes))].to_numpy()


def _physics(X: pd.DataFrame) -> Float[np.ndarray, "rows 6"]:
    return X.loc[:, list(PHYSICS_COLUMNS)].to_numpy()
