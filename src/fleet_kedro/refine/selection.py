"""Which candidates become latents: strong, steady in sign, and not twice the same."""

import numpy as np
from jaxtyping import Bool, Float, Int

from fleet_kedro.refine.tensor_talk import Candidates


def select_latents(
    candidates: Candidates,
    is_stable: Bool[np.ndarray, " candidates"],
    correlation: Float[np.ndarray, "components components"],
    n_latents: int,
    max_correlation: float,
) -> Int[np.ndarray, " chosen"]:
    """Take candidates in order of merit, passing over near-copies of earlier ones.

    Parameters
    ----------
    candidates
        Unit-variance mixtures of components.
    is_stable
        These come first, each group by falling strength.
    correlation
        Correlations of the components.
    n_latents
        Most candidates to take.
    max_correlation
        A candidate that correlates more than this, in size, with one already taken is
        passed over for good.

    Returns
    -------
    Positions of the chosen candidates, best first; fewer than ``n_latents`` when there
    are not that many distinct ones. Equal merit goes to the earlier candidate.
    """
    order = np.lexsort((-candidates.strength, ~is_stable))
    chosen: list[int] = []
    against = np.empty((n_latents, len(correlation)))
    for candidate in order:
        if len(chosen) == n_latents:
            break
        mixing = candidates.mixing[:, candidate]
        overlap = np.abs(against[: len(chosen)] @ mixing)
        if overlap.max(initial=0.0) <= max_correlation:
            against[len(chosen)] = correlation @ mixing
            chosen.append(int(candidate))
    return np.array(chosen, dtype=np.intp)
