import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional

from operators.faces.templates import template_points
from operators.features import (
    Embedder,
    perceptual_distance,
    perceptual_distances,
    sface_features,
    vgg_features,
)
from operators.features.networks import SFACE_LAYERS
from operators.features.sface import SFace, _dequantised
from operators.networks import from_state_dict
from operators.networks.vgg16.network import Vgg16
from operators.scoring.identity import IdentityModel
from operators.scoring.sface_graph import sface_graph

TINY = Vgg16((2, 3, 4, 5, 6), 7, 8)


def blobs(count: int, side: int, seed: int) -> torch.Tensor:
    """Smooth coloured pictures in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 7, 7, generator=generator) * 2 - 1
    return functional.interpolate(coarse, side, mode="bicubic", align_corners=False).clamp(-1, 1)


def test_sface_is_the_file_in_onnxruntime() -> None:
    faces = blobs(3, 112, 1)
    session = onnxruntime.InferenceSession(sface_graph(), providers=["CPUExecutionProvider"])
    theirs = np.concatenate([session.run(None, {"data": ((face + 1) * 127.5).numpy()[None]})[0] for face in faces])
    ours = SFace().eval()(faces).numpy()
    assert np.abs(ours - theirs).max() / theirs.std() < 1e-4


def test_dequantised_blocks_of_unequal_length() -> None:
    quantised = np.arange(-6, 4, dtype=np.int8).reshape(2, 5)
    scales = np.array([[1, 2], [3, 4]], np.float32)
    zeros = np.array([[0, 1], [2, 3]], np.int8)
    expected = np.empty((2, 5), np.float32)
    for row in range(2):
        for column in range(5):
            block = column // 3
            expected[row, column] = (float(quantised[row, column]) - zeros[row, block]) * scales[row, block]
    assert np.array_equal(_dequantised(quantised, scales, zeros, 1, 3), expected)


def test_a_graph_of_another_shape_is_refused() -> None:
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "g", [], [])
    with pytest.raises(ValueError, match=r"goes on with \['Conv'\]"):
        SFace(onnx.helper.make_model(graph))


def test_sface_maps_and_sizes() -> None:
    maps = sface_features()(blobs(2, 64, 2))
    assert tuple(maps) == SFACE_LAYERS
    assert [one.shape[-1] for one in maps.values()] == [64, 32, 16, 8, 4]


def test_embedder_sees_what_the_scorer_sees() -> None:
    landmarks = template_points("ffhq", 256)
    embedder, model = Embedder((landmarks + 0.5) / 256), IdentityModel()
    pictures = blobs(4, 256, 3)
    ours = embedder(pictures)
    for vector, picture in zip(ours, pictures, strict=True):
        crop = np.ascontiguousarray(((picture + 1) / 2).permute(1, 2, 0).numpy())
        theirs = model.feature(crop, landmarks)
        assert theirs is not None
        assert float(vector.numpy() @ theirs) > 0.999
    assert torch.allclose(ours.norm(dim=1), torch.ones(4), atol=1e-5)


def test_embedder_has_a_gradient_and_stays_in_eval_mode() -> None:
    embedder = Embedder((template_points("gpen", 128) + 0.5) / 128).train()
    assert not embedder.sface.training
    picture = blobs(1, 128, 4).requires_grad_()
    embedder(picture)[0, 0].backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0
    assert all(not parameter.requires_grad for parameter in embedder.parameters())


def test_distance_is_the_papers_equation() -> None:
    first, second = ({"a": torch.randn(2, 3, 4, 5), "b": torch.randn(2, 2, 2, 2)} for _ in range(2))
    expected = np.zeros(2)
    for name in first:
        one, two = (maps[name].double().numpy() for maps in (first, second))
        for picture in range(2):
            cells = []
            for y in range(one.shape[2]):
                for x in range(one.shape[3]):
                    p, q = one[picture, :, y, x], two[picture, :, y, x]
                    cells.append(((p / np.linalg.norm(p) - q / np.linalg.norm(q)) ** 2).sum())
            expected[picture] += np.mean(cells)
    assert np.allclose(perceptual_distances(first, second).numpy(), expected, rtol=1e-5)


def test_distance_grows_with_blur() -> None:
    network = sface_features()
    sharp = blobs(1, 64, 5) + 0.3 * torch.sign(torch.sin(torch.arange(64.0)))[None, None, None]
    soft = [functional.avg_pool2d(sharp, size, 1, size // 2) for size in (3, 7)]
    distances = [float(perceptual_distance(network, sharp, one)) for one in (sharp, *soft)]
    assert distances[0] == 0.0
    assert 0.0 < distances[1] < distances[2]


def test_vgg16_is_recognised_and_loaded() -> None:
    module = from_state_dict(TINY.state_dict())
    assert isinstance(module, Vgg16)
    pictures = blobs(2, 48, 6)
    assert torch.equal(module(pictures), TINY.eval()(pictures))
    with pytest.raises(Exception, match="vgg16"):
        from_state_dict({name: one for name, one in TINY.state_dict().items() if name != "features.28.bias"})


def test_vgg16_published_names() -> None:
    names = set(Vgg16().state_dict())
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    expected = {f"features.{place}.{kind}" for place in places for kind in ("weight", "bias")}
    assert names == expected | {f"classifier.{place}.{kind}" for place in (0, 3, 6) for kind in ("weight", "bias")}


def test_vgg16_maps() -> None:
    network = vgg_features(TINY, "0" * 64)
    pictures = blobs(1, 32, 7)
    maps = network(pictures)
    assert tuple(maps) == ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
    assert [tuple(one.shape[1:]) for one in maps.values()] == [
        (width, 32 >> level, 32 >> level) for level, width in enumerate((2, 3, 4, 5, 6))
    ]
    normalised = (pictures + 1) / 2
    normalised = (normalised - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(1, 3, 1, 1)
    assert torch.allclose(maps["relu2_2"], TINY.features[:9](normalised), atol=1e-6)
    with pytest.raises(ValueError, match="no activation 'relu9_9'"):
        TINY.trunk(("relu9_9",))
