"""The six experts: their parameters, the columns they read, and their order."""

from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.models.experts.base import BinaryExpert
from fleet_kedro.models.experts.elastic import (
    ELASTIC_INPUTS,
    ElasticExpert,
    ElasticSettings,
)
from fleet_kedro.models.experts.pattern import PatternExpert, PatternSettings
from fleet_kedro.models.experts.range import RangeExpert, RangeSettings
from fleet_kedro.models.experts.stress import StressExpert, StressSettings
from fleet_kedro.models.experts.trend import TrendExpert, TrendSettings

EXPERT_COLUMNS: dict[str, tuple[str, ...]] = {
    "trend": ("latent_", "physics_", "hour_", "weekday_", "asset_"),
    "range": ("latent_",),
    "elastic": ELASTIC_INPUTS,
    "pattern": ("pattern_",),
    "surface": ("signal_", "asset_"),
    "stress": ("latent_", "physics_", "hour_", "weekday_"),
}
"""Prefixes of the columns that each expert reads, in the order it reads them.

``pattern_00`` is the oldest bar of a window and ``pattern_63`` the present one. Hour
and weekday are the calendar, which the latents hardly carry. ``signal_`` are plain
signals as the catalogue has them. ``asset_`` is the asset's code.
"""


class ExpertsSettings(Config):
    """One block for each expert."""

    trend: TrendSettings = Field(default=TrendSettings(), description="Boosted trees.")
    range: RangeSettings = Field(default=RangeSettings(), description="Neighbours.")
    elastic: ElasticSettings = Field(
        default=ElasticSettings(), description="Mean reversion."
    )
    pattern: PatternSettings = Field(
        default=PatternSettings(), description="Convolution over the last bars."
    )
    surface: TrendSettings = Field(
        default=TrendSettings(), description="Boosted trees over plain signals."
    )
    stress: StressSettings = Field(
        default=StressSettings(), description="Leashed line."
    )


def build_experts(settings: ExpertsSettings, seed: int) -> dict[str, BinaryExpert]:
    """Unfitted experts by name; ``seed`` takes the place of the blocks' own seeds."""
    training = settings.pattern.training.model_copy(update={"seed": seed})
    trend = {**dict(settings.trend), "random_state": seed}
    pattern = {**dict(settings.pattern), "training": training}
    return {
        "trend": TrendExpert(**trend),
        "range": RangeExpert(**dict(settings.range)),
        "elastic": ElasticExpert(**dict(settings.elastic)),
        "pattern": PatternExpert(**pattern),
        "surface": TrendExpert(**{**dict(settings.surface), "random_state": seed}),
        "stress": StressExpert(**dict(settings.stress)),
    }
