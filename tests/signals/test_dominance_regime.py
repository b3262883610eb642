import numpy as np
import pytest
from pydantic import ValidationError

from fleet_kedro.signals.dominance_regime import (
    DominanceRegime,
    Fear,
    Regime,
    Season,
    dominance_regime,
)

NAN = np.nan
ASSETS = ["BTC", "ETH"]


def regime(usdt: float, btc: float, **changes: object) -> Regime:
    settings = DominanceRegime(**changes)
    return dominance_regime(np.array([usdt]), np.array([btc]), ASSETS, settings)


class TestKnownValues:
    @pytest.mark.parametrize(
        ("share", "fear", "exposure"),
        [
            (5.01, Fear.FEAR, 0.4),
            (5.0, Fear.CAUTION, 0.7),
            (4.0, Fear.CAUTION, 0.7),
            (3.99, Fear.CALM, 1.0),
            (NAN, Fear.UNKNOWN, 1.0),
        ],
    )
    def test_fear(self, share: float, fear: Fear, exposure: float) -> None:
        got = regime(share, 55.0)
        assert (got.fear[0], got.exposure[0]) == (fear, exposure)

    @pytest.mark.parametrize(
        ("share", "season", "tilt"),
        [
            (60.1, Season.BITCOIN, [1.25, 0.8]),
            (60.0, Season.BALANCED, [1.0, 1.0]),
            (50.0, Season.BALANCED, [1.0, 1.0]),
            (49.9, Season.ALTS, [0.8, 1.25]),
            (NAN, Season.UNKNOWN, [1.0, 1.0]),
        ],
    )
    def test_season(self, share: float, season: Season, tilt: list[float]) -> None:
        got = regime(4.5, share)
        assert got.season[0] == season
        np.testing.assert_allclose(got.tilt[0], tilt)

    def test_cut_offs_are_parameters(self) -> None:
        got = regime(5.5, 62.0, fear_above_pct=6.0, bitcoin_above_pct=65.0)
        assert (got.fear[0], got.season[0]) == (Fear.CAUTION, Season.BALANCED)

    def test_switched_off_it_is_neutral(self) -> None:
        got = regime(9.0, 70.0, is_used=False)
        assert (got.fear[0], got.season[0]) == (Fear.UNKNOWN, Season.UNKNOWN)
        assert got.exposure[0] == 1.0
        assert (got.tilt == 1.0).all()

    def test_many_moments_at_once_are_those_moments_one_by_one(self) -> None:
        usdt, btc = np.array([3.0, 4.5, 6.0, NAN]), np.array([70.0, 55.0, 40.0, NAN])
        together = dominance_regime(usdt, btc, ASSETS, DominanceRegime())
        for row in range(4):
            alone = regime(usdt[row], btc[row])
            for many, single in zip(together, alone, strict=True):
                np.testing.assert_array_equal(many[row], single[0])


class TestErrors:
    @pytest.mark.parametrize(
        "changes", [{"calm_below_pct": 6.0}, {"alts_below_pct": 61.0}]
    )
    def test_cut_offs_are_ordered(self, changes: dict[str, float]) -> None:
        with pytest.raises(ValidationError, match="swap them"):
            DominanceRegime(**changes)
