"""What a signal earns when it is traded at the next open, after costs."""

import numpy as np
from jaxtyping import Bool, Float


def net_return(
    forward_return: Float[np.ndarray, " rows"], round_trip_cost: float
) -> Float[np.ndarray, " rows"]:
    """Return of a long trade from the next open over the horizon, after both fees."""
    return forward_return - round_trip_cost


def expectancy(
    is_signal: Bool[np.ndarray, " rows"],
    forward_return: Float[np.ndarray, " rows"],
    round_trip_cost: float,
) -> float:
    """Mean *realised* net return per signal, a fraction; NaN without a signal."""
    if not is_signal.any():
        return float("nan")
    return float(net_return(forward_return[is_signal], round_trip_cost).mean())
