"""Whether two pictures show the same face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.faces.face import Affine, Points
from operators.faces.geometry import compose, magnification, scaling, similarity
from operators.scoring.sface_graph import sface_graph
from operators.telemetry import silent_onnxruntime

_SIDE = 112

# Where SFace expects the five landmarks in its 112 x 112 input: the template of OpenCV's FaceRecognizerSF::alignCrop
# (modules/objdetect/src/face_recognize.cpp), the same as ArcFace's.
SFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float64,
)


class IdentityModel:
    """SFace in ONNX Runtime: a face picture to 128 numbers whose angle tells people apart.

    Y. Zhong, W. Deng et al., "SFace: Sigmoid-constrained Hypersphere Loss for Robust Face Recognition", IEEE
    Transactions on Image Processing 30 (2021); OpenCV Zoo's 2021dec weights, block-quantised to 8 bits. One thread, and
    one face a run: a face's numbers do not depend on which faces are asked about with it.

    Raises:
        operators.models.ModelFileError: on construction, when the model file is missing or not the expected one.
    """

    def __init__(self) -> None:
        onnxruntime = silent_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # The stored 8-bit weights are turned to float once, on loading, and joined with the batch normalisations.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self._session = onnxruntime.InferenceSession(
            sface_graph(), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def feature(self, crop: NDArray[np.float32], landmarks: Points) -> NDArray[np.float32] | None:
        """Unit vector that stands for the face.

        Args:
            crop: (S, S, 3) float32 in [0, 1], RGB.
            landmarks: (5, 2) float64 in pixels of `crop`.

        Returns:
            (128,) float32 of length 1; None when the landmarks coincide or fit no upright face.
        """
        try:
            affine = similarity(landmarks, SFACE_TEMPLATE)
        except OperatorError:
            return None
        face = _warped(crop, affine) * np.float32(255.0)
        blob = np.ascontiguousarray(face.transpose(2, 0, 1)[np.newaxis])
        vector = np.asarray(self._session.run(None, {"data": blob})[0][0], dtype=np.float32)
        length = float(np.linalg.norm(vector))
        return np.asarray(vector / length, dtype=np.float32) if length > 0.0 else None

    def similarity(
        self, first: NDArray[np.float32], second: NDArray[np.float32], landmarks: tuple[Points, Points]
    ) -> float | None:
        """Cosine of the angle between two faces; OpenCV calls 0.363 and above the same person.

        Args:
            first: (S, S, 3) float32 in [0, 1], RGB.
            second: (S', S', 3), likewise.
            landmarks: those of `first` and of `second`, (5, 2) each.

        Returns:
            Number in [-1, 1]; None when a feature cannot be computed.
        """
        features = [self.feature(*pair) for pair in zip((first, second), landmarks, strict=True)]
        if features[0] is None or features[1] is None:
            return None
        return float(np.dot(features[0].astype(np.float64), features[1].astype(np.float64)))


def _warped(crop: NDArray[np.float32], affine: Affine) -> NDArray[np.float32]:
    """The face in SFace's square. A larger crop is first averaged down, because bilinear sampling would alias."""
    side = crop.shape[0]
    reduced = min(side, max(1, round(side * magnification(affine))))
    if reduced < side:
        crop = np.asarray(cv2.resize(crop, (reduced, reduced), interpolation=cv2.INTER_AREA), dtype=np.float32)
        affine = compose(scaling(side / reduced), affine)
    return np.asarray(cv2.warpAffine(crop, affine, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR), dtype=np.float32)
