import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fleet_kedro.features.context import MarketContext, naive_utc


@pytest.fixture(scope="module")
def context(panel, dominance_pct) -> MarketContext:
    return MarketContext.from_panel(panel, dominance_pct)


def stamps(panel: pd.DataFrame, asset: str) -> np.ndarray:
    return naive_utc(panel.loc[panel["asset"] == asset, "timestamp"])


class TestAgainstSlowReference:
    def test_market_leaves_the_asset_itself_out(self, panel, context):
        closes = panel.pivot_table(index="timestamp", columns="asset", values="close")
        returns = np.log(closes).diff()
        around = context.around("BTC", stamps(panel, "BTC"))
        others = returns[["DOGE", "ETH"]]
        np.testing.assert_allclose(
            around.market_log_return, others.mean(axis=1).fillna(0.0), atol=1e-15
        )
        np.testing.assert_allclose(
            around.breadth, np.sign(others).mean(axis=1).fillna(0.0), atol=1e-15
        )
        np.testing.assert_allclose(
            around.dispersion, returns.std(axis=1, ddof=0).fillna(0.0), atol=1e-15
        )

    def test_ranks_are_those_of_the_trailing_returns(self, panel, context):
        closes = panel.pivot_table(index="timestamp", columns="asset", values="close")
        row = 300
        trailing = np.log(closes.iloc[row] / closes.iloc[row - 21])
        expected = stats.rankdata(trailing) - 2.0
        ranks = [
            context.around(a, stamps(panel, a)[[row]]).ranks["return", 21][0]
            for a in context.assets
        ]
        np.testing.assert_array_equal(ranks, expected)

    def test_breadth_and_attention_are_means_over_all_assets(self, panel, context):
        closes = panel.pivot_table(index="timestamp", columns="asset", values="close")
        volumes = panel.pivot_table(index="timestamp", columns="asset", values="volume")
        around = context.around("ETH", stamps(panel, "ETH"))
        for row in (300, 520):
            moved = np.log(closes.iloc[row] / closes.iloc[row - 21])
            known = volumes.iloc[row - 62 : row + 1]
            usual = known.mean().where(known.notna().all())
            level = np.log(known.iloc[-21:].mean() / usual)
            assert around.rising[21][row] == pytest.approx(np.sign(moved).mean())
            assert around.attention[21][row] == pytest.approx(level.mean())


class TestProperties:
    def test_no_return_crosses_a_gap(self, context):
        doge = context.returns.log_return[:, context.assets.index("DOGE")]
        assert np.isnan(doge[:1]).all()
        assert np.isnan(doge[400:451]).all()
        assert np.isfinite(doge[1:400]).all()
        assert np.isfinite(doge[451:]).all()

    def test_trailing_windows_start_anew_after_a_gap(self, panel, context):
        second = context.around("DOGE", stamps(panel, "DOGE")[400:])
        for (kind, window), rank in second.ranks.items():
            # Volume looks back three windows; a high needs no bar before the first.
            rows = {"volume": 3 * window - 1, "peak": window - 1}.get(kind, window)
            assert np.isnan(rank[:rows]).all()
            assert np.isfinite(rank[rows:]).all()

    def test_an_absent_asset_moves_nobody(self, panel, context):
        around = context.around("BTC", stamps(panel, "BTC"))
        eth = context.returns.log_return[:, context.assets.index("ETH")]
        np.testing.assert_allclose(
            around.market_log_return[400:451], eth[400:451], atol=1e-15
        )

    def test_later_candles_change_no_bit(self, panel, dominance_pct, context):
        cut = 433
        end = panel["timestamp"].min() + pd.Timedelta(hours=cut)
        past = MarketContext.from_panel(
            panel.loc[panel["timestamp"] < end], dominance_pct
        )
        for asset in context.assets:
            early = stamps(panel, asset)
            early = early[early < np.datetime64(end.tz_localize(None))]
            left, right = past.around(asset, early), context.around(asset, early)
            for name in ("market_log_return", "breadth", "dispersion"):
                np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
            for name in ("ranks", "rising", "attention"):
                early_states, states = getattr(left, name), getattr(right, name)
                assert early_states.keys() == states.keys()
                for key, state in early_states.items():
                    np.testing.assert_array_equal(state, states[key])

    def test_an_asset_alone_has_a_neutral_market(self, panel):
        alone = panel.loc[panel["asset"] == "ETH"]
        context = MarketContext.from_panel(alone)
        around = context.around("ETH", stamps(panel, "ETH"))
        assert (around.market_log_return == 0.0).all()
        assert (around.btc_log_return == 0.0).all()
        assert (around.breadth == 0.0).all()
        assert np.isnan(around.btc_dominance_pct).all()
        assert (around.ranks["return", 3][3:] == 0.0).all()

    def test_an_asset_costs_no_more_than_forty_bytes_an_hour(self, context):
        n_cells = len(context.timestamp) * len(context.assets)
        per_cell = [
            context.returns.log_return.nbytes,
            *(rank.half_steps.nbytes for rank in context.ranks.values()),
        ]
        assert sum(per_cell) <= 40 * n_cells

    def test_dominance_is_taken_as_known_at_each_hour(
        self, panel, dominance_pct, context
    ):
        around = context.around("DOGE", stamps(panel, "DOGE"))
        expected = dominance_pct["usdt_dominance_pct"].drop(
            dominance_pct.index[400:450]
        )
        np.testing.assert_array_equal(around.usdt_dominance_pct, expected)


class TestErrors:
    def test_unknown_asset(self, context):
        with pytest.raises(ValueError, match="SOL is not in the context"):
            context.around("SOL", context.timestamp)

    def test_candles_outside_the_context(self, context):
        later = context.timestamp + np.timedelta64(1, "h")
        with pytest.raises(ValueError, match="1 candles, the first at 2023-01-27T20"):
            context.around("BTC", later)
