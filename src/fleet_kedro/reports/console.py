"""What a run says while it works: lines of text, printed by whoever wants them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from rich.table import Table
from rich.text import Text

from fleet_kedro.metrics.classification import Hits, count_hits
from fleet_kedro.metrics.trading import expectancy
from fleet_kedro.reports.text_table import add_columns, blank_table, plain_lines
from fleet_kedro.reports.units import counted, decimals, percent
from fleet_kedro.validation.watcher import FoldOutcome

_KEYS = ("timestamp", "asset", "segment", "is_filled")
_COUNTS = (
    *("rows", "gaps", "longest_gap_hours", "filled", "segments"),
    *("duplicates_dropped", "off_grid_dropped", "invalid_dropped", "zero_volume"),
)


def fleet_header(
    assets: Sequence[str], left_out: Mapping[str, str] | None = None
) -> list[str]:
    """Say how many assets the one model is trained on, and who stays away and why."""
    return [
        "GLOBAL FLEET VALIDATION",
        f"Training single model on {counted(len(assets), 'asset')}",
        *(f"  {reason}" for reason in (left_out or {}).values()),
    ]


def processing_lines(
    candles: pd.DataFrame, features: pd.DataFrame, order: float, start: pd.Timestamp
) -> list[str]:
    """Tell how one asset's candles became samples.

    Parameters
    ----------
    candles, features
        One asset's clean candles and its feature frame, oldest first.
    order
        Order of its fractional difference.
    start
        First hour of the window; older candles only warm features up and do not count.

    Notes
    -----
    A loaded candle is a real one of the window. A valid sample is one whose features
    and label are all known.
    """
    in_window = (candles["timestamp"] >= start) & ~candles["is_filled"]
    is_valid = ((features["timestamp"] >= start) & ~features["is_filled"]).to_numpy()
    # Column by column: a copy of the whole table would be the run's widest moment.
    for name in features.columns.drop(list(_KEYS), errors="ignore"):
        is_valid = is_valid & np.isfinite(features[name].to_numpy(dtype=np.float64))
    return [
        "",
        f"[Fleet] Processing {candles['symbol'].iloc[-1]}...",
        f"  [Data] Loaded {int(in_window.sum())} candles",
        f"  [FracDiff] Optimal d: {order:.3f}",
        "  [Normalization] Z-score per asset, from training rows only",
        f"  [Clean] {int(is_valid.sum())} valid samples",
    ]


def combining_lines(n_assets: int, n_samples: int) -> list[str]:
    """Tell how many samples the assets make up together."""
    assets = counted(n_assets, "asset")
    return [
        "",
        f"[Fleet] Combining {assets} into global dataset...",
        f"[Fleet] Global dataset: {n_samples:,} samples across {assets}",
    ]


def fold_lines(
    outcome: FoldOutcome,
    round_trip_cost: float,
    symbols: Mapping[str, str] | None = None,
) -> list[str]:
    """Tell about a scored fold: what was learnt from, and how good it was.

    ``symbols`` names assets as an exchange does; without it, or for an asset that it
    does not hold, the canonical name stands.
    """
    tag = f"[Fold {outcome.fold.number}]"
    return [
        "",
        f"{tag} Universal Tensor-Flex v2 Refinement",
        f"  ✓ Universal features: {outcome.n_columns} → {outcome.n_latents} latents",
        "",
        *_gating_lines(tag, outcome),
        "",
        f"{tag} Overall Performance:",
        _overall_line(outcome.forecasts, round_trip_cost),
        "",
        f"{tag} Per-Asset Performance:",
        *(
            _asset_line(
                (symbols or {}).get(str(asset), str(asset)), rows, round_trip_cost
            )
            for asset, rows in outcome.forecasts.groupby("asset")
        ),
    ]


def quality_table(report: pd.DataFrame) -> Table:
    """Lay out what was found in the candles, a row per asset.

    ``report`` is a ``QualityReport`` frame; prices are in quote currency.
    """
    table = blank_table("Candles as found, and what was done about them", is_dense=True)
    # Two lines a header, so that a page of 120 columns holds the whole table.
    titles = [
        *("\nFirst", "\nLast", "\nRows", "\nGaps", "Gap,\nmax h", "\nFilled"),
        *("Seg-\nments", "Re-\npeated", "Off\nhour", "In-\nvalid", "No\nvolume"),
        *("\nLow", "\nHigh", "High/\nlow"),
    ]
    add_columns(table, "\nAsset", titles)
    for row in report.to_dict(orient="records"):
        table.add_row(
            Text(str(row["asset"])),
            *(f"{row[name]:%Y-%m-%d %H}" for name in ("first", "last")),
            *(f"{row[name]:,}" for name in _COUNTS),
            *(f"{row[name]:,.6g}" for name in ("lowest_price", "highest_price")),
            f"{row['high_low_ratio']:,.1f}",
        )
    return table


def quality_lines(report: pd.DataFrame) -> list[str]:
    """Write the quality table as plain lines."""
    return ["", *plain_lines(quality_table(report))]


def _gating_lines(tag: str, outcome: FoldOutcome) -> list[str]:
    embedded = outcome.embedding_width
    state, first = (
        ("Enabled", "Adding asset embeddings to gating network...")
        if embedded
        else ("Disabled", "The gating network sees the physics only")
    )
    return [
        f"{tag} Global MoE Training (Asset Embeddings {state})",
        f"  [MoE] {first}",
        f"    [Gating] Physics features: {outcome.n_physics}",
        f"    [Gating] Asset embedding dim: {embedded}",
        f"    [Gating] Total input dim: {outcome.n_physics + embedded}",
    ]


def _overall_line(forecasts: pd.DataFrame, round_trip_cost: float) -> str:
    hits, earned = _performance(forecasts, round_trip_cost)
    return (
        f"  Precision: {percent(hits.precision)} (base rate {percent(hits.base_rate)}),"
        f" Recall: {percent(hits.recall)}, Expectancy: {decimals(earned, 4)}"
    )


def _asset_line(name: str, rows: pd.DataFrame, round_trip_cost: float) -> str:
    hits, earned = _performance(rows, round_trip_cost)
    return (
        f"  {name:<12}: Prec={percent(hits.precision)}, Base={percent(hits.base_rate)},"
        f" Rec={percent(hits.recall)}, Exp={decimals(earned, 5)}"
    )


def _performance(rows: pd.DataFrame, round_trip_cost: float) -> tuple[Hits, float]:
    is_signal = rows["is_signal"].to_numpy()
    realised = rows["forward_return"].to_numpy()
    return (
        count_hits(is_signal, rows["is_positive"].to_numpy()),
        expectancy(is_signal, realised, round_trip_cost),
    )
