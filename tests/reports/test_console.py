import numpy as np
import pandas as pd
import pytest

from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.quality import quality_report
from fleet_kedro.reports.console import (
    combining_lines,
    fleet_header,
    fold_lines,
    processing_lines,
    quality_lines,
    quality_table,
)

START = pd.Timestamp("2023-01-02", tz="UTC").as_unit("us")


@pytest.fixture
def candles() -> pd.DataFrame:
    """Six hours: one before the window, one filled."""
    return pd.DataFrame(
        {
            "timestamp": START + pd.Timedelta(hours=1) * np.arange(-1, 5),
            "asset": "POL",
            "symbol": ["MATICUSDT"] * 5 + ["POLUSDT"],
            "is_filled": [False, False, True, False, False, False],
        }
    )


@pytest.fixture
def features(candles) -> pd.DataFrame:
    """Of the four real hours in the window one lacks a feature, one its label."""
    return candles.drop(columns="symbol").assign(
        segment=np.int32(0),
        return_1=np.array([1, 1, 1, np.nan, 1, 1], dtype=np.float32),
        forward_return=[0.1, 0.1, 0.1, 0.1, 0.1, np.nan],
    )


@pytest.fixture
def report() -> pd.DataFrame:
    raw = pd.DataFrame(
        {
            "timestamp": START + pd.Timedelta(hours=1) * np.array([0, 1, 1, 4]),
            "symbol": "BTCUSDT",
            "open": 100.0,
            "high": 120.0,
            "low": 80.0,
            "close": 110.0,
            "volume": [1.0, 1.0, 1.0, 0.0],
        }
    )
    panel = clean_candles({"BTC": raw}, GapPolicy(max_filled_hours=6))
    return quality_report({"BTC": raw}, panel)


class TestKnownValues:
    def test_the_header_counts_the_fleet_and_says_who_is_left_out(self):
        assert fleet_header(
            ["BTC", "ETH"], {"SOL": "SOL is left out: no candles."}
        ) == [
            "GLOBAL FLEET VALIDATION",
            "Training single model on 2 assets",
            "  SOL is left out: no candles.",
        ]

    def test_one_asset_is_no_plural(self):
        assert fleet_header(["BTC"])[1] == "Training single model on 1 asset"

    def test_processing_counts_real_candles_of_the_window(self, candles, features):
        assert processing_lines(candles, features, 0.45, START) == [
            "",
            "[Fleet] Processing POLUSDT...",
            "  [Data] Loaded 4 candles",
            "  [FracDiff] Optimal d: 0.450",
            "  [Normalization] Z-score per asset, from training rows only",
            "  [Clean] 2 valid samples",
        ]

    def test_combining_counts_samples(self):
        assert combining_lines(11, 192350) == [
            "",
            "[Fleet] Combining 11 assets into global dataset...",
            "[Fleet] Global dataset: 192,350 samples across 11 assets",
        ]

    def test_a_fold_is_told_in_full(self, outcome):
        assert fold_lines(outcome, 0.002, {"BTC": "BTCUSDT"}) == [
            "",
            "[Fold 1] Universal Tensor-Flex v2 Refinement",
            "  ✓ Universal features: 2778 → 25 latents",
            "",
            "[Fold 1] Global MoE Training (Asset Embeddings Enabled)",
            "  [MoE] Adding asset embeddings to gating network...",
            "    [Gating] Physics features: 6",
            "    [Gating] Asset embedding dim: 11",
            "    [Gating] Total input dim: 17",
            "",
            "[Fold 1] Overall Performance:",
            "  Precision: 50.0% (base rate 37.5%), Recall: 33.3%, Expectancy: 0.0030",
            "",
            "[Fold 1] Per-Asset Performance:",
            "  BTCUSDT     : Prec=50.0%, Base=50.0%, Rec=50.0%, Exp=0.00300",
            "  ETH         : Prec=n/a, Base=25.0%, Rec=0.0%, Exp=n/a",
        ]

    def test_without_embeddings_the_gate_sees_physics_only(self, outcome):
        lines = fold_lines(outcome._replace(embedding_width=0), 0.002)

        assert lines[4:9] == [
            "[Fold 1] Global MoE Training (Asset Embeddings Disabled)",
            "  [MoE] The gating network sees the physics only",
            "    [Gating] Physics features: 6",
            "    [Gating] Asset embedding dim: 0",
            "    [Gating] Total input dim: 6",
        ]


class TestQuality:
    def test_the_table_has_a_row_per_asset_in_the_order_of_its_header(self, report):
        table = quality_table(report)
        cells = {
            str(column.header).replace("-\n", "").strip(): str(next(iter(column.cells)))
            for column in table.columns
        }

        assert table.row_count == 1
        assert cells == {
            "Asset": "BTC",
            "First": "2023-01-02 00",
            "Last": "2023-01-02 04",
            "Rows": "4",
            "Gaps": "1",
            "Gap,\nmax h": "2",
            "Filled": "2",
            "Segments": "1",
            "Repeated": "1",
            "Off\nhour": "0",
            "Invalid": "0",
            "No\nvolume": "1",
            "Low": "80",
            "High": "120",
            "High/\nlow": "1.5",
        }

    def test_no_line_is_wider_than_a_page_whatever_the_numbers(self, report):
        busy = report.assign(
            asset="MATIC",
            highest_price=109_350.53,
            lowest_price=0.00225618,
            high_low_ratio=1_234.5,
            **dict.fromkeys(("rows", "duplicates_dropped", "zero_volume"), 19_680),
        )
        lines = quality_lines(busy)

        assert max(map(len, lines)) <= 120
        assert "…" not in "".join(lines)
        assert all(
            number in lines[-1] for number in ("0.00225618", "109,351", "19,680")
        )

    def test_the_lines_carry_no_escape_codes_and_no_markup(self, report):
        hostile = report.assign(asset="[red]BTC[/red]")
        text = "\n".join(quality_lines(hostile))

        assert "[red]BTC[/red]" in text
        assert "\x1b" not in text
