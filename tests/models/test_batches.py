import numpy as np
import pytest

from fleet_kedro.models.batches import BATCH_ROWS, in_equal_batches

MATRIX = np.random.default_rng(0).normal(size=(31, 3)).astype(np.float32)


def product(rows: np.ndarray) -> np.ndarray:
    assert len(rows) == BATCH_ROWS
    return rows @ MATRIX


class TestProperties:
    @pytest.mark.parametrize("n_rows", [1, BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 7])
    def test_equals_the_whole_product(self, n_rows: int) -> None:
        rows = np.random.default_rng(1).normal(size=(n_rows, 31)).astype(np.float32)
        np.testing.assert_allclose(
            in_equal_batches(product, rows), rows @ MATRIX, rtol=1e-5, atol=1e-5
        )

    @pytest.mark.parametrize("n_rows", [1, 2, 3, 17, 1011, BATCH_ROWS + 1])
    def test_the_rows_beside_a_row_do_not_change_a_bit_of_it(self, n_rows: int) -> None:
        rows = np.random.default_rng(2).normal(size=(6000, 31)).astype(np.float32)
        np.testing.assert_array_equal(
            in_equal_batches(product, rows[:n_rows]),
            in_equal_batches(product, rows)[:n_rows],
        )

    def test_no_rows_give_no_rows(self) -> None:
        none = np.empty((0, 31), dtype=np.float32)
        assert in_equal_batches(lambda rows: rows @ MATRIX, none).shape == (0, 3)
