"""One scale per asset and one matrix for the fleet, for every fold in one pass.

Each asset is read once. Its rows between two fold borders become one block of sums;
the training span of a fold is a run of whole blocks, so its sums are sums of blocks,
scaled by the asset's own training mean and deviation (an affine change, which sums
survive) and added to the fold's pooled sums. Memory depends on the number of folds and
columns, not on the number of assets.

An asset with too few rows in a training span, because it was listed late, say, is left
out of that fold: its scale would be noise, and it would carry the noise into the fold's
pooled sums and forecasts.
"""

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Int

from fleet_kedro.features.lags import LAGS, project_lagged
from fleet_kedro.features.scaling import ScalingSums, ZScore
from fleet_kedro.market.schema import BAR
from fleet_kedro.refine.moments import LinkMoments, Moments
from fleet_kedro.refine.panel_moments import (
    AssetRows,
    asset_link_moments,
    asset_moments,
)
from fleet_kedro.refine.tensor_flex import TensorFlexRefiner
from fleet_kedro.splits.walk_forward import Fold

FEWEST_LINK_BLOCKS = 4
LEAST_SHARE_OF_SPAN = 0.1
"""Share of a training span's bars that an asset needs as rows to take part in it."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class FleetRefiner:
    """What a fold has learnt about its columns: a z-score per asset, one projection.

    An asset without a scale was left out of the fold.
    """

    scales: Mapping[str, ZScore]
    flex: TensorFlexRefiner

    def latents(
        self,
        asset: str,
        signals: Float32[np.ndarray, "bars signals"],
        segment: Int[np.ndarray, " bars"],
    ) -> Float32[np.ndarray, "bars latents"]:
        """Scale, lag and project one asset's base signals.

        NaN where a lag is missing, and everywhere for an asset that was left out.
        Scaling and projection are both affine, so they are one matrix.
        """
        if asset not in self.scales:
            return np.full((len(signals), self.flex.n_latents_), np.nan, np.float32)
        mean = np.tile(self.scales[asset].mean, len(LAGS))
        scale = np.tile(self.scales[asset].scale, len(LAGS))
        projection = self.flex.projection_ / scale[:, np.newaxis]
        offset = self.flex.offset_ - mean @ projection
        projected = project_lagged(signals, segment, projection.astype(np.float32))
        return projected + offset.astype(np.float32)


class FleetRefinement:
    """The sums of all folds, filled asset by asset.

    Parameters
    ----------
    folds
        Their training spans are fitted.
    is_flag
        Signals that no scaling may touch.
    flex
        Unfitted refiner, cloned for each fold.
    link_block_days
        Length of the time blocks across which a link must keep its sign.
    """

    def __init__(
        self,
        folds: Sequence[Fold],
        is_flag: Bool[np.ndarray, " signals"],
        flex: TensorFlexRefiner,
        link_block_days: int,
    ) -> None:
        n_columns = len(LAGS) * len(is_flag)
        edges = {fold.train_start for fold in folds} | {f.train_end for f in folds}
        self._folds = folds
        self._is_flag = is_flag
        self._flex = flex
        self._edges = pd.DatetimeIndex(sorted(edges))
        self._fine_edges = _subdivided(
            self._edges, folds, pd.Timedelta(days=link_block_days)
        )
        self._scales: list[dict[str, ZScore]] = [{} for _ in folds]
        self._moments = [Moments.zero(n_columns) for _ in folds]
        self._links = [
            [LinkMoments.zero(n_columns) for _ in _blocks(self._fine_edges, fold)]
            for fold in folds
        ]

    def add(self, asset: str, timestamp: pd.DatetimeIndex, rows: AssetRows) -> None:
        """Add one asset's rows to the sums of every fold that trains on them.

        A fold in whose training span fewer than a tenth of the bars are used rows, or
        at whose end the asset is younger than the fold demands, goes on without the
        asset; a warning says so.
        """
        coarse = asset_moments(
            rows, _block_of(timestamp, self._edges), len(self._edges) - 1, LAGS
        )
        fine = asset_link_moments(
            rows,
            _block_of(timestamp, self._fine_edges),
            len(self._fine_edges) - 1,
            LAGS,
        )
        spans = [_blocks(self._edges, fold) for fold in self._folds]
        totals = _totals(coarse, spans)
        for number, (fold, total) in enumerate(zip(self._folds, totals, strict=True)):
            is_old_enough = len(timestamp) > 0 and fold.admits(timestamp[0])
            enough_rows = total.row_count >= LEAST_SHARE_OF_SPAN * _bars(fold)
            if not (is_old_enough and enough_rows):
                logger.warning(_left_out(asset, total.row_count, fold))
            else:
                links = [fine[block] for block in _blocks(self._fine_edges, fold)]
                self._pool(number, asset, total, links)

    def fit(self, number: int) -> FleetRefiner:
        """Fit the refiner of the fold at this position.

        Raises
        ------
        ValueError
            When every asset was left out of the fold.
        """
        if not self._scales[number]:
            fold = self._folds[number]
            raise ValueError(
                "No asset has enough rows to learn from between "
                f"{fold.train_start} and {fold.train_end}: give more warm-up, a later "
                "start or fewer folds."
            )
        flex = TensorFlexRefiner(**self._flex.get_params())
        flex.fit_moments(self._moments[number], self._links[number])
        return FleetRefiner(self._scales[number], flex)

    def _pool(
        self, number: int, asset: str, total: Moments, links: Sequence[LinkMoments]
    ) -> None:
        """Scale an asset's sums by its own training rows and add them to a fold's."""
        score = _z_score(total, self._is_flag)
        mean, scale = np.tile([score.mean, score.scale], len(LAGS))
        self._scales[number][asset] = score
        so_far = self._moments[number]
        self._moments[number] = so_far.plus_standardised(total, mean, scale)
        self._links[number] = [
            pooled + link.standardised(mean, scale)
            for pooled, link in zip(self._links[number], links, strict=True)
        ]


def _z_score(moments: Moments, is_flag: Bool[np.ndarray, " signals"]) -> ZScore:
    """Scale base signals by their own rows at lag zero, which come first."""
    n_signals = len(is_flag)
    spread = moments.scale()[:n_signals]
    sums = ScalingSums(
        count=np.full(n_signals, moments.row_count),
        mean=moments.mean()[:n_signals],
        squared_deviation=moments.row_count * spread**2,
    )
    return ZScore.from_sums(sums, is_flag)


def _subdivided(
    edges: pd.DatetimeIndex, folds: Sequence[Fold], length: pd.Timedelta
) -> pd.DatetimeIndex:
    """Cut each span between edges into equal parts of about ``length``.

    Even the shortest training has enough parts to show whether a link keeps its sign.
    """
    spans = list(itertools.pairwise(edges))
    parts = [max(1, round((right - left) / length)) for left, right in spans]
    for fold in folds:
        trained = _blocks(edges, fold)
        if sum(parts[span] for span in trained) < FEWEST_LINK_BLOCKS:
            fewest = -(-FEWEST_LINK_BLOCKS // len(trained))
            for span in trained:
                parts[span] = max(parts[span], fewest)
    fine = [edges[0]]
    for (left, right), count in zip(spans, parts, strict=True):
        fine.extend(pd.date_range(left, right, periods=count + 1)[1:].floor(BAR))
    return pd.DatetimeIndex(fine)


def _totals(blocks: Sequence[Moments], spans: Sequence[range]) -> Iterator[Moments]:
    """Add up the blocks of each span; one that goes on from the last adds what is new.

    One total is in memory at a time: a matrix of 2,778 columns is 62 MB.
    """
    covered = range(0)
    for span in spans:
        goes_on = span.start == covered.start and covered.stop <= span.stop
        if not (covered and goes_on):
            total, covered = blocks[span.start], range(span.start, span.start + 1)
        for block in range(covered.stop, span.stop):
            total = total + blocks[block]
        covered = span
        yield total


def _bars(fold: Fold) -> int:
    """Return the length of the fold's training span."""
    return int((fold.train_end - fold.train_start) / BAR)


def _left_out(asset: str, row_count: int, fold: Fold) -> str:
    return (
        f"{asset} is left out of the fold that trains up to {fold.train_end}: "
        f"{row_count} of {_bars(fold)} bars are rows to learn from."
    )


def _blocks(edges: pd.DatetimeIndex, fold: Fold) -> range:
    """Return the blocks that make up the fold's training span."""
    first, last = edges.searchsorted(
        pd.DatetimeIndex([fold.train_start, fold.train_end])
    )
    return range(first, last)


def _block_of(
    timestamp: pd.DatetimeIndex, edges: pd.DatetimeIndex
) -> Int[np.ndarray, " bars"]:
    """Return the block of each row, -1 outside all of them."""
    block = edges.searchsorted(timestamp, side="right") - 1
    return np.where(block < len(edges) - 1, block, -1)
