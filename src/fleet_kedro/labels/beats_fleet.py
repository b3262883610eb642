r"""Whether a trade earned more than the same trade in the rest of the fleet.

Assets of one market rise and fall together: most of what an hour brings to one of them,
it brings to all. To whoever learns what sets an asset apart this common part is noise,
and a fleet does not average it out, because eleven assets in one hour are not eleven
outcomes. Held against the others, an outcome is free of it.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped

from fleet_kedro.labels.forward_return import Label, is_positive

LEAST_VOLATILITY = 5e-4
"""Of a return over the horizon; nothing calmer is believed."""


def beats_fleet(
    forward_return: Float[np.ndarray, " rows"],
    return_volatility: Float[np.ndarray, " rows"],
    timestamp: Shaped[np.ndarray, " rows"],
    label: Label,
) -> Bool[np.ndarray, " rows"]:
    r"""Whether each trade beats the mean of the others by more than its cost.

    With ``r`` the forward return, ``s`` its volatility, ``c`` the round-trip cost and
    ``O`` the other assets of the hour,

    .. math:: \frac{r_i - c}{s_i} > \frac{1}{|O|} \sum_{j \in O} \frac{r_j}{s_j}.

    In units of volatility no wild asset speaks for the fleet. An asset that is alone in
    its hour has zero to beat, which makes this its own outcome (`is_positive`).

    Parameters
    ----------
    forward_return
        Return over the horizon from the next open, as a fraction. Known when the trade
        ends, for all assets of an hour at once.
    return_volatility
        Deviation of that return as it is expected at the row's close; a smaller one
        than 0.05 % counts as that.
    timestamp
        The hour of each row; at most one row per hour and asset.
    label
        Whose cost has to be earned on top.

    Raises
    ------
    ValueError
        If a forward return is NaN.
    """
    own = is_positive(forward_return, label)
    volatility = np.maximum(return_volatility.astype(np.float64), LEAST_VOLATILITY)
    score = forward_return / volatility
    hour, _ = pd.factorize(timestamp)
    others = np.bincount(hour)[hour] - 1
    rest = np.bincount(hour, weights=score)[hour] - score
    to_beat = rest / np.maximum(others, 1)
    beats = score - label.round_trip_cost / volatility > to_beat
    # Rounding must not tell the two apart where they mean the same.
    return np.where(others > 0, beats, own)
