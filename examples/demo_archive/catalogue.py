"""The list of everything in the demo archive, and how each picture is made."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from demo_archive import ageing, compositions, formats
from demo_archive.formats import Description
from demo_archive.portrait import CREDIT, PANCHROMATIC, grey, piece

HALF_LENGTH = (60, 0, 400, 430)
BUST = (92, 0, 352, 318)
HEAD = (132, 0, 322, 232)
MODEL = (322, 0, 512, 290)


@dataclass(frozen=True)
class Entry:
    """One file of the archive.

    Attributes:
        name: path in the archive, with forward slashes.
        make: from the description and the file's own random numbers to its bytes.
        about: what the file says of itself.
        readable: False for the three that are broken on purpose.
    """

    name: str
    make: Callable[[Description, Generator], bytes]
    about: Description
    readable: bool = True

    def data(self) -> bytes:
        """The file's bytes; the same on every call."""
        # The seed follows from the name, so that adding a file leaves the others as they were.
        return self.make(self.about, np.random.default_rng(zlib.crc32(self.name.encode())))


def _glass_negative(about: Description, rng: Generator) -> bytes:
    plate = ageing.vignette(grey(piece(HALF_LENGTH, 1.9)), 0.25)
    plate = ageing.dust(ageing.grain(ageing.uneven(plate, rng, 0.015), rng, 0.02), rng, 40, 1, 0.9)
    return formats.grey16_tiff(plate, about)


def _album_sepia(about: Description, rng: Generator) -> bytes:
    print_ = ageing.grain(ageing.vignette(grey(piece(BUST, 2.6)), 0.30), rng, 0.025)
    return formats.sideways_jpeg(ageing.toned(ageing.dust(print_, rng, 25, 2, 0.85), ageing.SEPIA), about)


def _press_proof(about: Description, rng: Generator) -> bytes:
    return formats.cmyk_tiff(ageing.grain(ageing.fade(piece(BUST, 1.7), 0.03, 0.97), rng, 0.015), about)


def _miniature(about: Description, rng: Generator) -> bytes:
    picture = ageing.toned(ageing.grain(grey(piece(BUST, 2.0)), rng, 0.02), ageing.SELENIUM)
    height, width = picture.shape[:2]
    oval = np.zeros((height, width), np.uint8)
    cv2.ellipse(oval, (width // 2, height // 2), (width // 2 - 12, height // 2 - 12), 0, 0, 360, 255, -1, cv2.LINE_AA)
    alpha = cv2.GaussianBlur(oval.astype(np.float32) / 255, (0, 0), 4)
    return formats.alpha_png(picture, alpha, about)


def _digitised(_: Description, rng: Generator) -> bytes:
    colour = ageing.fade(piece(HALF_LENGTH, 2.0), 0.06, 0.94)
    return formats.jpeg2000(ageing.grain(colour, rng, 0.02, 0.9))


def _class_board(about: Description, rng: Generator) -> bytes:
    board = ageing.grain(compositions.class_board(rng), rng, 0.015)
    return formats.jpeg(ageing.toned(board, ageing.SEPIA), about)


def _contact_sheet(about: Description, rng: Generator) -> bytes:
    return formats.jpeg(ageing.grain(compositions.contact_sheet(rng), rng, 0.012), about)


def _head_study(about: Description, rng: Generator) -> bytes:
    head = ageing.grain(grey(piece(HEAD, 4.4), PANCHROMATIC), rng, 0.03, 1.2)
    return formats.jpeg(head, about, quality=86)


def _model(about: Description, rng: Generator) -> bytes:
    still = ageing.grain(ageing.vignette(grey(piece(MODEL, 3.0), PANCHROMATIC), 0.3), rng, 0.02)
    return formats.jpeg(ageing.toned(still, ageing.ALBUMEN), about)


def _scratched(about: Description, rng: Generator) -> bytes:
    print_ = ageing.grain(ageing.vignette(grey(piece(BUST, 2.4)), 0.2), rng, 0.03)
    print_ = ageing.scratches(print_, rng, 16)
    print_ = ageing.crease(print_, rng, (-0.02, 0.62), (1.02, 0.47))
    return formats.grey8_tiff(ageing.dust(print_, rng, 60, 4, 0.95), about)


def _dusty(about: Description, rng: Generator) -> bytes:
    plate = ageing.grain(cv2.GaussianBlur(grey(piece(BUST, 2.0)), (0, 0), 0.9), rng, 0.055, 0.8)
    return formats.grey16_tiff(ageing.dust(plate, rng, 160, 9), about)


def _faded(about: Description, rng: Generator) -> bytes:
    print_ = ageing.fade(ageing.uneven(grey(piece(HALF_LENGTH, 2.2)), rng, 0.04), 0.38, 0.80)
    print_ = ageing.foxing(ageing.toned(ageing.grain(print_, rng, 0.03), ageing.ALBUMEN), rng, 70)
    return formats.jpeg(print_, about)


def _attachment(about: Description, rng: Generator) -> bytes:
    return formats.blocky_jpeg(ageing.grain(piece(BUST, 1.5), rng, 0.012), about)


def _interrupted(about: Description, rng: Generator) -> bytes:
    """A JPEG whose copying stopped: the first 40 % of the bytes."""
    whole = formats.jpeg(ageing.grain(grey(piece(BUST, 2.0)), rng, 0.02), about)
    return whole[: len(whole) * 2 // 5]


def _caption(about: Description, _: Generator) -> bytes:
    """A caption that someone saved under an image's name."""
    text = (
        f"{about.title}\n\nScan still missing: the print was on loan on the day of digitisation. Ask {about.artist}.\n"
    )
    return text.encode()


def _empty(_: Description, __: Generator) -> bytes:
    """No byte at all: what a full disk leaves."""
    return b""


def _about(title: str, artist: str, taken: str, dpi: int = 300) -> Description:
    return Description(f"{title} ({CREDIT}; aged by computer)", artist, taken, dpi)


ENTRIES = (
    Entry(
        "albums/album-07/page-12-sepia.jpg",
        _album_sepia,
        _about("Album page, sepia portrait", "Digitisation Unit", "2011:03:08 10:42:07"),
    ),
    Entry(
        "damaged/email-attachment.jpg",
        _attachment,
        _about("Copy that came by e-mail", "Registry", "2002:11:19 16:05:44", 72),
    ),
    Entry(
        "damaged/faded-albumen-print.jpg",
        _faded,
        _about("Faded albumen print", "Digitisation Unit", "2011:03:09 09:15:31"),
    ),
    Entry(
        "damaged/interrupted-transfer.jpg",
        _interrupted,
        _about("Portrait, copying was interrupted", "Registry", "2002:11:19 16:11:02"),
        readable=False,
    ),
    Entry(
        "damaged/noisy-dusty-plate.tif",
        _dusty,
        _about("Under-exposed and dusty plate", "Digitisation Unit", "2011:03:09 11:20:12", 600),
    ),
    Entry(
        "damaged/scratched-creased-print.tif",
        _scratched,
        _about("Scratched and creased print", "Digitisation Unit", "2011:03:09 11:47:50", 400),
    ),
    Entry(
        "enlargements/head-study-1958.jpg",
        _head_study,
        _about("Head study, enlargement", "Studio Archive", "2011:04:01 14:02:26", 600),
    ),
    Entry(
        "glass-negatives/GN-1911-0042.tif",
        _glass_negative,
        _about("Glass negative 42, half-length portrait", "Digitisation Unit", "2011:02:14 09:30:00", 1200),
    ),
    Entry(
        "glass-negatives/GN-1911-0043.tif",
        _empty,
        _about("Glass negative 43", "Digitisation Unit", "2011:02:14 09:34:00", 1200),
        readable=False,
    ),
    Entry(
        "groups/contact-sheet-1927.jpg",
        _contact_sheet,
        _about("Contact sheet, 24 small prints", "Studio Archive", "2011:04:01 15:20:10"),
    ),
    Entry(
        "groups/flight-class-1931.jpg",
        _class_board,
        _about("Flight class of 1931, board of seven portraits", "Studio Archive", "2011:04:01 15:41:55"),
    ),
    Entry(
        "miniatures/MIN-0031-oval.png",
        _miniature,
        _about("Oval miniature, cut out", "Digitisation Unit", "2011:05:20 10:00:00"),
    ),
    Entry(
        "objects/model-OBJ-0207.jpg",
        _model,
        _about("Model of a vehicle, no person", "Object Photography", "2011:06:02 13:13:13"),
    ),
    Entry(
        "press/WP-1969-117-proof.tif",
        _press_proof,
        _about("Colour proof 117", "Press Office", "2011:06:30 08:55:41"),
    ),
    Entry(
        "press/WP-1969-118.jpg",
        _caption,
        _about("Colour proof 118, caption", "the press office", "2011:06:30 08:59:03"),
        readable=False,
    ),
    Entry(
        "transfers/2003/D2003-0117.jp2",
        _digitised,
        _about("Colour transfer 117", "Outside contractor", "2003:09:01 00:00:00"),
    ),
)
"""All files, sorted by name."""


def files() -> Iterator[tuple[Entry, bytes]]:
    """Every entry with its bytes, made one at a time."""
    for entry in ENTRIES:
        yield entry, entry.data()
