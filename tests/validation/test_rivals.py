import numpy as np
import pandas as pd

from fleet_kedro.validation.rivals import (
    ALWAYS_LONG,
    BRAIN,
    BRAIN_IN_HINDSIGHT,
    EQUAL_WEIGHTS,
    VOLATILITY_ONLY,
    rival_picks,
    rival_scores,
)


def forecasts(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "fold": np.repeat([1, 2], rows // 2).astype(np.int8),
            "asset": np.tile(["BTC", "ETH"], rows // 2),
            "is_signal": rng.random(rows) < 0.2,
            "probability": rng.random(rows),
            "volatility_only": rng.random(rows),
            "expert_trend": rng.random(rows),
            "expert_range": rng.random(rows),
        }
    )


class TestKnownValues:
    def test_scores_of_the_brain_its_rivals_and_each_expert(self) -> None:
        table = forecasts()
        scores = rival_scores(table)
        names = [BRAIN, VOLATILITY_ONLY, EQUAL_WEIGHTS, "trend alone", "range alone"]
        assert list(scores) == names
        np.testing.assert_allclose(
            scores[EQUAL_WEIGHTS], (table["expert_trend"] + table["expert_range"]) / 2
        )

    def test_a_rival_picks_its_highest_scores(self) -> None:
        table = forecasts(4).assign(
            fold=np.int8(1), asset="BTC", is_signal=[False, False, True, True]
        )
        score = np.array([0.3, 0.9, 0.1, 0.5])
        picks = rival_picks(table, {BRAIN: -score, VOLATILITY_ONLY: score})
        assert picks[VOLATILITY_ONLY].tolist() == [False, True, False, True]
        assert picks[BRAIN_IN_HINDSIGHT].tolist() == [True, False, True, False]


class TestProperties:
    def test_every_rival_has_the_brains_budget_in_each_fold_and_asset(self) -> None:
        table = forecasts()
        picks = rival_picks(table, rival_scores(table))
        span = [table["fold"], table["asset"]]
        budget = table["is_signal"].groupby(span).sum()
        for name, pick in picks.items():
            if name != ALWAYS_LONG:
                spent = pd.Series(pick).groupby(span).sum()
                pd.testing.assert_series_equal(spent, budget, check_names=False)

    def test_ties_never_exceed_the_budget(self) -> None:
        table = forecasts()
        flat = np.full(len(table), 0.5)
        picks = rival_picks(table, {BRAIN: flat, VOLATILITY_ONLY: flat})
        assert picks[VOLATILITY_ONLY].sum() == table["is_signal"].sum()

    def test_the_brain_keeps_its_own_signals(self) -> None:
        table = forecasts()
        picks = rival_picks(table, rival_scores(table))
        np.testing.assert_array_equal(picks[BRAIN], table["is_signal"])
        assert picks[ALWAYS_LONG].all()
