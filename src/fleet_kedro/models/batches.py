"""The same forecast for a row, whatever rows stand beside it.

BLAS and convolution libraries pick their kernels by the height of a batch, and two
kernels may round differently in the last bit. Batches of one height leave them no
choice.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

BATCH_ROWS = 4096


def in_equal_batches(
    predict: Callable[
        [Float[np.ndarray, "batch inputs"]], Float[np.ndarray, "batch _"]
    ],
    rows: Float[np.ndarray, "rows inputs"],
) -> Float[np.ndarray, "rows outputs"]:
    """Predict batch by batch, the last one filled up with copies of its first row."""
    if not len(rows):
        return predict(rows)
    outputs = []
    for start in range(0, len(rows), BATCH_ROWS):
        batch = rows[start : start + BATCH_ROWS]
        filler = np.broadcast_to(batch[0], (BATCH_ROWS - len(batch), rows.shape[1]))
        outputs.append(predict(np.concatenate([batch, filler]))[: len(batch)])
    return np.concatenate(outputs)
