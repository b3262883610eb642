"""Six ways to look at a market, each blind to what the others see.

``trend``    boosted trees over latents and physics: interactions
``range``    nearest neighbours over latents: what followed similar states
``elastic``  a probit on the Ornstein-Uhlenbeck fit: how far the spring is stretched
``pattern``  a dilated causal network over the last 64 bars: shapes
``surface``  boosted trees over plain signals: what shows without refining
``stress``   a bounded, class-weighted logistic regression: what holds in rough weather

Trend and Surface learn which asset beats the others of its hour, all others which trade
earns more than it costs; see ``relative_experts`` of a brain.
"""

from fleet_kedro.models.experts.base import BinaryExpert
from fleet_kedro.models.experts.elastic import ElasticExpert
from fleet_kedro.models.experts.pattern import PatternExpert
from fleet_kedro.models.experts.range import RangeExpert
from fleet_kedro.models.experts.settings import (
    EXPERT_COLUMNS,
    ExpertsSettings,
    build_experts,
)
from fleet_kedro.models.experts.stress import StressExpert
from fleet_kedro.models.experts.trend import TrendExpert

__all__ = [
    "EXPERT_COLUMNS",
    "BinaryExpert",
    "ElasticExpert",
    "ExpertsSettings",
    "PatternExpert",
    "RangeExpert",
    "StressExpert",
    "TrendExpert",
    "build_experts",
]
