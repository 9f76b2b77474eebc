"""Finding white scratches and white dust on the skin of a face."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points
from operators.restorers.classic.facemap import highlights, skin
from operators.restorers.classic.specks import Flags, Relief, Window, extent, parts, relief, stands_clear

Places = tuple[NDArray[np.intp], ...]

# A scratch: its least length in sides of the crop and in widths, the least share of it that crosses skin, the largest
# share of it where highlights belong, and half the length of the straight pieces that it is made of.
_LEAST_LENGTH = 0.1
_LEAST_ELONGATION = 12.0
_LEAST_ON_SKIN = 0.2
_MOST_ON_HIGHLIGHTS = 0.6

# A line this long, in sides of the crop, is no highlight on glasses or lips: the last condition does not hold for it.
_TOO_LONG_FOR_HIGHLIGHT = 0.2
_PIECE = 0.03
_DIRECTIONS = 16

# Beyond the end of a scratch its pixels are this white, as a share of the crop's brightest tones.
_WHITE_ON_LINE = 0.85

# How much brighter one side of a scratch may be than the other, in contrasts of the scratch; more is an outline.
_MOST_ONE_SIDED = 0.8

# How much of its bounding square a speck fills; a disc fills 0.79.
_LEAST_COMPACT = 0.4


def white_defects(face: NDArray[np.float32], landmarks: Points, scratches: bool, dust: bool) -> NDArray[np.uint8]:
    """Mark pixels of white scratches and white specks of dust.

    A scratch is long, thin and straight or nearly so; a speck is small and compact. Either must be near white, lie on
    the skin, and stand out from quiet surroundings. A speck is not looked for in the eyes, under glasses, on the tip of
    the nose or in the mouth, where highlights belong. Dark defects are left alone: lashes, moles and frames of glasses
    look the same.

    Args:
        face: (S, S, 3) float32 in [0, 1], RGB.
        landmarks: (5, 2) float64 in pixels of `face`.
        scratches: look for scratches.
        dust: look for dust.

    Returns:
        (S, S) uint8, 255 where a defect is and 0 elsewhere.
    """
    shape = relief(face)
    side = face.shape[0]
    on_skin, of_face = skin(side, landmarks), highlights(side, landmarks)
    found = np.zeros((side, side), dtype=np.bool_)
    if scratches:
        found |= _scratches(shape, on_skin, of_face)
    if dust:
        found |= _dust(shape, on_skin & ~of_face)
    # Half-covered pixels at the rim belong to the defect.
    return np.asarray(cv2.dilate(found.astype(np.uint8) * np.uint8(255), np.ones((5, 5), dtype=np.uint8)))


def _dust(shape: Relief, allowed: Flags) -> Flags:
    """Small compact parts that lie only where no highlight belongs."""
    found = np.zeros_like(shape.candidates)
    for window, own in parts(shape.candidates, 2 * shape.radius, most=2 * shape.radius + 1):
        count = int(np.count_nonzero(own))
        compact = count >= 2 and count >= _LEAST_COMPACT * extent(own) ** 2
        if compact and allowed[window][own].all() and stands_clear(shape, window, own):
            found[window] |= own
    return found


def _scratches(shape: Relief, on_skin: Flags, of_face: Flags) -> Flags:
    """Long thin parts. Each direction is looked at by itself, so that scratches which cross do not hide each other."""
    side = len(on_skin)
    thin = _thin(shape)
    white = np.nonzero(shape.candidates & (shape.whiteness > _WHITE_ON_LINE))
    found = np.zeros_like(thin)
    # Even from corner to corner of its box nothing smaller is long enough.
    least = math.ceil(0.7 * _LEAST_LENGTH * side)
    for window, own in parts(thin, 2 * shape.radius, least):
        if not on_skin[window][own].any():
            continue
        for piece in _straight_pieces(own, max(5, round(_PIECE * side))):
            for inner, pixels in parts(piece, max(2 * shape.radius, shape.radius + 3), least):
                there = _inside(window, inner)
                if _is_scratch(pixels, shape, there, on_skin, of_face):
                    found[there] |= pixels
                    found[_continued(pixels, white, there)] = True
    return found


def _inside(outer: Window, inner: Window) -> Window:
    """A window that is given in the pixels of another one, in the face's pixels."""
    rows, columns = (
        slice(whole.start + part.start, min(whole.start + part.stop, whole.stop))
        for whole, part in zip(outer, inner, strict=True)
    )
    return rows, columns


def _is_scratch(own: Flags, shape: Relief, window: Window, on_skin: Flags, of_face: Flags) -> bool:
    """Whether a straight piece is a scratch: on the skin, long and thin, no highlight, and clear of what is around."""
    if on_skin[window][own].mean() < _LEAST_ON_SKIN or not _is_line(own, shape, window):
        return False
    short = _line(own).length < _TOO_LONG_FOR_HIGHLIGHT * len(on_skin)
    if short and of_face[window][own].mean() > _MOST_ON_HIGHLIGHTS:
        return False
    return stands_clear(shape, window, own)


def _thin(shape: Relief) -> Flags:
    """Candidates without what is too broad for a scratch."""
    flags = shape.candidates.astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (shape.radius | 1,) * 2)
    broad = cv2.dilate(cv2.morphologyEx(flags, cv2.MORPH_OPEN, disc), disc)
    return np.asarray((flags > 0) & (broad == 0))


def _straight_pieces(own: Flags, length: int) -> list[Flags]:
    """What remains of a part when it is opened by lines of three neighbouring directions, for each direction.

    Three, so that a scratch that bends a little stays in one piece.
    """
    # One pixel more on either side makes up for the steps of a slanting line.
    flags = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), dtype=np.uint8))
    opened: list[Flags] = []
    for step in range(_DIRECTIONS):
        turn = math.pi * step / _DIRECTIONS
        line = np.zeros((2 * length + 1,) * 2, dtype=np.uint8)
        dx, dy = round(length * math.cos(turn)), round(length * math.sin(turn))
        cv2.line(line, (length - dx, length - dy), (length + dx, length + dy), 1)
        kept = cv2.morphologyEx(flags, cv2.MORPH_OPEN, line, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        opened.append((kept > 0) & own)
    return [opened[step - 2] | opened[step - 1] | opened[step] for step in range(_DIRECTIONS)]


@dataclass(frozen=True)
class _Line:
    """The line through a part, in pixels of its window.

    Attributes:
        centre: x, y of the part's middle.
        along: unit vector of the direction in which the part is longest.
        aside: unit vector at a right angle to it.
        length: extent in pixels.
        width: mean width in pixels.
    """

    centre: NDArray[np.float64]
    along: NDArray[np.float64]
    aside: NDArray[np.float64]
    length: float
    width: float


def _line(own: Flags) -> _Line:
    rows, columns = np.nonzero(own)
    centre = np.array([columns.mean(), rows.mean()])
    x, y = columns - centre[0], rows - centre[1]
    # Sums rather than a matrix product, whose rounding may depend on the number of threads.
    across, both, down = (float(np.sum(one)) for one in (x * x, x * y, y * y))
    _, axes = np.linalg.eigh(np.array([[across, both], [both, down]]))
    length = float(np.ptp(x * axes[0, 1] + y * axes[1, 1])) + 1.0
    return _Line(centre, axes[:, 1], axes[:, 0], length, len(rows) / length)


def _is_line(own: Flags, shape: Relief, window: Window) -> bool:
    """Long for its width, and about as dark on one side as on the other."""
    if own.sum() < 3:
        return False
    line = _line(own)
    if line.length < _LEAST_LENGTH * shape.luma.shape[0] or line.length < _LEAST_ELONGATION * line.width:
        return False
    near = cv2.dilate(own.astype(np.uint8), np.ones((7, 7), dtype=np.uint8))
    far = cv2.dilate(near, np.ones((2 * shape.radius + 1,) * 2, dtype=np.uint8))
    rows, columns = np.nonzero((far > 0) & (near == 0) & ~shape.candidates[window])
    aside = (columns - line.centre[0]) * line.aside[0] + (rows - line.centre[1]) * line.aside[1]
    tones = shape.luma[window][rows, columns]
    if not (aside > 0).any() or not (aside < 0).any():
        return False
    difference = abs(float(np.median(tones[aside > 0])) - float(np.median(tones[aside < 0])))
    return difference <= _MOST_ONE_SIDED * float(shape.height[window][own].mean())


def _continued(own: Flags, white: Places, window: Window) -> Places:
    """White pixels on the line beyond a scratch's ends, as far again as it is long.

    A scratch does not stop at an eye, a tooth or a highlight, where it cannot be told by itself.

    Args:
        own: the scratch's pixels in the window.
        white: rows and columns of the face's white pixels.
        window: where the scratch was cut from.

    Returns:
        Rows and columns of those on the line.
    """
    line = _line(own)
    rows, columns = white
    x, y = columns - window[1].start - line.centre[0], rows - window[0].start - line.centre[1]
    on_line = np.abs(x * line.aside[0] + y * line.aside[1]) <= line.width / 2.0 + 1.0
    on_line &= np.abs(x * line.along[0] + y * line.along[1]) <= 1.5 * line.length
    return rows[on_line], columns[on_line]
