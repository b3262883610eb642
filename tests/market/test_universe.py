import pytest
from pydantic import ValidationError

from fleet_kedro.market.universe import Universe


class TestKnownValues:
    def test_an_asset_without_a_lineage_trades_against_the_quote(self):
        universe = Universe(assets=["BTC"], quote="USDC")
        assert [item.symbol for item in universe.listings("BTC")] == ["BTCUSDC"]

    def test_a_lineage_comes_before_the_default(self):
        lineage = {"MATIC": {"listings": [{"symbol": "POLUSDT"}]}}
        universe = Universe(assets=["MATIC"], lineage=lineage)
        assert [item.symbol for item in universe.listings("MATIC")] == ["POLUSDT"]


class TestErrors:
    def test_a_repeated_asset_is_named(self):
        with pytest.raises(ValidationError, match="BTC is named more than once"):
            Universe(assets=["BTC", "ETH", "BTC"])

    @pytest.mark.parametrize("assets", [[], [""]])
    def test_an_empty_fleet_or_name_is_refused(self, assets):
        with pytest.raises(ValidationError):
            Universe(assets=assets)
