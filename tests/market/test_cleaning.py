import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.market.cleaning import clean_candles, sift
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.quality import quality_report
from fleet_kedro.market.schema import CANDLE, CleanCandles, QualityReport

DIRT = ["none", "duplicate", "off_grid", "nan", "negative", "inverted", "no_stamp"]


def soil(candles: pd.DataFrame, kinds: list[str]) -> pd.DataFrame:
    """Insert before each candle a row spoilt in the way named."""
    rows = []
    for (_, candle), kind in zip(candles.iterrows(), kinds, strict=True):
        row = candle.copy()
        if kind == "duplicate":
            row["close"] = row["open"]
        elif kind == "off_grid":
            row["timestamp"] += pd.Timedelta(minutes=1)
        elif kind == "nan":
            row["volume"] = np.nan
        elif kind == "negative":
            row["low"] = -1.0
        elif kind == "inverted":
            row["high"] = row["close"] - 0.5
        elif kind == "no_stamp":
            row["timestamp"] = pd.NaT
        rows += [candle] if kind == "none" else [row, candle]
    soiled = pd.DataFrame(rows).astype(dict.fromkeys(CANDLE, "float64"))
    return soiled.astype({"timestamp": "datetime64[us, UTC]", "symbol": "str"})


class TestKnownValues:
    def test_the_last_given_of_two_rows_stays(self, candles_at):
        raw = pd.concat([candles_at([0, 1]), candles_at([1])], ignore_index=True)
        sifted = sift(raw)
        assert sifted.duplicates == 1
        assert sifted.candles["open"].tolist() == [100.0, 100.0]

    def test_a_spoilt_correction_does_not_replace_a_sound_candle(self, candles_at):
        raw = pd.concat(
            [candles_at([0]), candles_at([0]).assign(close=np.nan)], ignore_index=True
        )
        sifted = sift(raw)
        assert (sifted.invalid, sifted.duplicates) == (1, 0)
        assert sifted.candles["close"].tolist() == [101.0]

    @pytest.mark.parametrize(
        "fault",
        [
            {"open": 0.0},
            {"low": 0.0},
            {"close": -1.0},
            {"high": 100.5},
            {"low": 100.5},
            {"volume": -1.0},
            {"close": np.nan},
            {"volume": np.inf},
            {"high": np.inf},
        ],
    )
    def test_a_row_that_is_no_candle_is_dropped(self, candles_at, fault):
        sifted = sift(candles_at([0]).assign(**fault))
        assert sifted.invalid == 1
        assert sifted.candles.empty

    def test_a_flat_candle_without_volume_is_sound(self, candles_at):
        flat = candles_at([0]).assign(
            open=5.0, high=5.0, low=5.0, close=5.0, volume=0.0
        )
        assert len(sift(flat).candles) == 1

    def test_the_panel_is_sorted_by_stamp_then_asset(self, candles_at):
        raw = {"ETH": candles_at([0, 1]), "BTC": candles_at([1, 0])}
        panel = clean_candles(raw, GapPolicy())
        CleanCandles.validate(panel)
        assert panel["asset"].tolist() == ["BTC", "ETH", "BTC", "ETH"]
        assert panel["timestamp"].dt.hour.tolist() == [0, 0, 1, 1]

    def test_the_report_counts_what_was_found_and_done(self, candles_at):
        raw = soil(
            candles_at([0, 1, 4, 20, 21]),
            ["duplicate", "off_grid", "nan", "negative", "none"],
        ).assign(volume=lambda frame: frame["volume"].where(frame["open"] != 101, 0.0))

        panel = clean_candles({"BTC": raw}, GapPolicy(max_filled_hours=6))
        report = QualityReport.validate(quality_report({"BTC": raw}, panel))

        row = report.iloc[0]
        assert row["first"] == pd.Timestamp("2023-01-01 00:00", tz="UTC")
        assert row["last"] == pd.Timestamp("2023-01-01 21:00", tz="UTC")
        counts = {
            "rows": 9,
            "gaps": 2,
            "longest_gap_hours": 15,
            "filled": 2,
            "segments": 2,
            "duplicates_dropped": 1,
            "off_grid_dropped": 1,
            "invalid_dropped": 2,
            "zero_volume": 1,
            "lowest_price": 98.0,
            "highest_price": 107.0,
            "high_low_ratio": 107.0 / 98.0,
        }
        assert {name: row[name] for name in counts} == counts


class TestProperties:
    @given(
        kinds=st.lists(st.sampled_from(DIRT), min_size=1, max_size=25),
        order=st.randoms(use_true_random=False),
    )
    def test_dirt_leaves_no_trace_whatever_the_order(self, candles_at, kinds, order):
        clean = candles_at(range(len(kinds)))
        raw = soil(clean, kinds)
        stamps = list(dict.fromkeys(raw["timestamp"]))
        order.shuffle(stamps)
        # Rows of one stamp keep their order, since the later one is the correction.
        rank = raw["timestamp"].map({s: i for i, s in enumerate(stamps)}).fillna(-1)
        shuffled = raw.iloc[np.argsort(rank.to_numpy(), kind="stable")]

        sifted = sift(shuffled)

        pd.testing.assert_frame_equal(sifted.candles, clean)
        assert sifted.duplicates == kinds.count("duplicate")
        assert sifted.off_grid == kinds.count("off_grid")
        spoilt = sum(
            kinds.count(k) for k in ("nan", "negative", "inverted", "no_stamp")
        )
        assert sifted.invalid == spoilt

    @given(kinds=st.lists(st.sampled_from(DIRT), min_size=1, max_size=25))
    def test_every_row_is_accounted_for(self, candles_at, kinds):
        raw = {"BTC": soil(candles_at(range(0, 9 * len(kinds), 9)), kinds)}
        panel = clean_candles(raw, GapPolicy())
        report = quality_report(raw, panel).iloc[0]
        kept = (~panel["is_filled"]).sum()
        dropped = report[["duplicates_dropped", "off_grid_dropped", "invalid_dropped"]]
        assert report["rows"] == kept + dropped.sum()

    def test_one_asset_never_changes_another(self, candles_at):
        raw = {"BTC": candles_at([0, 2, 30]), "ETH": candles_at([1, 40])}
        both = clean_candles(raw, GapPolicy())
        alone = clean_candles({"ETH": raw["ETH"]}, GapPolicy())
        shared = both.loc[both["asset"] == "ETH"].reset_index(drop=True)
        pd.testing.assert_frame_equal(shared, alone)


class TestErrors:
    def test_an_asset_without_a_sound_candle_is_named(self, candles_at):
        raw = {"BTC": candles_at([0]), "DOGE": candles_at([0, 1]).assign(close=0.0)}
        with pytest.raises(MarketError, match="DOGE has no sound candle: 2 rows"):
            clean_candles(raw, GapPolicy())

    def test_an_empty_fleet_is_refused(self):
        with pytest.raises(MarketError, match="no assets to clean"):
            clean_candles({}, GapPolicy())
