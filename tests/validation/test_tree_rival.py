"""The rival on markets where volatility is all there is to know, and on others."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from fleet_kedro.models.experts.trend import TrendSettings
from fleet_kedro.validation.tree_rival import TreeRival

COST = 0.002
N_ROWS = 12_000
RIVAL = TreeRival(
    signals=("volatility", "hour"), trees=TrendSettings(n_trees=60, learning_rate=0.1)
)


def market(seed: int, is_known: bool = True) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows with returns ``r ~ N(0, σ²)`` of changing σ, and which ``r`` pay the cost.

    The signal ``volatility`` is log σ, or a stranger to it where σ is not known.
    """
    rng = np.random.default_rng(seed)
    log_sigma = np.log(0.003) + 0.8 * rng.normal(size=N_ROWS)
    other = np.log(0.003) + 0.8 * rng.normal(size=N_ROWS)
    rows = pd.DataFrame(
        {
            "asset": rng.choice(["BTC", "ETH"], size=N_ROWS),
            "volatility": (log_sigma if is_known else other).astype(np.float32),
            "hour": rng.normal(size=N_ROWS).astype(np.float32),
            "sigma": np.exp(log_sigma),
        }
    )
    forward_return = np.exp(log_sigma) * rng.normal(size=N_ROWS)
    return rows, forward_return > COST


class TestKnownValues:
    def test_knowing_the_volatility_alone_lifts_precision(self) -> None:
        # The best that anyone can say is Φ(−cost / σ), and the rival says almost that.
        train, train_positive = market(seed=0)
        rows, positive = market(seed=1)
        said = RIVAL.forecast(train, train_positive, rows)
        best = norm.sf(COST / rows["sigma"].to_numpy())
        assert np.abs(said - best).mean() < 0.03
        signalled = said >= np.quantile(said, 0.875)
        lift = positive[signalled].mean() - positive.mean()
        best_lift = best[best >= np.quantile(best, 0.875)].mean() - best.mean()
        assert best_lift > 0.15
        assert lift == pytest.approx(best_lift, abs=0.03)

    def test_where_nothing_can_be_known_it_knows_nothing(self) -> None:
        train, train_positive = market(seed=2, is_known=False)
        rows, positive = market(seed=3, is_known=False)
        said = RIVAL.forecast(train, train_positive, rows)
        # A rank statistic of noise: its deviation here is 0.0056.
        assert roc_auc_score(positive, said) == pytest.approx(0.5, abs=0.02)

    def test_it_knows_nothing_of_direction(self) -> None:
        train, train_positive = market(seed=0)
        rows, _ = market(seed=1)
        said = RIVAL.forecast(train, train_positive, rows)
        # With a cost of zero every σ has an even chance.
        rng = np.random.default_rng(4)
        rises = rows["sigma"].to_numpy() * rng.normal(size=N_ROWS) > 0.0
        assert roc_auc_score(rises, said) == pytest.approx(0.5, abs=0.02)

    def test_it_tells_the_assets_apart(self) -> None:
        train, _ = market(seed=5, is_known=False)
        is_btc = (train["asset"] == "BTC").to_numpy()
        rng = np.random.default_rng(0)
        positive = rng.random(N_ROWS) < np.where(is_btc, 0.3, 0.5)
        said = RIVAL.forecast(train, positive, train)
        assert said[is_btc].mean() == pytest.approx(0.3, abs=0.02)
        assert said[~is_btc].mean() == pytest.approx(0.5, abs=0.02)

    def test_an_asset_it_never_saw_is_forecast_by_its_volatility(self) -> None:
        train, train_positive = market(seed=0)
        stranger = market(seed=1)[0].assign(asset="PEPE")
        said = RIVAL.forecast(train, train_positive, stranger)
        best = norm.sf(COST / stranger["sigma"].to_numpy())
        assert np.abs(said - best).mean() < 0.03


class TestProperties:
    def test_a_forecast_depends_on_nothing_but_its_own_row(self) -> None:
        train, train_positive = market(seed=0)
        rows, _ = market(seed=1)
        said = RIVAL.forecast(train, train_positive, rows)
        some = np.random.default_rng(0).permutation(N_ROWS)[:500]
        np.testing.assert_array_equal(
            RIVAL.forecast(train, train_positive, rows.iloc[some]), said[some]
        )

    def test_it_reads_its_signals_by_name_and_no_other_column(self) -> None:
        train, train_positive = market(seed=0)
        rows, _ = market(seed=1)
        shuffled = rows[["hour", "sigma", "volatility", "asset"]].assign(
            sigma=np.nan, forward_return=1.0
        )
        np.testing.assert_array_equal(
            RIVAL.forecast(train, train_positive, shuffled),
            RIVAL.forecast(train, train_positive, rows),
        )


class TestErrors:
    def test_a_rival_without_a_signal_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="signals"):
            TreeRival(signals=(), trees=TrendSettings())

    def test_a_signal_that_is_not_there_is_named(self) -> None:
        train, positive = market(seed=0)
        with pytest.raises(KeyError, match="hour"):
            RIVAL.forecast(train.drop(columns="hour"), positive, train)
