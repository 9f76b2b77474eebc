"""Small networks for whole pictures, with random weights that are all in use, and what runs them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from operators import networks
from operators.engines.options import EngineOptions
from operators.restorers.contract import Equipment
from operators.whole.networks import WholeNetwork, whole_network
from operators.whole.operator import WholeImage
from operators.whole.options import WholeOptions
from operators.whole.samples import stored, unit
from operators.whole.values import to_planes, to_windows

_RRDB = {"num_feat": 4, "num_block": 1, "num_grow_ch": 2}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "rrdb x4": ("rrdb", _RRDB),
    "rrdb x2": ("rrdb", {"unshuffle": 2, **_RRDB}),
    "rrdb x1": ("rrdb", {"unshuffle": 4, **_RRDB}),
    "rrdb x3": ("rrdb", {"ups": 1, "up_factor": 3, **_RRDB}),
    "srresnet": ("srresnet", {"channels": 4, "blocks": 2}),
    "srresnet tutorial": ("srresnet", {"channels": 4, "blocks": 1, "factors": [2], "names": "sgrvinod"}),
    "msrresnet x3": ("msrresnet", {"channels": 4, "blocks": 2, "factors": [3]}),
    "pix2pix": ("pix2pix", {"ngf": 2, "num_downs": 5}),
    "pix2pix instance": ("pix2pix", {"ngf": 2, "num_downs": 5, "norm": "instance"}),
    "cyclegan": ("cyclegan", {"ngf": 3, "n_blocks": 2}),
    "cyclegan batch": ("cyclegan", {"ngf": 3, "n_blocks": 1, "norm": "batch"}),
    "transform": ("transform", {"channels": 3, "blocks": 1}),
}


@dataclass(frozen=True)
class Small:
    """A network, and what is known of it."""

    module: nn.Module
    about: WholeNetwork

    def untiled(self, source: NDArray[Any], dtype: Any) -> NDArray[Any]:
        """The whole picture at once, continued to the network's multiple by mirroring, and cut again."""
        full = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
        height, width = source.shape[:2]
        step, least = self.about.multiple, self.about.least
        longer = [max(least, length + -length % step) - length for length in (height, width)]
        pads = ((0, longer[0]), (0, longer[1]), (0, 0))
        given = np.pad(
            unit(source, 1 if source.dtype.kind == "f" else np.iinfo(source.dtype).max), pads, mode="reflect"
        )
        with torch.inference_mode():
            made = self.module(torch.from_numpy(to_planes(given[None], self.about.entering))).numpy()
        picture = to_windows(made, self.about.leaving, "untiled")[0]
        return stored(picture[: height * self.about.scale, : width * self.about.scale].copy(), np.dtype(dtype), full)


def small(name: str) -> Small:
    architecture, arguments = NETWORKS[name]
    torch.manual_seed(zlib.crc32(name.encode()))
    module = networks.build(architecture, arguments).eval().requires_grad_(False)
    for tensor, parameter in module.named_parameters():
        # Residual branches begin so small that what they see would be lost in rounding.
        if parameter.ndim == 4:
            nn.init.normal_(parameter, std=1.2 / parameter[0].numel() ** 0.5)
        elif tensor.endswith("bias"):
            nn.init.normal_(parameter, std=0.1)
        if tensor.startswith("deconv3"):
            # Its pictures are in [0, 255].
            parameter.mul_(40.0).add_(128.0 if parameter.ndim == 1 else 0.0)
    recognised = networks.recognise(
        module.state_dict(), **({"up_factor": 3} if "x3" in name and "rrdb" in name else {})
    )
    module.recognised = recognised
    return Small(networks.inference_form(module), whole_network(architecture, recognised.arguments))


@pytest.fixture(scope="session")
def small_network() -> Callable[[str], Small]:
    """A network of `NETWORKS` in its inference form."""
    return small


@pytest.fixture
def operator_for(tmp_path: Path) -> Callable[..., WholeImage]:
    """The operator on a file with a network of `NETWORKS`, on the CPU, in torch and fp32 unless said otherwise."""

    def made(name: str, engine: str = "eager", *, strict: bool = False, **options: Any) -> WholeImage:
        architecture, arguments = NETWORKS[name]
        torch.manual_seed(zlib.crc32(name.encode()))
        trained = networks.build(architecture, arguments)
        path = tmp_path / f"{name}.safetensors"
        save_file(trained.state_dict(), path)

        class Files:
            def path(self, _: str, __: str) -> Path:
                return path

        asked = EngineOptions(engine=engine, precision="fp32", device="cpu", threads=1, strict=strict)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return WholeImage(WholeOptions(name, digest, engine=asked, **options), Equipment(Files()))

    return made


@pytest.fixture(autouse=True)
def one_torch_thread() -> Iterator[None]:
    """Small networks on one thread: several would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def noise() -> Callable[..., NDArray[Any]]:
    """A picture of noise, so that every pixel says where it is."""

    def made(height: int, width: int, dtype: Any = np.uint16) -> NDArray[Any]:
        rng = np.random.Generator(np.random.PCG64(height * 10_007 + width))
        if np.dtype(dtype).kind == "f":
            return rng.random((height, width, 3)).astype(dtype)
        return rng.integers(0, np.iinfo(dtype).max, (height, width, 3), dtype, endpoint=True)

    return made


def differing(found: Tensor, expected: Tensor) -> float:
    """Largest difference in standard deviations."""
    return float((found - expected).abs().max() / expected.std())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`whole` runs over all small networks."""
    if "whole" in metafunc.fixturenames:
        metafunc.parametrize("whole", list(NETWORKS))
