"""How strong a link with the label is, and whether it holds from one time block on.

The link of a unit-variance candidate ``u`` with the label ``y`` in block ``b`` is
``r_b = cov_b(u, y) / sd_b(y)``: a correlation, but for the spread of ``u`` being that
of all training rows. It needs first-order sums only and ignores drifts of the block
means, which would otherwise link every slow signal with every rising market.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from fleet_kedro.refine.moments import LinkMoments

_TINY = np.finfo(np.float64).tiny
_MIN_BLOCKS = 2


@dataclass(frozen=True, eq=False)
class BlockLinks:
    """The link of each candidate with the label in each time block.

    ``share`` is the block's share of all rows: a block with few rows has a noisy link
    and counts for less.
    """

    link: Float[np.ndarray, "blocks candidates"]
    share: Float[np.ndarray, " blocks"]

    @classmethod
    def of(cls, moments: Sequence[LinkMoments]) -> "BlockLinks":
        """Links of standardised columns, from one `LinkMoments` a time block.

        Blocks with less than two rows or a constant label say nothing and are left out.

        Raises
        ------
        ValueError
            When fewer than two blocks are left.
        """
        telling = [block for block in moments if _label_deviation(block) > 0]
        if len(telling) < _MIN_BLOCKS:
            msg = (
                f"{len(telling)} of {len(moments)} time blocks have a label that "
                f"varies; the sign of a link needs at least {_MIN_BLOCKS}."
            )
            raise ValueError(msg)
        rows = np.array([block.row_count for block in telling], dtype=np.float64)
        return cls(
            link=np.vstack([_link(block) for block in telling]),
            share=rows / rows.sum(),
        )


@dataclass(frozen=True, eq=False)
class LinkScore:
    """One value a candidate.

    Attributes
    ----------
    mean
        ``r̄ = Σ share_b r_b``: the link, with its sign.
    deviation
        ``√(Σ share_b (r_b − r̄)² / (1 − Σ share_b²))``: how much it moves.
    agreement
        Share of the rows in blocks whose link has the sign of ``r̄``.
    """

    mean: Float[np.ndarray, " candidates"]
    deviation: Float[np.ndarray, " candidates"]
    agreement: Float[np.ndarray, " candidates"]
    effective_blocks: float

    @classmethod
    def of(cls, links: BlockLinks) -> "LinkScore":
        """Summarise the links over the time blocks."""
        share, concentration = links.share, float(links.share @ links.share)
        mean = share @ links.link
        square = share @ (links.link - mean) ** 2
        return cls(
            mean=mean,
            deviation=np.sqrt(square / (1.0 - concentration)),
            agreement=share @ (np.sign(links.link) == np.sign(mean)),
            effective_blocks=1.0 / concentration,
        )

    def strength(self, usual_deviation: float) -> Float[np.ndarray, " candidates"]:
        """``√n |r̄| / (deviation + usual deviation)``, n the effective blocks.

        A t-statistic over the blocks, with a constant in the denominator. With a
        handful of blocks and hundreds of candidates, some deviations are small by luck
        alone and would top a plain t-statistic; the constant, the median deviation of
        all candidates, takes that prize away (Tusher, Tibshirani and Chu 2001).
        """
        spread = np.maximum(self.deviation + usual_deviation, _TINY)
        return np.sqrt(self.effective_blocks) * np.abs(self.mean) / spread


def _label_deviation(block: LinkMoments) -> float:
    """Return the label's standard deviation; zero where only rounding is left."""
    if block.row_count == 0:
        return 0.0
    mean = block.label_sum / block.row_count
    mean_square = block.label_square_sum / block.row_count
    variance = mean_square - mean**2
    return float(np.sqrt(variance)) if variance > 1e-12 * mean_square else 0.0


def _link(block: LinkMoments) -> Float[np.ndarray, " candidates"]:
    """``cov(z, y) / sd(y)`` inside one block."""
    mean_label = block.label_sum / block.row_count
    covariance = (
        block.feature_label_sum - block.feature_sum * mean_label
    ) / block.row_count
    return covariance / _label_deviation(block)
