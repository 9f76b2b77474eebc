"""Completion behind the contract of restorers: out = mask * generated + (1 - mask) * original, in one forward pass.

Z. Chen, S. Nie, T. Wu, C. Healey: High Resolution Face Completion with Multiple Controllable Attributes via Fully
End-to-End Progressive Generative Adversarial Networks, arXiv 1801.07632, 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from operators.checkpoints.errors import CheckpointError
from operators.faces.tone import lock
from operators.restorers.completion.options import UNSAID_VALUE, CompletionOptions
from operators.restorers.contract import Equipment, Execution, FaceContext, Faces, RestorerInfo
from operators.restorers.generator.arrays import Face, check_crops, to_batch, to_face
from operators.restorers.generator.loading import load_network

if TYPE_CHECKING:
    from operators.engines.choose import Runner

VERSION = "1 activation-scaled/2"
"""Number of what surrounds the network, and `operators.networks.FORMULATION`, whose import would bring torch."""
ARCHITECTURE = "completion"
_VALUES = (-1.0, 1.0)

Plane = NDArray[np.float32]


class CompletionRestorer:
    """Completes faces where their context has a mask; others come back as they are, and no network is run for them.

    Picklable until `setup`.

    Args:
        options: the model and how it is used.
        equipment: model files, and where compiled engines are kept.
    """

    def __init__(self, options: CompletionOptions, equipment: Equipment) -> None:
        self._options = options
        self._equipment = equipment
        self._runner: Runner | None = None

    @property
    def info(self) -> RestorerInfo:
        """Description for records, run identity and report; needs no file and no network."""
        options = self._options
        return RestorerInfo(
            name="completion",
            version=VERSION,
            template=options.template,
            sizes=(options.size,),
            weights_sha256=options.sha256,
            parameters={
                "task": "complete",
                "model": options.model,
                "attributes": {name: values_of({}, options)[name] for name in options.names},
                "keep_tone": options.keep_tone,
                "engine": options.engine.engine,
                "precision": options.engine.precision,
                "device": options.engine.device,
                "batch": options.engine.profile.best,
            },
        )

    def setup(self) -> None:
        """Read and recognise the checkpoint, and prepare the engine.

        Raises:
            CheckpointError: the file is refused, or holds another network, size or number of attributes than the
                options say.
            operators.models.ModelFileError: the file cannot be had.
            operators.engines.errors.EngineError: no engine that the options allow can run it.
        """
        from operators.engines.choose import Runner  # noqa: PLC0415 - imports torch

        options = self._options
        network = load_network(
            self._equipment.files, options.model, options.sha256, (ARCHITECTURE,), "the completion restorer"
        )
        found, count = network.output_shape[-1], int(network.arguments["attributes"])
        if found != options.size:
            raise CheckpointError(
                "wrong_size",
                f"{options.model} takes {found} x {found} pixels, and the crops have {options.size} x {options.size}: "
                "give the model's own size",
            )
        if count != len(options.names):
            raise CheckpointError(
                "wrong_attributes",
                f"{options.model} has {count} attributes, and {len(options.names)} are named "
                f"({', '.join(options.names) or 'none'}): add the model again with a name for each",
            )
        runner = Runner(network, options.engine, self._equipment.artifacts)
        runner.prepare()
        self._runner = runner

    def restore(self, faces: Faces, contexts: Sequence[FaceContext]) -> Faces:
        """Complete a batch of equal-sized crops.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1], RGB; S is the options' size.
            contexts: N of them; `mask` says what is made anew, and `attributes` overrules the options' values.

        Returns:
            (N, S, S, 3) float32 in [0, 1], equal to `faces` in every bit where the mask is 0.

        Raises:
            ValueError: the faces or a mask have another shape, a mask holds values outside [0, 1], an attribute is
                none of the model's, or there are not as many contexts.
            RuntimeError: `setup` was not called.
            OperatorError: `not_finite` when a face or the network's result holds NaN or infinity.
            operators.engines.errors.EngineError: no engine can run the network any more.
        """
        faces = np.asarray(faces, dtype=np.float32)
        self._check(faces, contexts)
        result: Faces = np.array(faces, np.float32)
        masks = [_mask(context, self._options.size) for context in contexts]
        holed = [index for index, mask in enumerate(masks) if mask.any()]
        if not holed:
            return result
        made = self._made([(faces[index], masks[index], contexts[index]) for index in holed])
        for index, generated in zip(holed, made, strict=True):
            result[index] = self._composed(faces[index], generated, masks[index], contexts[index])
        return result

    def execution(self) -> Execution:
        """What executed the last batch; resets the events. Empty before `setup`."""
        if self._runner is None:
            return Execution()
        return Execution(engine=dict(self._runner.description), events=dict(self._runner.events()))

    def _check(self, faces: Faces, contexts: Sequence[FaceContext]) -> None:
        if self._runner is None:
            raise RuntimeError(f"restorer {self._options.model} was not set up: call setup() first")
        check_crops(faces, len(contexts), self._options.size)

    def _made(self, shown: Sequence[tuple[Face, Plane, FaceContext]]) -> list[Face]:
        """What the network makes of faces: (S, S, 3) float32 in [0, 1] each."""
        import torch  # noqa: PLC0415 - seconds; see `setup`

        from operators.networks.completion.packing import pack  # noqa: PLC0415 - imports torch

        assert self._runner is not None
        pictures = torch.from_numpy(to_batch([face for face, _, _ in shown], _VALUES))
        masks = torch.from_numpy(np.stack([mask for _, mask, _ in shown])[:, None])
        values = [values_of(context.attributes, self._options) for _, _, context in shown]
        given = [[one[name] for name in self._options.names] for one in values]
        attributes = torch.tensor(given, dtype=torch.float32) if self._options.names else None
        made = self._runner.run(pack(pictures, masks, attributes)).numpy()
        return [to_face(planes, _VALUES, self._options.model) for planes in made]

    def _composed(self, face: Face, generated: Face, mask: Plane, context: FaceContext) -> Face:
        if self._options.keep_tone and (context.gray or context.toned):
            generated = lock(face, generated, context.gray, weights=(mask == 0.0).astype(np.float32))
        result: Face = face.copy()
        inside = mask > 0.0
        share = mask[inside, np.newaxis]
        result[inside] = share * generated[inside] + (np.float32(1.0) - share) * face[inside]
        return result


def values_of(said: Mapping[str, float], options: CompletionOptions) -> dict[str, float]:
    """The attributes of a face, in the model's order: what the catalogue says, else the job, else `UNSAID_VALUE`.

    Args:
        said: by the catalogue, 0 to 1 by name.
        options: the restorer's.

    Raises:
        ValueError: the catalogue names one that the model does not have.
    """
    unknown = set(said) - set(options.names)
    if unknown:
        known = ", ".join(options.names) or "none"
        raise ValueError(f"attributes {', '.join(sorted(unknown))}: the model has no such attribute (known: {known})")
    fixed = options.attributes or {}
    return {name: float(said.get(name, fixed.get(name, UNSAID_VALUE))) for name in options.names}


def _mask(context: FaceContext, side: int) -> Plane:
    """The context's mask, (S, S) float32 in [0, 1]; all 0 where it has none."""
    if context.mask is None:
        return np.zeros((side, side), np.float32)
    if context.mask.shape != (side, side):
        raise ValueError(f"mask of shape {context.mask.shape}: expected {(side, side)}, as the face")
    if not ((context.mask >= 0.0) & (context.mask <= 1.0)).all():
        raise ValueError("mask holds values outside [0, 1]: expected 1 where the face is made anew, 0 elsewhere")
    return np.asarray(context.mask, np.float32)
