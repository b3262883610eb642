import pytest

from fleet_kedro.audit.samples import synthetic_world, world_of
from fleet_kedro.audit.settings import audit_settings
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.raw_market import RawMarket
from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

WINDOW = Window(days=60, warmup_days=30)


def market_of(*assets: str) -> RawMarket:
    market = SyntheticMarket(seed=1, edge=0.0, horizon_bars=12, round_trip_cost=0.002)
    return market.generate(Universe(assets=assets), WINDOW)


class TestErrors:
    def test_a_window_without_room_for_folds(self):
        with pytest.raises(MarketError, match=r"44 days are too short .* days >= 45"):
            synthetic_world(audit_settings("lean"), days=44)

    def test_an_asset_alone_has_no_order_to_swap(self):
        with pytest.raises(MarketError, match="Only BTC covers the window"):
            world_of(market_of("BTC"), WINDOW, audit_settings("lean"))


class TestProperties:
    def test_the_same_seed_makes_the_same_world(self, world):
        again = synthetic_world(audit_settings("lean"), days=48)
        assert again.candles.equals(world.candles)
        assert again.gap_moment == world.gap_moment
