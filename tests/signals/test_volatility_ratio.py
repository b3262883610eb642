import numpy as np
import pytest

from fleet_kedro.signals.volatility_ratio import trailing_volatility, volatility_ratio


def walk(bars: int = 60, assets: int = 3, seed: int = 5) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(scale=0.01, size=(bars, assets))
    return 100 * np.exp(steps.cumsum(axis=0))


class TestTrailingVolatility:
    def test_equals_the_definition_with_holes(self) -> None:
        close = walk()
        close[[13, 14, 40], [0, 0, 2]] = np.nan
        window = 8
        got = trailing_volatility(close, window)
        returns = np.diff(np.log(close), axis=0, prepend=np.nan)
        known = 0
        for bar in range(len(close)):
            for asset in range(close.shape[1]):
                inside = returns[max(bar - window + 1, 0) : bar + 1, asset]
                own = inside[np.isfinite(inside)]
                if len(own) < window / 2:
                    assert np.isnan(got[bar, asset])
                    continue
                known += 1
                assert got[bar, asset] == pytest.approx(np.sqrt(np.mean(own**2)))
        assert known > 100

    @pytest.mark.parametrize("cut", [5, 20, 59])
    def test_past_values_ignore_the_future(self, cut: int) -> None:
        close = walk()
        np.testing.assert_array_equal(
            trailing_volatility(close[:cut], 8), trailing_volatility(close, 8)[:cut]
        )

    def test_a_flat_price_has_none(self) -> None:
        got = trailing_volatility(np.full((20, 1), 7.0), 4)
        assert got[-1, 0] == 0.0


class TestRatio:
    VOLATILITY = np.array([[0.01, 0.02, np.nan], [0.0, 0.02, 0.01]])

    def test_known_values(self) -> None:
        got = volatility_ratio(self.VOLATILITY, ["BTC", "ETH", "SOL"], "BTC")
        np.testing.assert_array_equal(
            got, [[1.0, 2.0, np.nan], [np.nan, np.nan, np.nan]]
        )

    def test_without_the_reference_nothing_is_known(self) -> None:
        got = volatility_ratio(self.VOLATILITY, ["ADA", "ETH", "SOL"], "BTC")
        assert np.isnan(got).all()
