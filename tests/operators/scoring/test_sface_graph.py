"""The rewritten graph against the published one."""

import numpy as np
import onnx
import onnxruntime

from operators.models import locate
from operators.scoring.sface_graph import sface_graph


def run(model, picture):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
    return session.run(None, {"data": picture})[0]


def test_the_graph_computes_what_the_published_one_does():
    picture = (np.random.default_rng(0).random((1, 3, 112, 112)) * 255).astype(np.float32)
    published = onnx.load_model(str(locate("sface")))
    del published.graph.input[1:]  # weights, which have their values in the file
    expected, rewritten = run(published.SerializeToString(), picture), run(sface_graph(), picture)
    assert np.abs(expected - rewritten).max() < 1e-5 * np.abs(expected).max()


def test_nothing_slow_is_left_and_only_the_picture_goes_in():
    graph = onnx.load_model_from_string(sface_graph()).graph
    assert [item.name for item in graph.input] == ["data"]
    assert "PRelu" not in {node.op_type for node in graph.node}
