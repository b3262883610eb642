"""Whom the brain has to beat, and which rows each of them would signal."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

BRAIN = "brain"
BRAIN_IN_HINDSIGHT = "brain in hindsight"
ALWAYS_LONG = "always long"
VOLATILITY_ONLY = "volatility only"
EQUAL_WEIGHTS = "equal weights"
ALONE = " alone"


def rival_scores(forecasts: pd.DataFrame) -> dict[str, Float[np.ndarray, " rows"]]:
    """Return what the brain and each forecasting rival said, as probabilities."""
    experts = forecasts.filter(regex="^expert_")
    return {
        BRAIN: forecasts["probability"].to_numpy(),
        VOLATILITY_ONLY: forecasts["volatility_only"].to_numpy(),
        EQUAL_WEIGHTS: experts.mean(axis="columns").to_numpy(),
        **{
            str(name).removeprefix("expert_") + ALONE: said.to_numpy()
            for name, said in experts.items()
        },
    }


def rival_picks(
    forecasts: pd.DataFrame, scores: dict[str, Float[np.ndarray, " rows"]]
) -> dict[str, Bool[np.ndarray, " rows"]]:
    """Return which rows the brain and each rival signal.

    In each fold and asset a rival gets as many signals as the brain. It may pick the
    highest of its scores over the whole span, a hindsight that the brain, with its
    threshold from the past, does not have: at the same budget it is seen at its best.
    The brain's own scores are also picked in that way, to be compared like with like.
    """
    signals = forecasts["is_signal"].to_numpy()
    span = forecasts["fold"].astype("str") + " " + forecasts["asset"]
    budget = pd.Series(signals).groupby(span.to_numpy()).transform("sum")
    picks = {BRAIN: signals, ALWAYS_LONG: np.ones(len(forecasts), dtype=bool)}
    ranked = {BRAIN_IN_HINDSIGHT: scores[BRAIN], **scores}
    for name, score in ranked.items():
        if name != BRAIN:
            place = (
                pd.Series(score)
                .groupby(span.to_numpy())
                .rank(method="first", ascending=False)
            )
            picks[name] = (place <= budget).to_numpy()
    return picks
