"""ProbSparse attention beside full attention, forwards and backwards, as windows grow.

Seconds are the best of several passes over a batch on one thread. Multiply-adds of the
forward pass are counted by torch as it computes them, half of its floating point
operations in products of matrices.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from fleet_kedro.models.forecasters.informer import ProbSparseAttention
from fleet_kedro.models.forecasters.transformer import full_attention

WINDOWS = (168, 336, 672)
ROWS, HEADS, DEPTH = 32, 3, 8
FACTOR = 3.0
PASSES = 5

Attention = Callable[[Tensor, Tensor, Tensor], Tensor]


def multiply_adds(attend: Attention, parts: list[Tensor]) -> int:
    """Count those of one window."""
    with FlopCounterMode(display=False) as counter:
        attend(*parts)
    return counter.get_total_flops() // 2 // ROWS


def seconds(attend: Attention, parts: list[Tensor]) -> float:
    """Time one pass, forwards and backwards, over the batch."""
    taken = []
    for _ in range(PASSES):
        started = time.perf_counter()
        torch.autograd.grad(attend(*parts).sum(), parts)
        taken.append(time.perf_counter() - started)
    return min(taken)


def measure(n_bars: int) -> dict[str, float]:
    """Measure both kinds on the same queries, keys and values."""
    torch.manual_seed(n_bars)
    shape = (ROWS, HEADS, n_bars, DEPTH)
    parts = [torch.randn(shape, requires_grad=True) for _ in range(3)]
    record: dict[str, float] = {"bars": n_bars}
    sparse = ProbSparseAttention(n_bars, FACTOR)
    for name, attend in {"sparse": sparse, "full": full_attention}.items():
        record[f"{name}_multiply_adds"] = multiply_adds(attend, parts)
        record[f"{name}_seconds"] = seconds(attend, parts)
    return record


if __name__ == "__main__":
    torch.set_num_threads(1)
    records = [measure(n_bars) for n_bars in WINDOWS]
    for record in records:
        print(json.dumps(record))
    Path(sys.argv[1]).write_text(json.dumps(records))
