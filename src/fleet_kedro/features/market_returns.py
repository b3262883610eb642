"""What the returns of all assets add up to, hour by hour.

Sums run over the assets in the order of their columns, so their last bits do not
depend on how the matrix lies in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from fleet_kedro.features.rolling import Series
from fleet_kedro.features.side_by_side import Matrix


@dataclass(frozen=True, eq=False)
class MarketReturns:
    """Log return of each hour and asset; NaN where there is none."""

    log_return: Matrix

    @cached_property
    def total(self) -> Float[np.ndarray, " hours"]:
        """Sum of the known returns."""
        return sum_of_known(self.log_return)

    @cached_property
    def total_sign(self) -> Float[np.ndarray, " hours"]:
        """Number of assets that rose minus the number that fell."""
        return sum_of_known(self.log_return, np.sign)

    @cached_property
    def n_known(self) -> Float[np.ndarray, " hours"]:
        """Number of assets with a return."""
        return count_known(self.log_return)

    @cached_property
    def dispersion(self) -> Float[np.ndarray, " hours"]:
        """Standard deviation of the known returns; 0 for fewer than two."""
        mean = mean_of_known(self.log_return)

        def squared_deviation(log_return: Series) -> Series:
            deviation = log_return - mean
            return deviation * deviation

        return np.asarray(np.sqrt(mean_of_known(self.log_return, squared_deviation)))

    def of_others(self, rows: slice | np.ndarray, column: int) -> Series:
        """Mean known return of all other assets at some hours; 0 if nobody has one."""
        own = self.log_return[rows, column]
        n_others = self.n_known[rows] - ~np.isnan(own)
        total = self.total[rows] - np.nan_to_num(own, nan=0.0)
        return total / np.maximum(n_others, 1.0)


def sum_of_known(
    values: Matrix, of: Callable[[Series], Series] = np.asarray
) -> Float[np.ndarray, " hours"]:
    """Sum, over each row's known values, of a function of them; 0 where none is known.

    The function is given a column at a time, and keeps NaN.
    """
    total = np.zeros(len(values))
    for column in values.T:
        total += np.nan_to_num(of(column), nan=0.0)
    return total


def mean_of_known(
    values: Matrix, of: Callable[[Series], Series] = np.asarray
) -> Float[np.ndarray, " hours"]:
    """Mean of the same; 0 where none is known."""
    return sum_of_known(values, of) / np.maximum(count_known(values), 1.0)


def count_known(values: Matrix) -> Float[np.ndarray, " hours"]:
    """Count each row's known values."""
    count = np.zeros(len(values))
    for column in values.T:
        count += ~np.isnan(column)
    return count
