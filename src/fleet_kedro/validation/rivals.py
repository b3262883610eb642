"""Whom the brain has to beat, and which rows each of them would signal."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

BRAIN = "brain"
BRAIN_IN_HINDSIGHT = "brain in hindsight"
ALWAYS_LONG = "always long"
RANDOM = "random"
VOLATILITY_ONLY = "volatility only"
QUICK_LIGHTGBM = "quick LightGBM"
EQUAL_WEIGHTS = "equal weights"
ALONE = " alone"
_ABLATION = "ablation_"
_DRAWN_WITH = 20_261  # any number: the same rows are drawn in every report


def rival_scores(forecasts: pd.DataFrame) -> dict[str, Float[np.ndarray, " rows"]]:
    """Return what the brain, each rival and each ablated brain said, as probabilities.

    An ablation goes by its own name; an expert by its name and "alone".
    """
    experts = forecasts.filter(regex="^expert_")
    scores = {
        BRAIN: forecasts["probability"].to_numpy(),
        VOLATILITY_ONLY: forecasts["volatility_only"].to_numpy(),
        EQUAL_WEIGHTS: experts.mean(axis="columns").to_numpy(),
    }
    if "quick_lightgbm" in forecasts:
        scores[QUICK_LIGHTGBM] = forecasts["quick_lightgbm"].to_numpy()
    for name, said in experts.items():
        scores[str(name).removeprefix("expert_") + ALONE] = said.to_numpy()
    for name, said in forecasts.filter(regex=f"^{_ABLATION}").items():
        scores[str(name).removeprefix(_ABLATION)] = said.to_numpy()
    return scores


def ablation_names(forecasts: pd.DataFrame) -> list[str]:
    """Return the names of the ablated brains that were walked."""
    columns = forecasts.filter(regex=f"^{_ABLATION}").columns
    return [str(name).removeprefix(_ABLATION) for name in columns]


def rival_picks(
    forecasts: pd.DataFrame, scores: dict[str, Float[np.ndarray, " rows"]]
) -> dict[str, Bool[np.ndarray, " rows"]]:
    """Return which rows the brain and each rival signal.

    In each fold and asset a rival gets as many signals as the brain. It may pick the
    highest of its scores over the whole span, a hindsight that the brain, with its
    threshold from the past, does not have: at the same budget it is seen at its best.
    The brain's own scores are also picked in that way, to be compared like with like.
    ``random`` draws its rows; ``always long`` takes all.
    """
    signals = forecasts["is_signal"].to_numpy()
    span = (forecasts["fold"].astype("str") + " " + forecasts["asset"]).to_numpy()
    budget = pd.Series(signals).groupby(span).transform("sum").to_numpy()
    by_chance = np.random.default_rng(_DRAWN_WITH).random(len(forecasts))
    ranked = {
        BRAIN_IN_HINDSIGHT: scores[BRAIN],
        **{name: score for name, score in scores.items() if name != BRAIN},
        RANDOM: by_chance,
    }
    return {
        BRAIN: signals,
        ALWAYS_LONG: np.ones(len(forecasts), dtype=bool),
        **{name: _highest(score, span, budget) for name, score in ranked.items()},
    }


def _highest(
    score: Float[np.ndarray, " rows"], span: np.ndarray, budget: np.ndarray
) -> Bool[np.ndarray, " rows"]:
    place = pd.Series(score).groupby(span).rank(method="first", ascending=False)
    return np.asarray(place.to_numpy() <= budget)
