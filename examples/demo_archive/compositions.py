"""Pictures with several faces, put together as studios did: a board of ovals, a sheet of contact prints."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from demo_archive import ageing
from demo_archive.portrait import EYE_DISTANCE, Picture, grey, piece

BUST = (112, 4, 340, 296)
FACE_CENTRE = (223.5, 112.0)
"""Between the eyes and the mouth in the source picture, x and y."""


@dataclass(frozen=True)
class Place:
    """Where a portrait goes on a board.

    Attributes:
        x: centre, pixels from the left.
        y: centre, pixels from the top.
        eyes: distance between the eyes in pixels of the board.
        tilt: degrees, counter-clockwise.
        mirrored: left and right swapped.
    """

    x: float
    y: float
    eyes: float
    tilt: float = 0.0
    mirrored: bool = False


CLASS_BOARD = (
    Place(450, 330, 58),
    Place(150, 205, 34, -9, True),
    Place(750, 205, 34, 12),
    Place(130, 480, 30, 4),
    Place(770, 480, 30, -16, True),
    Place(290, 640, 24, 24),
    Place(610, 640, 24, -22, True),
)
CLASS_BOARD_SIZE = (900, 780)


def card(size: tuple[int, int], rng: Generator, shade: float) -> Picture:
    """Plain mounting card of (width, height) pixels: grey `shade` with the unevenness of paper."""
    paper = np.full(size[::-1], shade, np.float32)
    return ageing.grain(ageing.uneven(paper, rng, 0.018), rng, 0.012, 0.9)


def _oval(eyes: float) -> tuple[Picture, Picture]:
    """Grey bust whose eyes are `eyes` pixels apart, and the soft oval (0 to 1) that it is cut out with."""
    bust = grey(piece(BUST, eyes / EYE_DISTANCE))
    height, width = bust.shape
    mask = np.zeros(bust.shape, np.uint8)
    cv2.ellipse(
        mask, (width // 2, height // 2), (int(width * 0.47), int(height * 0.48)), 0, 0, 360, 255, -1, cv2.LINE_AA
    )
    return bust, cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), max(1.0, eyes / 22))


def place_oval(board: Picture, place: Place) -> Picture:
    """Put one oval portrait on a grey board and return the new board."""
    bust, mask = _oval(place.eyes)
    if place.mirrored:
        bust, mask = bust[:, ::-1], mask[:, ::-1]
    height, width = bust.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), place.tilt, 1.0)
    matrix[:, 2] += (place.x - (width - 1) / 2, place.y - (height - 1) / 2)
    size = board.shape[::-1]
    moved = cv2.warpAffine(
        np.ascontiguousarray(bust), matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    weight = cv2.warpAffine(np.ascontiguousarray(mask), matrix, size, flags=cv2.INTER_LINEAR)
    return np.asarray(np.clip(board * (1 - weight) + moved * weight, 0, 1), np.float32)


def lettered(board: Picture, text: str, y: int, size: int) -> Picture:
    """Write a centred line in dark ink on a grey board, its middle at `y`, letters of `size` pixels."""
    mask = Image.new("L", board.shape[::-1], 0)
    draw = ImageDraw.Draw(mask)
    draw.text((board.shape[1] / 2, y), text, fill=200, font=ImageFont.load_default(size), anchor="mm")
    ink = np.asarray(mask, np.float32) / 255
    return np.asarray(board * (1 - ink) + 0.18 * ink, np.float32)


def class_board(rng: Generator) -> Picture:
    """Seven ovals of different sizes and tilts on a card, (780, 900) grey: eye distances from 24 to 58 pixels."""
    board = card(CLASS_BOARD_SIZE, rng, 0.80)
    for place in CLASS_BOARD:
        board = place_oval(board, place)
    return lettered(board, "FLIGHT CLASS  ·  1931", 735, 30)


def contact_sheet(rng: Generator, columns: int = 6, rows: int = 4) -> Picture:
    """Small prints in rows, (H, W) grey: eye distances from 14 to 20 pixels."""
    cell_width, cell_height = 124, 158
    sheet = card((columns * cell_width + 40, rows * cell_height + 40), rng, 0.12)
    for index in range(columns * rows):
        row, column = divmod(index, columns)
        eyes = 14.0 + 6.0 * index / (columns * rows - 1)
        scale = eyes / EYE_DISTANCE
        half = (48 / scale, 64 / scale)
        box = _window(FACE_CENTRE, half)
        print_ = grey(piece(box, scale, mirrored=bool(rng.random() < 0.5)))
        print_ = ageing.fade(print_, float(rng.uniform(0.02, 0.10)), float(rng.uniform(0.82, 0.98)))
        x = 20 + column * cell_width + (cell_width - print_.shape[1]) // 2
        y = 20 + row * cell_height + (cell_height - print_.shape[0]) // 2
        sheet[y : y + print_.shape[0], x : x + print_.shape[1]] = print_
    return sheet


def _window(centre: tuple[float, float], half: tuple[float, float]) -> tuple[int, int, int, int]:
    """Box around a centre, pushed and cut to lie inside the 512 x 512 source."""
    x0 = max(0, round(centre[0] - half[0]))
    y0 = max(0, round(centre[1] - half[1] * 0.7))
    return x0, y0, min(512, round(x0 + 2 * half[0])), min(512, round(y0 + 2 * half[1]))
