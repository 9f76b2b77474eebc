"""Where tiles lie."""

from __future__ import annotations

import itertools

import pytest

from operators.whole.windows import Tiling, spans


@pytest.mark.parametrize("tile", [8, 16, 64])
@pytest.mark.parametrize("overlap", [0, 1, 3])
@pytest.mark.parametrize("multiple", [1, 2, 4])
def test_every_pixel_is_kept_once_and_far_enough_from_its_windows_edge(tile, overlap, multiple):
    if tile - 2 * (-(-overlap // multiple) * multiple) < multiple:
        with pytest.raises(ValueError, match="leaves nothing to keep"):
            Tiling(tile, overlap, multiple=multiple)
        return
    tiling = Tiling(tile, overlap, multiple=multiple)
    for length in range(1, 200, 3):
        padded = tiling.padded(length)
        assert length <= padded < length + multiple
        laid = spans(padded, tiling)
        assert [pixel for span in laid for pixel in range(span.first, span.last)] == list(range(padded))
        assert {span.stop - span.start for span in laid} == {min(tile, padded)}
        assert laid[0].start == 0
        assert laid[-1].stop == padded
        for span in laid:
            assert span.start == 0 or span.first - span.start >= overlap
            assert span.stop == padded or span.stop - span.last >= overlap
            assert all(place % multiple == 0 for place in (span.start, span.stop, span.first, span.last))


def test_there_are_no_more_windows_than_needed():
    tiling = Tiling(64, 8)
    for length in range(65, 600, 7):
        count = len(spans(length, tiling))
        assert (count - 1) * 48 + 16 < length <= count * 48 + 16


def test_windows_are_spread_evenly():
    starts = [span.start for span in spans(1000, Tiling(256, 32))]
    steps = {after - before for before, after in itertools.pairwise(starts)}
    assert len(starts) == 5
    assert max(steps) - min(steps) <= 1


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ({"tile": 64, "overlap": 32}, "expected a tile of 65 or more"),
        ({"tile": 60, "overlap": 8, "multiple": 8}, "expected a multiple of 8"),
        ({"tile": 32, "overlap": 9, "multiple": 8}, "expected a tile of 40 or more"),
        ({"tile": 0}, "lengths of 1 or more"),
        ({"tile": 64, "overlap": -1}, "overlap of 0 or more"),
        ({"tile": 64, "batch": 0}, "lengths of 1 or more"),
        ({"tile": 64, "scale": 0}, "lengths of 1 or more"),
    ],
)
def test_lengths_that_cannot_be(lengths, message):
    with pytest.raises(ValueError, match=message):
        Tiling(**lengths)
