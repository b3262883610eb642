import pandas as pd
import pytest

from fleet_kedro.market.by_asset import by_asset, checked_by_asset
from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.gaps import GapPolicy

MIDNIGHT = pd.Timestamp("2023-01-01", tz="UTC")


@pytest.fixture
def panel(candles_at) -> pd.DataFrame:
    raw = {"ETH": candles_at([0, 1, 4]), "BTC": candles_at([1, 2, 40])}
    return clean_candles(raw, GapPolicy())


class TestProperties:
    def test_the_parts_make_up_the_panel(self, panel):
        parts = by_asset(panel)
        assert list(parts) == ["BTC", "ETH"]
        pd.testing.assert_frame_equal(
            pd.concat([load() for load in parts.values()]).sort_index(), panel
        )

    def test_clean_candles_pass_as_they_are(self, panel):
        parts = by_asset(panel)
        for asset, load in checked_by_asset(parts).items():
            pd.testing.assert_frame_equal(load(), parts[asset]())

    def test_nothing_is_read_before_it_is_asked_for(self, panel):
        read: list[str] = []

        def load() -> pd.DataFrame:
            read.append("BTC")
            return by_asset(panel)["BTC"]()

        checked = checked_by_asset({"BTC": load})
        assert read == []
        checked["BTC"]()
        assert read == ["BTC"]


class TestErrors:
    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            ({"close": -1.0}, r"close breaks 'greater_than\(0\)' with -1.0"),
            ({"note": "x"}, "the table breaks 'column_in_schema' with note"),
            (
                {"high": 1.0},
                "the table breaks 'high and low must enclose .* with 2023-",
            ),
            ({"timestamp": MIDNIGHT}, "the table breaks 'rows must be unique and"),
        ],
    )
    def test_candles_that_are_not_clean_are_named(self, panel, fault, said):
        own = by_asset(panel)["BTC"]().assign(**fault)
        own = own.astype({"timestamp": panel["timestamp"].dtype})
        load = checked_by_asset({"BTC": own.copy})["BTC"]
        with pytest.raises(ValueError, match=f"candles of BTC are not clean: {said}"):
            load()

    def test_candles_of_another_asset_are_refused(self, panel):
        load = checked_by_asset({"BTC": by_asset(panel)["ETH"]})["BTC"]
        with pytest.raises(ValueError, match="The candles of BTC are those of ETH"):
            load()

    def test_no_candles_are_nobodys(self, panel):
        load = checked_by_asset({"BTC": panel.iloc[:0].copy})["BTC"]
        with pytest.raises(ValueError, match="those of no asset"):
            load()
