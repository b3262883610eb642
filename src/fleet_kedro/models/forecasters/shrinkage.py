"""How much of a forecast is kept, as told by later hours that it was not learnt from.

A forecast that is worth nothing still differs from zero, and each difference costs. One
coefficient is fitted to the later hours and shrunk by its own uncertainty, which is
Breiman's non-negative garrote (1995, section 2) with a single coefficient.
"""

import numpy as np
from jaxtyping import Float


def kept_share(
    forecast: Float[np.ndarray, " rows"],
    outcome: Float[np.ndarray, " rows"],
    block_rows: int,
    doubt: float,
) -> float:
    """Return the share in ``[0, 1]`` by which to multiply later forecasts.

    With ``β = Σ f y / Σ f²`` and its standard error ``s``::

        share = min(β, 1) · max(1 − (doubt · s / β)², 0)    where β > 0, else 0

    So a forecast is dropped whose link with the outcomes is ``doubt`` standard errors
    or less from zero, and one that is far from it is kept nearly whole.

    Outcomes of neighbouring hours overlap, and so do their errors. ``s`` adds them up
    within blocks of time before it squares them: with ``e = y − β f``,
    ``s = √Σ_b (Σ_{t∈b} f e)² / Σ f²``.

    Parameters
    ----------
    forecast, outcome
        In time order, in the same units.
    block_rows
        Rows of a block; at least the longest horizon. The last one may be shorter.
    doubt
        Standard errors.
    """
    power = float(forecast @ forecast)
    slope = float(forecast @ outcome) / power if power > 0.0 else 0.0
    if slope <= 0.0:
        return 0.0
    moment = forecast * (outcome - slope * forecast)
    starts = np.arange(0, len(moment), block_rows)
    error = float(np.linalg.norm(np.add.reduceat(moment, starts))) / power
    return min(slope, 1.0) * max(1.0 - (doubt * error / slope) ** 2, 0.0)
