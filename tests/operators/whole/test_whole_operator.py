"""Whole pictures through networks with weights."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest
from torch import nn

from operators import networks
from operators.checkpoints.errors import CheckpointError
from operators.engines.eager import EagerEngine
from operators.engines.errors import EngineMemoryError
from operators.engines.options import EngineOptions
from operators.errors import OperatorError
from operators.whole import operator as module_under_test
from operators.whole.networks import whole_network
from operators.whole.operator import WholeImage
from operators.whole.options import WholeOptions, halved, tiling
from operators.whole.windows import Tiling

SHA256 = "0" * 64


def tile_for(about):
    return -(-(2 * about.window + 40) // about.multiple) * about.multiple + about.multiple


def test_tiles_equal_the_picture_run_at_once(whole, small_network, operator_for, noise, monkeypatch):
    monkeypatch.setattr(module_under_test, "load_network", loader_of(whole, small_network))
    found = small_network(whole)
    about = found.about
    operator = operator_for(whole, tile=tile_for(about), overlap=about.window)
    operator.setup()
    tile = operator.execution().engine["tiles"]["tile"]
    height, width = tile + 2 * about.multiple + 13, tile + about.multiple + 7
    source = noise(height, width)
    target = np.zeros((height * about.scale, width * about.scale, 3), np.uint16)
    operator.enlarge(source, target)
    expected = found.untiled(source, np.uint16)
    # The order of sums in a convolution follows the window's size, so that float32 differs in its last bits.
    difference = np.abs(target.astype(int) - expected)
    assert expected.std() > 500
    assert difference.max() <= 6
    assert (difference == 0).mean() > 0.9


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 41), (9, 2), (5, 3)])
def test_pictures_smaller_than_a_networks_border_are_continued(
    height, width, whole, small_network, operator_for, noise, monkeypatch
):
    monkeypatch.setattr(module_under_test, "load_network", loader_of(whole, small_network))
    found = small_network(whole)
    operator = operator_for(whole)
    operator.setup()
    source = noise(height, width)
    target = np.zeros((height * found.about.scale, width * found.about.scale, 3), np.uint16)
    operator.enlarge(source, target)
    assert np.abs(target.astype(int) - found.untiled(source, np.uint16)).max() <= 6


def loader_of(name, small_network):
    """Stands in the place of reading a file, so that the operator runs the network that the test runs."""
    from operators.engines.contract import Network
    from operators.networks.load import recognised_of

    def load(*_):
        module = small_network(name).module
        known = recognised_of(module)
        shapes = (known.input_shape, known.output_shape)
        return Network(module, known.architecture, known.arguments, "test/1", SHA256, *shapes)

    return load


@pytest.mark.parametrize("name", ["rrdb x4", "pix2pix", "msrresnet x3"])
def test_less_overlap_than_the_reach_shows(name, small_network, operator_for, noise, monkeypatch):
    monkeypatch.setattr(module_under_test, "load_network", loader_of(name, small_network))
    found = small_network(name)
    # Two tiles side by side, which touch.
    source = noise(128, 128)
    target = np.zeros((128 * found.about.scale, 128 * found.about.scale, 3), np.uint16)
    operator = operator_for(name, tile=64, overlap=0)
    operator.setup()
    operator.enlarge(source, target)
    assert np.abs(target.astype(int) - found.untiled(source, np.uint16)).max() > 200


@pytest.mark.parametrize(("name", "engine"), [("rrdb x4", "openvino"), ("msrresnet x3", "onnxruntime")])
def test_compiled_engines_run_tiles(name, engine, operator_for, noise):
    source = noise(100, 91)
    compiled, plain = operator_for(name, engine=engine, tile=48), operator_for(name, tile=48)
    made = []
    for operator in (compiled, plain):
        operator.setup()
        scale = operator.network.scale
        made.append(np.zeros((100 * scale, 91 * scale, 3), np.uint16))
        operator.enlarge(source, made[-1])
    assert compiled.execution().engine["used"]["engine"] == engine
    assert np.abs(made[0].astype(int) - made[1]).max() <= 6


def test_the_gate_looks_at_a_small_square_on_a_cpu(operator_for, monkeypatch):
    run, sides = EagerEngine.run, []

    def watched(engine, batch):
        sides.append(tuple(batch.shape[2:]))
        return run(engine, batch)

    monkeypatch.setattr(EagerEngine, "run", watched)
    operator_for("rrdb x4", tile=200).setup()
    assert set(sides) == {(64, 64)}
    sides.clear()
    operator_for("rrdb x4", tile=48).setup()
    assert set(sides) == {(48, 48)}


def test_a_picture_shorter_than_a_tile_is_run_in_torch_at_its_own_size(small_network, operator_for, noise, monkeypatch):
    monkeypatch.setattr(module_under_test, "load_network", loader_of("rrdb x4", small_network))
    operator = operator_for("rrdb x4", engine="onnxruntime", tile=64)
    operator.setup()
    for height, width in ((40, 150), (33, 31), (1, 1)):
        target = np.zeros((4 * height, 4 * width, 3), np.uint16)
        operator.enlarge(noise(height, width), target)
        assert operator.execution().engine["used"]["engine"] == "eager"
        expected = small_network("rrdb x4").untiled(noise(height, width), np.uint16)
        assert np.abs(target.astype(int) - expected).max() <= 6
    operator.enlarge(noise(100, 100), np.zeros((400, 400, 3), np.uint16))
    assert operator.execution().engine["used"]["engine"] == "onnxruntime"


def test_a_pictures_bits_do_not_depend_on_those_before_it(operator_for, noise):
    for name in ("srresnet", "cyclegan"):
        operator = operator_for(name, tile=120)
        operator.setup()
        scale = operator.network.scale
        first, second = (np.zeros((150 * scale, 140 * scale, 3), np.uint16) for _ in range(2))
        operator.enlarge(noise(150, 140), first)
        operator.enlarge(noise(130, 170), np.zeros((130 * scale, 170 * scale, 3), np.uint16))
        operator.enlarge(noise(150, 140), second)
        assert np.array_equal(first, second)


def test_statistics_of_the_whole_picture_are_not_those_of_a_tile(small_network, operator_for, noise, monkeypatch):
    """A picture dark on one side: normalised tile by tile, both sides would come out alike."""
    monkeypatch.setattr(module_under_test, "load_network", loader_of("transform", small_network))
    source = noise(128, 240)
    source[:, 120:] //= 8
    operator = operator_for("transform", tile=100)
    operator.setup()
    target = np.zeros_like(source)
    operator.enlarge(source, target)
    expected = small_network("transform").untiled(source, np.uint16)
    assert np.abs(target.astype(int) - expected).max() <= 6
    alone = small_network("transform").untiled(source[:, 140:], np.uint16)
    assert np.abs(alone.astype(int) - expected[:, 140:]).max() > 2000


class NotEnough:
    """Makes torch's engine run out of memory above some number of pixels."""

    def __init__(self, monkeypatch, most):
        run = EagerEngine.run

        def limited(engine, batch):
            if batch[0, 0].numel() > most:
                raise EngineMemoryError("made up: out of memory")
            return run(engine, batch)

        monkeypatch.setattr(EagerEngine, "run", limited)


def test_out_of_memory_makes_tiles_smaller_and_is_recorded(operator_for, noise, monkeypatch):
    source = noise(170, 165)
    plain = operator_for("rrdb x4", tile=40, overlap=4)
    plain.setup()
    expected, target = (np.zeros((680, 660, 3), np.uint16) for _ in range(2))
    plain.enlarge(source, expected)
    operator = operator_for("rrdb x4", tile=160, overlap=4)
    operator.setup()
    assert operator.execution().events == {}
    NotEnough(monkeypatch, 50 * 50)
    operator.enlarge(source, target)
    done = operator.execution()
    assert done.events["tile_halved"] == 2
    assert done.engine["tiles"]["tile"] == 40
    assert np.array_equal(target, expected)
    assert operator.execution().events == {}
    operator.enlarge(source, target)
    assert operator.execution().events == {}


def test_out_of_memory_in_setup_makes_tiles_smaller_too(operator_for, monkeypatch):
    NotEnough(monkeypatch, 50 * 50)
    operator = operator_for("rrdb x4", tile=160, overlap=4)
    operator.setup()
    done = operator.execution()
    assert done.events == {"tile_halved": 2}
    assert done.engine["tiles"]["tile"] == 40


def test_no_memory_at_all_is_an_error(operator_for, monkeypatch):
    NotEnough(monkeypatch, 10)
    with pytest.raises(EngineMemoryError):
        operator_for("rrdb x4", tile=24, overlap=4, strict=True).setup()


def peak(operator, folder, height, width):
    """Largest memory that numpy and Python held while a picture on disk went to a picture on disk."""
    scale = operator.network.scale
    source = np.lib.format.open_memmap(folder / f"source{height}.npy", "w+", np.uint16, (height, width, 3))
    source[:] = np.arange(width * 3, dtype=np.uint16).reshape(1, width, 3)
    shape = (height * scale, width * scale, 3)
    target = np.lib.format.open_memmap(folder / f"target{height}.npy", "w+", np.uint16, shape)
    tracemalloc.start()
    try:
        operator.enlarge(source, target)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["msrresnet x3", "cyclegan"])
def test_memory_does_not_grow_with_the_picture(name, operator_for, tmp_path):
    operator = operator_for(name, tile=128)
    operator.setup()
    small, large = peak(operator, tmp_path, 200, 180), peak(operator, tmp_path, 400, 360)
    # The picture's 860 kB and 7.8 MB would show; what a list of windows takes does not.
    assert small < 4_000_000
    assert large < 1.05 * small + 20_000


def test_torch_holds_no_more_for_a_larger_picture(small_network, operator_for, tmp_path, monkeypatch):
    monkeypatch.setattr(module_under_test, "load_network", loader_of("rrdb x4", small_network))
    sizes = []
    convolve = nn.functional.conv2d

    def watched(x, *args, **kwargs):
        made = convolve(x, *args, **kwargs)
        sizes.append(made.numel())
        return made

    operator = operator_for("rrdb x4", tile=64)
    operator.setup()
    largest = []
    monkeypatch.setattr(nn.functional, "conv2d", watched)
    for side in (100, 200):
        sizes.clear()
        source = np.zeros((side, side, 3), np.uint8)
        operator.enlarge(source, np.zeros((4 * side, 4 * side, 3), np.uint8))
        largest.append(max(sizes))
    assert largest[0] == largest[1] == 64 * 64 * 16 * 4


def test_what_is_not_finite_is_an_error(small_network, operator_for, monkeypatch):
    def broken(*_):
        network = loader_of("cyclegan", small_network)()
        next(network.module.parameters()).fill_(float("nan"))
        return network

    monkeypatch.setattr(module_under_test, "load_network", broken)
    operator = operator_for("cyclegan")
    operator.setup()
    with pytest.raises(OperatorError, match="returned NaN or infinity") as caught:
        operator.enlarge(np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40, 3), np.uint8))
    assert caught.value.code == "not_finite"


def test_info_needs_no_file(operator_for):
    operator = operator_for("rrdb x4", tile=128, overlap=19)
    assert operator.info.name == "rrdb x4"
    assert operator.info.parameters == {
        "tile": 128,
        "overlap": 19,
        "engine": "eager",
        "precision": "fp32",
        "device": "cpu",
        "batch": 8,
    }
    with pytest.raises(RuntimeError, match="call setup"):
        _ = operator.network
    with pytest.raises(RuntimeError, match="call setup"):
        operator.enlarge(np.zeros((4, 4, 3), np.uint8), np.zeros((16, 16, 3), np.uint8))
    assert operator.execution().engine == {}


def test_a_network_for_faces_is_refused(tmp_path):
    from safetensors.torch import save_file

    from operators.restorers.contract import Equipment

    path = tmp_path / "parser.safetensors"
    arguments = {"in_size": 64, "out_size": 64, "base_ch": 4, "ch_range": [4, 8], "res_depth": 1}
    save_file(networks.build("parsenet", arguments).state_dict(), path)

    class Files:
        def path(self, *_):
            return path

    operator = WholeImage(WholeOptions("parser", SHA256), Equipment(Files()))
    with pytest.raises(CheckpointError, match="holds a network parsenet, and the operator for whole"):
        operator.setup()
    assert pickle.loads(pickle.dumps(WholeOptions("parser", SHA256))) == WholeOptions("parser", SHA256)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": ""}, "model: '' found"),
        ({"sha256": "abc"}, "sha256: 'abc' found"),
        ({"tile": 8}, "tile: 8 found, expected a whole number of 16 or more"),
        ({"tile": 99.5}, "tile: 99.5 found"),
        ({"overlap": -1}, "overlap: -1 found"),
        ({"overlap": True}, "overlap: True found"),
        ({"engine": "eager"}, "engine: 'eager' found"),
    ],
)
def test_options_are_checked(changed, message):
    with pytest.raises(ValueError, match=message):
        WholeOptions(**{"model": "x", "sha256": SHA256, **changed})


def test_tiles_that_suit_a_network():
    rrdb = {"num_block": 23, "ups": 2, "unshuffle": 1}
    x4, x2 = whole_network("rrdb", rrdb), whole_network("rrdb", {**rrdb, "unshuffle": 2})
    cyclegan = whole_network("cyclegan", {"n_blocks": 9, "norm": "instance"})
    assert tiling(x4) == Tiling(384, 64, 4)
    assert tiling(x2) == Tiling(768, 128, 2, 1, 2)
    assert tiling(x4, overlap=349) == Tiling(1210, 349, 4)
    assert tiling(whole_network("rrdb", {**rrdb, "num_block": 6})).overlap == 94
    assert tiling(whole_network("msrresnet", {"blocks": 16, "factors": [2, 2]})) == Tiling(256, 35, 4)
    assert tiling(whole_network("pix2pix", {"num_downs": 8, "norm": "batch"})) == Tiling(2048, 765, 1, 1, 256)
    assert tiling(cyclegan, tile=301).tile == 304
    with pytest.raises(ValueError, match="overlap: 8 found, expected 84 or more: cyclegan normalises by the whole"):
        tiling(cyclegan, overlap=8)
    with pytest.raises(ValueError, match="expected a tile of 699 or more"):
        tiling(x4, tile=400, overlap=349)


def test_halving_ends_where_the_overlap_leaves_no_room():
    sides = []
    geometry = Tiling(512, 30, 2, 1, 4)
    while geometry is not None:
        sides.append(geometry.tile)
        geometry = halved(geometry)
    assert sides == [512, 256, 128, 68]


def test_options_of_engines_are_kept():
    assert WholeOptions("x", SHA256).engine == EngineOptions()
