"""Reads hundreds of damaged files, in a process that may die of it.

Called with a format's name and a folder that holds ``good``. Prints how many were
refused with a ValueError and how many were still read; anything else ends the process.
"""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fleet_kedro.models.formats import (
    arrays_from_bytes,
    lightgbm_from_bytes,
    xgboost_from_bytes,
)

N_COLUMNS = 10
X = np.random.default_rng(1).standard_normal((50, N_COLUMNS)).astype(np.float32)
READERS: dict[str, Callable[[bytes], object]] = {
    "arrays": lambda content: [
        array.astype(float).sum() for array in arrays_from_bytes(content).values()
    ],
    "lightgbm": lambda content: lightgbm_from_bytes(content).predict(X, num_threads=1),
    "xgboost": lambda content: xgboost_from_bytes(content).inplace_predict(X),
}


def damaged(good: bytes, seed: int) -> bytes:
    """Cut the end, change bytes, drop a part, add a part, or swap two parts."""
    rng = np.random.default_rng(seed)
    content = bytearray(good)
    first, second = sorted(rng.integers(0, len(good) - 60, 2))
    match seed % 5:
        case 0:
            del content[second:]
        case 1:
            for place in rng.integers(0, len(good), rng.integers(1, 4)):
                content[place] = rng.integers(256)
        case 2:
            del content[first:second]
        case 3:
            content[first:first] = rng.bytes(int(rng.integers(1, 30)))
        case _:
            size = int(rng.integers(4, 60))
            content[first : first + size] = good[second : second + size]
            content[second : second + size] = good[first : first + size]
    return bytes(content)


def main(name: str, folder: Path, n_files: int) -> None:
    """Read the damaged files one after the other."""
    good = (folder / "good").read_bytes()
    ends: Counter[str] = Counter()
    for seed in range(n_files):
        content = damaged(good, seed)
        if content == good:
            continue
        try:
            READERS[name](content)
        except ValueError:
            ends["refused"] += 1
        else:
            ends["read"] += 1
    print(ends["refused"], ends["read"])  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
