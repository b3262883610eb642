"""All cores, and yet the same bytes on one core as on many.

A threaded BLAS cuts a product by the number of its threads, which changes the order of
additions and so the last bits. Here BLAS runs on one thread, whole chunks of rows run
side by side, and their results are taken in the order of the chunks.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import TypeVar

import joblib
from threadpoolctl import ThreadpoolController

Job = TypeVar("Job")
Result = TypeVar("Result")


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep the BLAS of this process on one thread until the context ends."""
    limits: AbstractContextManager[object] = _controller().limit(
        limits=1, user_api="blas"
    )
    return limits


@cache
def _controller() -> ThreadpoolController:
    """Look once for the libraries of this process: a look takes milliseconds."""
    return ThreadpoolController()


def in_order(
    compute: Callable[[Job], Result],
    jobs: Sequence[Job],
    n_threads: int | None = None,
) -> Iterator[Result]:
    """Compute the jobs side by side and yield the results in the order of the jobs.

    Parameters
    ----------
    compute
        Spends its time where Python's lock is released, as numpy's products do.
    jobs
        Their number and size must not depend on ``n_threads``.
    n_threads
        As many as the process may use cores, by default.
    """
    n_threads = n_threads or joblib.cpu_count()
    with one_blas_thread(), ThreadPoolExecutor(n_threads) as pool:
        yield from pool.map(compute, jobs)
