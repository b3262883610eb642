"""How often a request is repeated, and how long one waits before it is."""

import numpy as np
from pydantic import Field

from fleet_kedro.config import Config


class Patience(Config):
    """Attempts at one request, and the pauses between them.

    The pause after attempt ``k`` is drawn between the half and the whole of
    ``min(longest_backoff_seconds, backoff_seconds * 2^(k - 1))``.
    """

    max_attempts: int = Field(default=8, ge=1)
    backoff_seconds: float = Field(default=1.0, gt=0)
    longest_backoff_seconds: float = Field(default=60.0, gt=0)
    timeout_seconds: float = Field(default=10.0, gt=0)

    def pause_after(self, attempt: int, rng: np.random.Generator) -> float:
        """Draw the seconds to wait after an attempt, the first being 1."""
        whole = self.backoff_seconds * 2.0 ** (attempt - 1)
        return float(min(self.longest_backoff_seconds, whole) * rng.uniform(0.5, 1.0))
