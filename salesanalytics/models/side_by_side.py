"""Fits that do not need each other, on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")


def side_by_side(fits: Sequence[Callable[[], T]]) -> list[T]:
    """Run independent fits in threads, a core each, and give back what they find in their order.

    A core a fit is faster than all cores for each in turn: the threads of one fit wait for one another at every
    product of matrices, which on a machine with other work costs more than they bring.
    """
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda fit: fit(), fits))
