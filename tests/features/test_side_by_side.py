import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.side_by_side import SideBySide
from fleet_kedro.market.by_asset import by_asset


@pytest.fixture(scope="module")
def together(panel) -> SideBySide:
    return SideBySide.of(by_asset(panel))


class TestKnownValues:
    def test_a_gap_splits_an_asset_and_keeps_its_rows(self, together):
        places = [(part.column, part.rows) for part in together.stretches]
        assert places == [
            (0, slice(0, 620)),
            (1, slice(0, 400)),
            (1, slice(450, 620)),
            (2, slice(0, 620)),
        ]

    def test_hours_without_any_candle_are_left_out(self, panel):
        doge = panel.loc[panel["asset"] == "DOGE"]
        alone = SideBySide.of(by_asset(doge))
        pd.testing.assert_index_equal(
            alone.hours, pd.DatetimeIndex(doge["timestamp"]), check_names=False
        )
        assert [part.rows for part in alone.stretches] == [
            slice(0, 400),
            slice(400, 570),
        ]


class TestAgainstSlowReference:
    def test_a_matrix_is_a_pivot_of_the_panel(self, panel, together):
        expected = panel.pivot_table(index="timestamp", columns="asset", values="close")
        found = together.matrix(lambda stretch: np.exp(stretch.log_close))
        assert list(expected.columns) == list(together.assets)
        assert (expected.index == together.hours).all()
        np.testing.assert_allclose(found, expected.to_numpy(), rtol=1e-14)


class TestProperties:
    def test_neither_the_order_of_rows_nor_of_assets_matters(self, panel, together):
        mixed = by_asset(panel.sample(frac=1.0, random_state=1))
        other = SideBySide.of({asset: mixed[asset] for asset in reversed(mixed)})
        assert other.assets == together.assets
        for name in ("log_close", "log_high", "volume"):
            np.testing.assert_array_equal(
                other.matrix(lambda stretch, name=name: getattr(stretch, name)),
                together.matrix(lambda stretch, name=name: getattr(stretch, name)),
            )

    def test_every_asset_is_read_once(self, panel):
        read: list[str] = []
        parts = by_asset(panel)

        def loader(asset: str):
            return lambda: (read.append(asset), parts[asset]())[1]

        SideBySide.of({asset: loader(asset) for asset in parts})
        assert read == ["BTC", "DOGE", "ETH"]


class TestErrors:
    def test_a_hidden_gap_is_refused(self, panel):
        holed = panel.drop(index=panel.index[panel["asset"] == "ETH"][100])
        with pytest.raises(ValueError, match="Segment 0 of ETH does not hold one"):
            SideBySide.of(by_asset(holed))

    def test_a_repeated_candle_is_refused(self, panel):
        twice = pd.concat([panel, panel.loc[panel["asset"] == "BTC"].iloc[[7]]])
        with pytest.raises(ValueError, match="Segment 0 of BTC does not hold one"):
            SideBySide.of(by_asset(twice))
