"""Signals while a run is driven."""

from __future__ import annotations

import gc
import os
import signal

import pytest

from pipeline.signals import Interrupted, terminable


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGTERM, Interrupted), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_is_an_exception_and_the_handlers_come_back(number: signal.Signals, kind: type) -> None:
    before = signal.getsignal(number)
    with pytest.raises(kind), terminable():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_whose_exception_was_swallowed_is_not_forgotten() -> None:
    class Finalised:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(1000):  # the handler runs between two bytecodes, in here
                pass

    with terminable() as stopped:
        Finalised()
        gc.collect()
        assert stopped.is_set()


def test_an_ignored_interrupt_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with terminable() as stopped:
            os.kill(os.getpid(), signal.SIGINT)
        assert not stopped.is_set()
    finally:
        signal.signal(signal.SIGINT, before)
