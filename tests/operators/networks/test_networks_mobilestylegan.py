"""MobileStyleGAN: its wavelets, the published network read as data, and that it draws what OpenVINO draws."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from operators import networks
from operators.models import ModelFileError
from operators.models.packaged import MOBILESTYLEGAN_FILES, locate
from operators.networks.mobilestylegan.convert import state_dict_of
from operators.networks.mobilestylegan.ir import Graph, IrError, read_graph
from operators.networks.mobilestylegan.layers import haar_inverse


def test_wavelets():
    """The transform of the paper, written as sums of pixels, is taken back."""
    picture = torch.randn(2, 3, 8, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a, b = picture[..., ::2, ::2], picture[..., ::2, 1::2]
    c, d = picture[..., 1::2, ::2], picture[..., 1::2, 1::2]
    low, vertical, horizontal, diagonal = (a + b + c + d, a + b - c - d, a - b + c - d, a - b - c + d)
    details = torch.stack([vertical, horizontal, diagonal], 2).flatten(1, 2)
    bands = torch.cat([low, details], 1) / 2
    assert torch.allclose(haar_inverse(bands / 2), picture, atol=1e-12)


@pytest.fixture(scope="module")
def files():
    try:
        return [locate(name) for name in MOBILESTYLEGAN_FILES]
    except ModelFileError as error:
        pytest.skip(f"the published MobileStyleGAN is not here: {error}")


@pytest.fixture(scope="module")
def graphs(files):
    return read_graph(files[0], files[1]), read_graph(files[2], files[3])


@pytest.fixture(scope="module")
def published(graphs):
    return networks.from_state_dict(state_dict_of(*graphs))


def test_every_parameter_is_filled(published, graphs):
    assert published.recognised.architecture == "mobilestylegan"
    assert published.recognised.output_shape == (3, 1024, 1024)
    tensors = state_dict_of(*graphs)
    assert tensors.keys() == published.state_dict().keys()
    # A constant map would be one that was not in the file.
    assert all(value.std() > 0 for value in tensors.values())
    assert "random_face" not in sys.modules


def test_the_same_pictures_as_openvino_draws(published, files):
    openvino = pytest.importorskip("openvino", reason="OpenVINO draws the reference, and is not installed")
    core = openvino.Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2}
    mapping, synthesis = (core.compile_model(core.read_model(str(files[at])), "CPU", exact) for at in (0, 2))
    drawn = np.random.default_rng(20261126).standard_normal((3, 1, 512)).astype(np.float32)
    for z in drawn:
        w = mapping([z])[0]
        with torch.no_grad():
            assert np.abs(published.mapping(torch.from_numpy(z)).numpy() - w).max() < 1e-4 * w.std()
            found = published(torch.from_numpy(z)).numpy()
        expected = synthesis([w])[0]
        assert expected.shape == (1, 3, 1024, 1024)
        assert np.abs(found - expected).max() <= 1e-3 * expected.std()


def changed(graph_files, old, new):
    xml = graph_files[2].read_text()
    assert old in xml
    return Graph(xml.replace(old, new), graph_files[3].read_bytes(), "SynthesisNetwork.xml")


def test_a_number_that_is_no_part_of_the_network_is_noticed(files, graphs):
    """A parameter without its name is a number that nothing accounts for; so is a slope or a filter that is another."""
    name = "m.layers.3.conv2.conv.weight_dw"
    with pytest.raises(IrError, match=r"SynthesisNetwork\.xml: .*, which is no part of the network"):
        state_dict_of(graphs[0], changed(files, name, "other"))
    numbers = bytearray(files[3].read_bytes())
    numbers[23327220:23327224] = np.float32(0.3).tobytes()
    graph = Graph(files[2].read_text(), bytes(numbers), "SynthesisNetwork.xml")
    with pytest.raises(IrError, match=r"LeakyRelu.* holds \[0\.3.*\], which is no part of the network"):
        state_dict_of(graphs[0], graph)
    numbers = bytearray(files[3].read_bytes())
    numbers[131356:131360] = np.float32(0.25).tobytes()
    graph = Graph(files[2].read_text(), bytes(numbers), "SynthesisNetwork.xml")
    with pytest.raises(IrError, match=r"layers\.6\.to_img.* is multiplied with \[0\.25\], not 0\.125"):
        state_dict_of(graphs[0], graph)


TINY = """<net><layers>
<layer id="0" name="a" type="Const"><data element_type="{kind}" shape="2" offset="{offset}" size="{size}"/>
<output><port id="0" names="m.a"/></output></layer>
<layer id="1" name="b" type="Parameter"/>
<layer id="2" name="c" type="Add"/>
</layers><edges>
<edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>
<edge from-layer="{source}" from-port="0" to-layer="2" to-port="0"/>
</edges></net>"""
DATA = np.array([1.5, 2.5], np.float32).tobytes()


def tiny(**changes):
    values = {"kind": "f32", "offset": 0, "size": 8, "source": 0, **changes}
    return Graph(TINY.format(**values), DATA, "tiny.xml")


def test_a_representation_is_read():
    graph = tiny()
    constant = graph.layers["0"]
    assert constant.name == "m.a"
    assert graph.constant(constant).tolist() == [1.5, 2.5]
    assert [layer.number for layer in graph.inputs(graph.layers["2"])] == ["0", "1"]
    assert graph.user(constant, "Add").number == "2"
    assert [layer.number for layer in graph.of_kind("Parameter")] == ["1"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"offset": 4}, "claims bytes 4 to 12 of 8"),
        ({"offset": -8}, "claims bytes -8 to 0 of 8"),
        ({"size": 4}, "claims bytes 0 to 4"),
        ({"kind": "f16"}, "holds f16"),
    ],
)
def test_constants_outside_the_file_are_refused(changes, words):
    graph = tiny(**changes)
    with pytest.raises(IrError, match=rf"tiny\.xml: m\.a .*{words}"):
        graph.constant(graph.layers["0"])


def test_what_is_no_representation():
    with pytest.raises(IrError, match="joins layers 7 and 2, which are not both there"):
        tiny(source=7)
    with pytest.raises(IrError, match=r"x\.xml: no OpenVINO representation"):
        Graph("<net>", b"", "x.xml")
    graph = tiny()
    with pytest.raises(IrError, match="b is a Parameter, expected a Const"):
        graph.constant(graph.layers["1"])
    with pytest.raises(IrError, match=r"m\.a \(Const\) goes into 0 Multiply, expected one"):
        graph.user(graph.layers["0"], "Multiply")
