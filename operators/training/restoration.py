"""One step of training a restorer on pairs: content, perception, identity, and the game with a discriminator."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from operators.features.contract import FeatureNetwork
from operators.features.identity import Embedder
from operators.features.perceptual import perceptual_distances
from operators.training.discriminators.style import Discriminator
from operators.training.terms.adversarial import gradient_penalty, logistic_discriminator, logistic_generator
from operators.training.terms.content import absolute, feature_matching, identity_distance


@dataclass(frozen=True)
class Weights:
    """What each term counts.

    Attributes:
        content: L1 of pictures in [-1, 1].
        perceptual: distance of features.
        identity: 1 - cosine of SFace's vectors.
        adversarial: the generator's side of the game; 0 leaves the discriminator out.
        matching: the discriminator's features (GPEN's L_F).
        penalty: gamma of R1.
        every: steps between two penalties, each weighted with as much (StyleGAN2's lazy regularisation).
    """

    content: float = 1.0
    perceptual: float = 0.01
    identity: float = 0.01
    adversarial: float = 0.0
    matching: float = 0.0
    penalty: float = 10.0
    every: int = 16


class Restoration:
    """What is trained, and the step that trains it.

    Args:
        generator: the restorer, (N, 3, S, S) in [-1, 1] to the same.
        discriminator: None where nothing is played.
        features: of the perceptual term.
        embedder: of the identity term.
        weights: of the terms.
        arithmetic: type of convolutions; weights and everything else stay float32.
        rate: learning rate of both networks, as a tensor on their device, so that a recorded step follows it.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: Discriminator | None,
        features: FeatureNetwork,
        embedder: Embedder,
        weights: Weights,
        arithmetic: torch.dtype,
        rate: Tensor,
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.features = features
        self.embedder = embedder
        self.weights = weights
        self._arithmetic = arithmetic
        cuda = rate.device.type == "cuda"
        self._optimisers = [
            torch.optim.Adam(module.parameters(), lr=rate, betas=betas, capturable=cuda, foreach=cuda)
            for module, betas in ((generator, (0.9, 0.99)), (discriminator, (0.0, 0.99)))
            if module is not None
        ]

    def drop_gradients(self) -> None:
        """Forget all gradients."""
        for optimiser in self._optimisers:
            optimiser.zero_grad(set_to_none=True)

    def step(self, degraded: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Improve both networks once.

        Args:
            degraded: (N, 3, S, S) in [-1, 1].
            truth: likewise.

        Returns:
            each term, unweighted, without a gradient.
        """
        with self._cast(degraded):
            made = self.generator(degraded)
        terms = self._content(made.float(), truth)
        weighted = [getattr(self.weights, name) * value for name, value in terms.items()]
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
            with self._cast(made):
                logits, seen = self.discriminator.judged(made)
                with torch.no_grad():
                    _, expected = self.discriminator.judged(truth)
            terms["adversarial"] = logistic_generator(logits.float())
            terms["matching"] = feature_matching([one.float() for one in seen], [one.float() for one in expected])
            weighted += [self.weights.adversarial * terms["adversarial"], self.weights.matching * terms["matching"]]
            self.discriminator.requires_grad_(True)
        self._improve(self._optimisers[0], torch.stack(weighted).sum())
        if self.discriminator is not None:
            with self._cast(made):
                real, fake = self.discriminator(truth), self.discriminator(made.detach())
            terms["discriminator"] = logistic_discriminator(real.float(), fake.float())
            self._improve(self._optimisers[1], terms["discriminator"])
        return {name: value.detach() for name, value in terms.items()}

    def regularise(self, truth: Tensor) -> Tensor:
        """The discriminator's penalty, in float32, with its own step; to be called once in `weights.every` steps."""
        assert self.discriminator is not None
        pictures = truth.detach().requires_grad_()
        penalty = gradient_penalty(pictures, self.discriminator(pictures))
        self._improve(self._optimisers[1], penalty * (self.weights.penalty / 2 * self.weights.every))
        return penalty.detach()

    def _content(self, made: Tensor, truth: Tensor) -> dict[str, Tensor]:
        with torch.no_grad(), self._cast(truth):
            expected, person = self.features(truth), self.embedder(truth)
        with self._cast(made):
            seen, found = self.features(made), self.embedder(made)
        distances = perceptual_distances(
            {name: one.float() for name, one in seen.items()}, {name: one.float() for name, one in expected.items()}
        )
        return {
            "content": absolute(made, truth),
            "perceptual": distances.mean(),
            "identity": identity_distance(found.float(), person.float()),
        }

    def _cast(self, like: Tensor) -> torch.autocast:
        return torch.autocast(like.device.type, self._arithmetic, enabled=self._arithmetic != torch.float32)

    @staticmethod
    def _improve(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
