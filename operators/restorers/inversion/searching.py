"""Searches for the faces of a batch, from crops to results. Importing this imports torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from operators.checkpoints.errors import CheckpointError
from operators.engines.eager import device_name, exact_arithmetic, thread_limit
from operators.errors import OperatorError
from operators.inversion.beginning import Trial, first, trial_of
from operators.inversion.boundaries import moved
from operators.inversion.finish import taken
from operators.inversion.noise import Noise
from operators.inversion.objective import Objective, Observation
from operators.inversion.picture import picture_of
from operators.inversion.search import search
from operators.inversion.state import State
from operators.inversion.steps import Step
from operators.inversion.tasks import needs_mask, steps_of
from operators.restorers.contract import FaceContext, Faces, ModelFiles, Progress
from operators.restorers.inversion.options import InversionOptions
from operators.restorers.inversion.prior import device_of, loaded

CPU_THREADS = 1
"""Sums depend on how many threads take part; what a job says of `threads` is the same on every machine."""


@dataclass(frozen=True)
class Searched:
    """What came of a group of faces.

    Attributes:
        faces: (S, S, 3) float32 each.
        reports: of each face: iterations, loss, PSNR of the observation, why it ended.
        iterations: that were made now, over all faces.
    """

    faces: tuple[Faces, ...]
    reports: tuple[dict[str, Any], ...]
    iterations: int


class Searcher:
    """Holds a prior and searches with it.

    Args:
        options: of the restorer.
        files: model files.

    Raises:
        CheckpointError: as `loaded`, or the prior's pictures are too small for a step.
    """

    def __init__(self, options: InversionOptions, files: ModelFiles) -> None:
        self._options = options
        self._device = device_of(options.engine.device)
        self._loaded = loaded(options, files, self._device)
        self._steps = steps_of(options.task, options.factor, options.resampler, options.recipe)
        _check_steps(self._steps, options)
        self._noise = Noise(options.noise, options.noise_level) if options.noise else None
        self._not_compiled = ""

    @property
    def together(self) -> int:
        """Faces that are searched for at once."""
        return 1 if self._device == "cpu" else max(1, self._options.engine.profile.best)

    @property
    def machine(self) -> str:
        """What computes: a state of another kind of device is not gone on with, or results would depend on attempts."""
        return device_name(self._device)

    def description(self) -> Mapping[str, Any]:
        """What executes searches, as records have it of engines."""
        asked, captured = self._options.engine, self._device != "cpu"
        details = {"step": "captured" if captured and not self._not_compiled else "eager"}
        if self._not_compiled:
            details["not_captured"] = self._not_compiled
        return {
            "asked": {"engine": asked.engine, "precision": asked.precision, "device": asked.device},
            "used": {
                "engine": "eager" if details["step"] == "eager" else "cuda_graph",
                "version": torch.__version__,
                "device": device_name(self._device),
                "precision": "fp32",
                "batch": self.together,
                "exact": self._device == "cpu",
                "details": details,
            },
        }

    def search(
        self, faces: Faces, contexts: Sequence[FaceContext], keys: Sequence[str], progress: Progress
    ) -> Searched:
        """Search for a group of faces, from where an earlier attempt has left them.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1].
            contexts: N of them.
            keys: N names under which states are kept.
            progress: where.

        Raises:
            OperatorError: `not_finite`.
        """
        with exact_arithmetic(), thread_limit(self._options.engine.threads or CPU_THREADS):
            begun = [
                self._begun(key, face, context, progress)
                for key, face, context in zip(keys, faces, contexts, strict=True)
            ]
            states = [state for state, _ in begun]
            open_at: dict[int, list[int]] = defaultdict(list)
            for index, state in enumerate(states):
                if state.ended is None:
                    open_at[state.iteration].append(index)
            made = sum(tried for _, tried in begun)
            for members in open_at.values():
                made += self._go_on(members, states, faces, contexts, keys, progress)
            results = [
                self._result(face, context, state) for face, context, state in zip(faces, contexts, states, strict=True)
            ]
        return Searched(tuple(face for face, _ in results), tuple(report for _, report in results), made)

    def _begun(self, key: str, face: Faces, context: FaceContext, progress: Progress) -> tuple[State, int]:
        """Where a face's search goes on or begins, and iterations of trials that were made for it now."""
        kept = progress.load(key)
        state = None if kept is None else State.from_bytes(kept)
        options = self._loaded.search
        if state is not None and state.fits(self._loaded.prior, options):
            return state, 0
        alone = self._objective(face[None], [context]) if options.codes == 1 else None
        prior, short, tries = self._loaded.prior, trial_of(options), 0

        def remember(place: int, trial: Trial) -> State:
            nonlocal tries
            name = f"{key}-{place}"
            known = progress.load(name)
            tried = None if known is None else State.from_bytes(known)
            if tried is None or tried.ended is None or not tried.fits(prior, short):
                tried, tries = trial(), tries + 1
                progress.save(name, tried.to_bytes())
            return tried

        return first(prior, options, context.seed, alone, remember), tries * options.trial

    def _go_on(
        self,
        members: Sequence[int],
        states: list[State],
        faces: Faces,
        contexts: Sequence[FaceContext],
        keys: Sequence[str],
        progress: Progress,
    ) -> int:
        def keep(current: Sequence[State]) -> None:
            for index, state in zip(members, current, strict=True):
                progress.save(keys[index], state.to_bytes())

        objective = self._objective(faces[list(members)], [contexts[index] for index in members])
        prior, options = self._loaded.prior, self._loaded.search
        found = search(prior, objective, [states[index] for index in members], options, keep)
        self._not_compiled = found.not_compiled
        for index, state in zip(members, found.states, strict=True):
            states[index] = state
        return found.done * len(members)

    def _objective(self, faces: Faces, contexts: Sequence[FaceContext]) -> Objective:
        device = torch.device(self._device)
        pictures = torch.from_numpy(np.ascontiguousarray(faces.transpose(0, 3, 1, 2))).to(device) * 2.0 - 1.0
        known = None
        if needs_mask(self._options.task, self._options.recipe):
            hidden = np.stack([np.asarray(context.mask) > 0.0 for context in contexts])
            known = torch.from_numpy(~hidden[:, None]).to(device, torch.float32)
        observation = Observation(self._steps, self._options.size, known, pictures.new_zeros(()))
        return Objective(
            observation,
            observation.of_photographs(pictures),
            self._loaded.features,
            self._options.features.weight,
            noise=self._noise,
        )

    def _result(self, face: Faces, context: FaceContext, state: State) -> tuple[Faces, dict[str, Any]]:
        """A face's result and report; each face by itself, so that neither depends on its batch on a CPU."""
        objective = self._objective(face[None], [context])
        codes, alpha = (torch.from_numpy(values[None]).to(self._device) for values in (state.codes, state.alpha))
        with torch.no_grad():
            picture = self._picture(codes, alpha)
            loss, psnr = objective(picture).total.item(), objective.psnr(picture).item()
            if self._loaded.edits:
                codes = moved(codes.flatten(0, 1), self._loaded.prior, self._loaded.search.space, self._loaded.edits)
                picture = self._picture(codes[None], alpha)
        if not torch.isfinite(picture).all():
            raise OperatorError(
                "not_finite",
                "the search for a face came to NaN or infinity: lower learning_rate, or take another layer",
            )
        made = ((picture[0].clamp(-1.0, 1.0) + 1.0) * 0.5).permute(1, 2, 0).cpu().numpy()
        result = taken(
            face,
            np.ascontiguousarray(made),
            context,
            self._options.task,
            keep_tone=self._options.keep_tone,
            fidelity=self._options.fidelity,
        )
        report = {
            "iterations": state.iteration,
            "ended": state.ended,
            "loss": float(f"{loss:.6g}"),
            "observation_psnr": round(psnr, 3),
        }
        return result, report

    def _picture(self, codes: Tensor, alpha: Tensor) -> Tensor:
        return picture_of(self._loaded.prior, codes, alpha, replace(self._loaded.search, chunk=0))


def _check_steps(steps: Sequence[Step], options: InversionOptions) -> None:
    """Refuse, before any face is looked at, steps that pictures of the prior's size cannot go through.

    Raises:
        CheckpointError: a step cannot be done to them.
    """
    like = torch.zeros(())
    try:
        Observation(steps, options.size, like.new_ones((1, 1, options.size, options.size)), like)
    except ValueError as error:
        raise CheckpointError("wrong_prior", f"{options.model} cannot be searched so: {error}") from error
