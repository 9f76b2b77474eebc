"""Many small reads at once, their results in order: on object storage a read is all waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Name = TypeVar("Name")
Result = TypeVar("Result")

READERS = 16
AHEAD = 32


def fetched(fetch: Callable[[Name], Result], names: Iterable[Name]) -> Iterator[Result]:
    """What `fetch` gives for each name, in the order of the names; never more than 32 results are held.

    An error is raised in the place of its result. Leaving the iterator early drops what was not begun.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="fetch")
    try:
        for name in names:
            waiting.append(pool.submit(fetch, name))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
