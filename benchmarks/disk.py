"""What the disk under a directory takes to keep something."""

import os
import time
from pathlib import Path
from statistics import median
from typing import Final

__all__ = ["measure_sync_us"]

_WRITES: Final = 200
_BLOCK: Final = b"x" * 4_096


def measure_sync_us(directory: Path) -> float:
    """Microseconds of an `fdatasync` behind 4 KiB written, p50 of 200: the least that a durable commit can take."""
    path = directory / "sync"
    samples_s = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_WRITES):
            file.write(_BLOCK)
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            samples_s.append(time.perf_counter() - begin)
    path.unlink()
    return median(samples_s) * 1e6
