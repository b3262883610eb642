"""The windows and sizes that an audit works with.

A leak does not depend on how long a window is, so windows are short here: a few weeks
of candles then hold enough rows beyond every warm-up.
"""

from fleet_kedro.config import Config
from fleet_kedro.features.build import FeatureSettings
from fleet_kedro.features.catalogue import Profile
from fleet_kedro.features.fractional import FractionalDifference
from fleet_kedro.features.physics import Physics
from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.dominance import DominancePolicy
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.models.brain import BrainSettings, RefinerSettings
from fleet_kedro.models.experts import ExpertsSettings
from fleet_kedro.models.experts.pattern import PatternSettings
from fleet_kedro.models.experts.trend import TrendSettings
from fleet_kedro.models.training import TrainingSettings
from fleet_kedro.signals.thresholds import ThresholdSettings
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.tree_rival import TreeRival
from fleet_kedro.validation.walk_forward import WalkSettings

LABEL = Label(horizon_bars=12, round_trip_cost=0.002)


class AuditSettings(Config):
    """What is computed of each world; ``features`` is what the walk is fed with."""

    profile: Profile
    features: FeatureSettings
    walk_forward: WalkForward
    walk: WalkSettings
    gaps: GapPolicy = GapPolicy()
    dominance: DominancePolicy = DominancePolicy()


def audit_settings(
    profile: Profile,
    gaps: GapPolicy | None = None,
    dominance: DominancePolicy | None = None,
) -> AuditSettings:
    """Return settings with short windows; ``profile`` says which signals are audited.

    The walk itself always learns from the lean signals, so that it takes seconds.
    """
    return AuditSettings(
        profile=profile,
        features=_short_features(),
        walk_forward=WalkForward(
            folds=2,
            warmup_folds=1,
            horizon_bars=LABEL.horizon_bars,
            embargo_bars=12,
            mode="expanding",
        ),
        walk=_small_walk(),
        gaps=gaps or GapPolicy(),
        dominance=dominance or DominancePolicy(),
    )


def _short_features() -> FeatureSettings:
    return FeatureSettings(
        profile="lean",
        physics=Physics(
            hurst_bars=64,
            entropy_bars=64,
            fdi_bars=64,
            theta_bars=64,
            acf_bars=64,
            warning_bars=128,
        ),
        fractional=FractionalDifference(weight_cutoff=1e-3, max_window_bars=120),
        label=LABEL,
    )


def _small_walk() -> WalkSettings:
    trees = TrendSettings(n_trees=10)
    pattern = PatternSettings(channels=4, training=TrainingSettings(epochs=1))
    return WalkSettings(
        brain=BrainSettings(
            label=LABEL,
            refiner=RefinerSettings(
                n_latents=12, max_cluster_size=64, variance_kept=0.95, link_block_days=5
            ),
            experts=ExpertsSettings(trend=trees, surface=trees, pattern=pattern),
            use_asset_embedding="one_hot",
            use_energy=True,
            mask_chaos=True,
            gate_penalty=1e-2,
            gate_balance=5e-4,
            surface_signals=("momentum_3", "rsi_13", "hour_sine"),
            pattern_bars=64,
            most_rows=1_000,
            seed=3,
        ),
        thresholds=ThresholdSettings(
            rank_days=20,
            lowest_recall=0.1,
            highest_recall=0.2,
            candidates=3,
            prior_signals=100.0,
        ),
        volatility_null=TreeRival(
            signals=("close_volatility_13", "volume_ratio_8", "hour_sine"), trees=trees
        ),
    )
