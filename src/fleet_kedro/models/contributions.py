"""Which latents made a forecast what it is: one after the other is taken away.

A latent has mean 0 and variance 1 over the rows that its refiner has learnt from. What
it contributes to a forecast is by how much the probability falls when it is put at that
mean while all else stays (Zeiler and Fergus 2014, section 4, hide a part of an image in
this way). It holds for whatever the experts are, but contributions do not add up where
latents act together.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from fleet_kedro.models.mixture import MixtureOfExpertsEnsemble

_LATENT = "latent_"


def latent_contributions(
    mixture: MixtureOfExpertsEnsemble,
    inputs: pd.DataFrame,
    asset: Shaped[np.ndarray, " rows"],
    probability: Float[np.ndarray, " rows"],
) -> pd.DataFrame:
    """Ask about each row as often as there are latents, each time without one of them.

    Returns
    -------
    pandas.DataFrame
        A row per (row, latent), row by row, the largest contribution in size first:
        ``asset``, ``latent``, ``value`` (in deviations) and ``contribution`` (of
        probability; positive where the latent speaks for a positive outcome).
    """
    place = np.flatnonzero(inputs.columns.str.startswith(_LATENT))
    names = inputs.columns[place].to_list()
    values = inputs.to_numpy()
    without = np.repeat(values, len(names), axis=0)
    without[np.arange(len(without)), np.tile(place, len(values))] = 0.0
    table = pd.DataFrame(
        {
            "asset": np.repeat(asset, len(names)),
            "latent": np.tile(names, len(values)),
            "value": values[:, place].ravel().astype(np.float64),
        }
    )
    said = mixture.forecast(
        pd.DataFrame(without, columns=inputs.columns), table["asset"].to_numpy()
    )
    contribution = np.repeat(probability, len(names)) - said.probability
    row = np.repeat(np.arange(len(values)), len(names))
    largest_first = np.lexsort((-np.abs(contribution), row))
    told = table.assign(contribution=contribution)
    return told.iloc[largest_first].reset_index(drop=True)
