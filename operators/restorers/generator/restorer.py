"""The restorers with weights. Both are one thing around another network: what to show it, run it, finish the result.

T. Yang, P. Ren, X. Xie, L. Zhang: GAN Prior Embedded Network for Blind Face Restoration in the Wild, CVPR 2021.
X. Wang, Y. Li, H. Zhang, Y. Shan: Towards Real-World Blind Face Restoration with Generative Facial Prior, CVPR 2021.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from operators.checkpoints.errors import CheckpointError
from operators.restorers.contract import Equipment, Execution, FaceContext, Faces, RestorerInfo
from operators.restorers.generator.arrays import check_crops, to_batch, to_face
from operators.restorers.generator.cleaning import CLEANER, cleaned
from operators.restorers.generator.loading import load_network
from operators.restorers.generator.options import GfpganOptions, GpenOptions, Task
from operators.restorers.generator.tasks import Finish, Preparation, finished, prepared, value_range

if TYPE_CHECKING:
    from operators.engines.choose import Runner

VERSION = "1 activation-scaled/2"
"""Number of what surrounds the network (preparation, tone, fidelity), raised when the same input would give other
pixels; and `operators.networks.FORMULATION`, repeated here as that cannot be imported without torch."""


@dataclass(frozen=True)
class _Use:
    """How a family of networks is used.

    Attributes:
        family: `gfpgan` or `gpen`.
        architectures: of its checkpoints, as `operators.networks.recognise` names them.
        task: what the network does.
        variant: what is baked into its inference form.
    """

    family: str
    architectures: tuple[str, ...]
    task: Task
    variant: Mapping[str, Any] = field(default_factory=dict)


class _GeneratorRestorer:
    """A generator behind the contract of restorers. Picklable until `setup`.

    Args:
        options: settings that both families have.
        equipment: model files, and where compiled engines are kept.
        use: how the family is used.
    """

    def __init__(self, options: GfpganOptions | GpenOptions, equipment: Equipment, use: _Use) -> None:
        self._options = options
        self._equipment = equipment
        self._use = use
        self._finish = Finish(use.task, options.fidelity, options.keep_tone)
        self._runner: Runner | None = None
        self._side_out = 0

    @property
    def info(self) -> RestorerInfo:
        """Description for records, run identity and report; needs no file and no network."""
        options = self._options
        return RestorerInfo(
            name=options.model,
            version=VERSION,
            template=options.template,
            sizes=(options.size,),
            weights_sha256=options.sha256,
            parameters={
                "task": self._use.task,
                "fidelity": options.fidelity,
                **self._use.variant,
                **({"clean_first": options.clean_first, "cleaner": CLEANER} if options.clean_first > 0.0 else {}),
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
            CheckpointError: the file is refused, or holds another network or size than the options say.
            operators.models.ModelFileError: the file cannot be had.
            operators.engines.errors.EngineError: no engine that the options allow can run it.
        """
        from operators.engines.choose import Runner  # noqa: PLC0415 - imports torch

        options, use = self._options, self._use
        network = load_network(
            self._equipment.files,
            options.model,
            options.sha256,
            use.architectures,
            f"the {use.family} restorer",
            use.variant,
        )
        expected = (3, options.size, options.size)
        if network.input_shape != expected:
            raise CheckpointError(
                "wrong_size",
                f"{options.model} takes {_sizes(network.input_shape)}, and the crops are {_sizes(expected)}: give the "
                f"model's own size",
            )
        runner = Runner(network, options.engine, self._equipment.artifacts)
        runner.prepare()
        self._runner, self._side_out = runner, network.output_shape[-1]

    def restore(self, faces: Faces, contexts: Sequence[FaceContext]) -> Faces:
        """Restore a batch of equal-sized crops.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1], RGB; S is the options' size.
            contexts: N of them.

        Returns:
            (N, S', S', 3) float32 in [0, 1]; S' is what the network makes, S with `inpaint` and with a fidelity of 1.

        Raises:
            ValueError: the faces have another shape, or there are not as many contexts.
            RuntimeError: `setup` was not called.
            OperatorError: `not_finite` when a face or the network's result holds NaN or infinity.
            operators.engines.errors.EngineError: no engine can run the network any more.
        """
        faces = np.asarray(faces, dtype=np.float32)
        self._check(faces, contexts)
        if self._options.fidelity == 1.0:
            return np.array(faces, dtype=np.float32)
        clean = cleaned(faces, contexts, self._options.clean_first)
        plans = [prepared(face, one, self._use.task) for face, one in zip(clean, contexts, strict=True)]
        own = self._use.task == "inpaint"
        side = self._options.size if own else self._side_out
        result = np.empty((len(faces), side, side, 3), dtype=np.float32)
        shown = [index for index, plan in enumerate(plans) if plan.shown is not None]
        for index in set(range(len(faces))) - set(shown):
            result[index] = faces[index]
        for index, made in zip(shown, self._made([plans[index] for index in shown]), strict=True):
            result[index] = finished(faces[index], made, contexts[index], plans[index], self._finish)
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

    def _made(self, plans: Sequence[Preparation]) -> Iterator[Faces]:
        """What the network makes of prepared faces: (S', S', 3) float32 in [0, 1] each."""
        shown = [plan.shown for plan in plans if plan.shown is not None]
        if not shown:
            return
        import torch  # noqa: PLC0415 - seconds; see `setup`

        assert self._runner is not None
        values = value_range(self._use.task)
        batch = torch.from_numpy(to_batch(shown, values))
        for planes in self._runner.run(batch).numpy():
            yield to_face(planes, values, self._options.model)


class GfpganRestorer(_GeneratorRestorer):
    """GFPGAN: a U-Net cleans the face, and its features guide a StyleGAN2.

    Args:
        options: the model and how it is used.
        equipment: model files, and where compiled engines are kept.
    """

    def __init__(self, options: GfpganOptions, equipment: Equipment) -> None:
        variant = {"sft_strength": float(options.sft_strength)}
        use = _Use("gfpgan", ("gfpgan_clean", "gfpgan_v1"), "restore", variant)
        super().__init__(options, equipment, use)


class GpenRestorer(_GeneratorRestorer):
    """GPEN: an encoder's features take the places of latent code and noise of a StyleGAN2.

    Args:
        options: the model and how it is used.
        equipment: model files, and where compiled engines are kept.
    """

    def __init__(self, options: GpenOptions, equipment: Equipment) -> None:
        super().__init__(options, equipment, _Use("gpen", ("gpen",), options.task))


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)
