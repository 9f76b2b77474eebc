import pickle
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from operators.checkpoints import CheckpointError
from operators.engines import climb
from operators.engines.eager import EagerEngine
from operators.engines.errors import EngineMemoryError
from operators.engines.options import EngineOptions
from operators.engines.table import BACKENDS, Backend
from operators.errors import OperatorError
from operators.faces.tone import is_toned
from operators.faces.tone_curve import luma_of
from operators.networks import FORMULATION
from operators.restorers.generator.restorer import VERSION
from operators.restorers.table import create

FILES = {"gfpgan": "gfpgan.pth", "gpen": "gpen.safetensors"}
KINDS = sorted(FILES)
GPEN_ARGUMENTS = {"in_size": 64, "out_size": 64, "style_dim": 16, "n_mlp": 2, "channel_multiplier": 1, "narrow": 1 / 32}


def shifted(faces):
    return np.ascontiguousarray(faces.transpose(0, 3, 1, 2) * 2 - 1)


def unshifted(output):
    return np.clip(output * 0.5 + 0.5, 0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_fidelity_of_0_is_the_generator_and_of_1_the_input(kind, tiny_models, small_faces, face_context):
    contexts = [face_context()] * 3
    generated = unshifted(tiny_models.output(FILES[kind], shifted(small_faces)))
    assert np.abs(generated - small_faces).mean() > 0.05
    restored = tiny_models.restorer(kind, FILES[kind]).restore(small_faces, contexts)
    assert (restored.dtype, restored.shape) == (np.float32, small_faces.shape)
    assert np.abs(restored - generated).max() < 1e-5
    untouched = tiny_models.restorer(kind, FILES[kind], fidelity=1).restore(small_faces, contexts)
    assert np.array_equal(untouched, small_faces) and not np.shares_memory(untouched, small_faces)
    between = tiny_models.restorer(kind, FILES[kind], fidelity=0.25).restore(small_faces, contexts)
    assert np.abs(between - (0.75 * generated + 0.25 * small_faces)).max() < 1e-5


def test_sft_strength_reaches_the_network(tiny_models, small_faces, face_context):
    contexts = [face_context()] * 3
    full, half, none = (
        tiny_models.restorer("gfpgan", "gfpgan.pth", sft_strength=strength).restore(small_faces, contexts)
        for strength in (1, 0.5, 0)
    )
    assert np.abs(full - none).max() > np.abs(full - half).max() > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_a_face_has_the_same_bytes_alone_in_a_batch_and_again(kind, tiny_models, small_faces, face_context):
    restorer = tiny_models.restorer(kind, FILES[kind])
    contexts = [face_context(), face_context(toned=True), face_context(gray=True)]
    together = restorer.restore(small_faces, contexts)
    for index in range(3):
        alone = restorer.restore(small_faces[index : index + 1], contexts[index : index + 1])
        assert np.array_equal(alone[0], together[index])
    assert np.array_equal(restorer.restore(small_faces[::-1], contexts[::-1])[::-1], together)
    assert np.array_equal(tiny_models.restorer(kind, FILES[kind]).restore(small_faces, contexts), together)


def test_the_output_may_be_larger_than_the_input(tiny_models, small_faces, face_context):
    faces = np.stack([cv2.resize(face, (32, 32), interpolation=cv2.INTER_AREA) for face in small_faces])
    contexts = [face_context(32)] * 3
    generated = unshifted(tiny_models.output("gpen-small.pth", shifted(faces)))
    assert generated.shape == (3, 64, 64, 3)
    restored = tiny_models.restorer("gpen", "gpen-small.pth", size=32).restore(faces, contexts)
    assert np.abs(restored - generated).max() < 1e-5
    mixed = tiny_models.restorer("gpen", "gpen-small.pth", size=32, fidelity=0.9).restore(faces, contexts)
    enlarged = np.stack([cv2.resize(face, (64, 64), interpolation=cv2.INTER_CUBIC) for face in faces])
    assert np.abs(mixed - (0.1 * generated + 0.9 * enlarged)).mean() < 0.01
    gray = tiny_models.restorer("gpen", "gpen-small.pth", size=32).restore(faces[:1], [face_context(32, gray=True)])
    assert gray.shape == (1, 64, 64, 3) and np.ptp(gray, axis=-1).max() == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_one_tone_keep_it_and_colour_is_left_to_the_network(kind, tiny_models, small_faces, face_context):
    sepia = luma_of(small_faces)[..., None] * np.float32([1.0, 0.85, 0.65]) + np.float32([0.02, 0.01, 0.0])
    faces = np.clip(sepia, 0, 1).astype(np.float32)
    contexts = [face_context(toned=True), face_context(), face_context(gray=True)]
    free = tiny_models.restorer(kind, FILES[kind], keep_tone=False).restore(faces, contexts)
    kept = tiny_models.restorer(kind, FILES[kind]).restore(faces, contexts)
    assert not any(is_toned(face) for face in free)
    assert is_toned(kept[0]) and np.ptp(kept[0], axis=-1).max() > 0.02
    assert np.array_equal(kept[1], free[1])
    assert np.ptp(kept[2], axis=-1).max() == 0.0
    assert np.abs(luma_of(kept) - luma_of(free)).max() < 1e-5


def test_info_says_all_that_changes_the_output(tiny_models):
    given = {"model": "gfpgan.pth", "sha256": "ab" * 32}
    info = create("gfpgan", {**given, "fidelity": 0.5, "sft_strength": 0.25}, tiny_models.equipment).info
    assert (info.name, info.template, info.sizes, info.weights_sha256) == ("gfpgan.pth", "ffhq", (512,), "ab" * 32)
    assert info.parameters == {
        "task": "restore",
        "fidelity": 0.5,
        "sft_strength": 0.25,
        "keep_tone": True,
        "engine": "auto",
        "precision": "auto",
        "device": "auto",
        "batch": 8,
    }
    info = create(
        "gpen", {**given, "task": "inpaint", "engine": EngineOptions("eager", "bf16")}, tiny_models.equipment
    ).info
    assert (info.template, info.parameters["task"], info.parameters["precision"]) == ("gpen", "inpaint", "bf16")
    assert "sft_strength" not in info.parameters
    assert VERSION.split(" ", 1)[1] == FORMULATION, "the graph is written another way: say so in VERSION"


def test_a_restorer_travels_before_it_is_set_up(tiny_models, small_faces, face_context):
    given = {"model": "gpen.safetensors", "sha256": tiny_models.hashes["gpen.safetensors"], "size": 64}
    restorer = create("gpen", {**given, "engine": EngineOptions("eager", "fp32", "cpu")}, tiny_models.equipment)
    assert restorer.execution().engine == {}
    with pytest.raises(RuntimeError, match=r"gpen.safetensors was not set up: call setup\(\)"):
        restorer.restore(small_faces, [face_context()] * 3)
    arrived = pickle.loads(pickle.dumps(restorer))
    arrived.setup()
    assert arrived.restore(small_faces, [face_context()] * 3).shape == small_faces.shape


def test_execution_says_what_ran(tiny_models, small_faces, face_context):
    restorer = tiny_models.restorer("gpen", "gpen.safetensors")
    restorer.restore(small_faces, [face_context()] * 3)
    execution = restorer.execution()
    assert execution.engine["asked"]["engine"] == "eager"
    assert (execution.engine["used"]["engine"], execution.engine["used"]["precision"]) == ("eager", "fp32")
    assert execution.events == {}


class Cramped(EagerEngine):
    """An engine that has memory for two runs."""

    runs = 0

    def run(self, batch):
        self.runs += 1
        if self.runs > 2 + 2:  # two are the gate's
            raise EngineMemoryError("no memory for a third face")
        return super().run(batch)


class CrampedBackend(Backend):
    def available(self, device):
        return None

    def build(self, precision, device, options, store):
        return Cramped(precision, device, options, store)


def test_an_engine_without_memory_gives_way_to_the_next_and_it_is_recorded(
    tiny_models, small_faces, face_context, monkeypatch
):
    expected = tiny_models.restorer("gpen", "gpen.safetensors").restore(small_faces, [face_context()] * 3)
    cramped = CrampedBackend("onnxruntime", ("cpu",), ("fp32",), "", "")
    gone = Backend("openvino", ("cuda",), ("fp32",), "", "")
    monkeypatch.setattr(climb, "BACKENDS", {**BACKENDS, "onnxruntime": cramped, "openvino": gone})
    options = EngineOptions("onnxruntime", "fp32", "cpu", threads=1)
    restorer = tiny_models.restorer("gpen", "gpen.safetensors", engine=options)
    assert restorer.execution().events == {}
    restored = restorer.restore(small_faces, [face_context()] * 3)
    assert np.abs(restored - expected).max() < 1e-5
    execution = restorer.execution()
    assert execution.events == {"engine_fallback": 1}
    assert execution.engine["used"]["engine"] == "eager"
    assert any("memory" in passed["reason"] for passed in execution.engine["passed_over"])
    assert restorer.execution().events == {}, "told once"


@pytest.mark.parametrize(
    ("kind", "file", "options", "code", "words"),
    [
        ("gpen", "gfpgan.pth", {}, "wrong_architecture", ["gfpgan.pth", "gfpgan_clean", "the gpen restorer runs gpen"]),
        ("gfpgan", "gpen.safetensors", {}, "wrong_architecture", ["holds a network gpen", "gfpgan_clean or gfpgan_v1"]),
        ("gpen", "gpen.safetensors", {"size": 512}, "wrong_size", ["3 x 64 x 64", "3 x 512 x 512"]),
        ("gpen", "gpen-small.pth", {"size": 64}, "wrong_size", ["3 x 32 x 32", "3 x 64 x 64"]),
    ],
)
def test_another_network_is_refused_by_name(kind, file, options, code, words, tiny_models):
    with pytest.raises(CheckpointError) as caught:
        tiny_models.restorer(kind, file, **options)
    assert caught.value.code == code
    for word in words:
        assert word in str(caught.value)


def test_an_unknown_network_is_refused_with_the_file(tiny_models):
    tiny_models._save("strange.pth", {"layer.weight": torch.ones(3, 3)})
    with pytest.raises(CheckpointError, match=r"strange\.pth") as caught:
        tiny_models.restorer("gfpgan", "strange.pth")
    assert caught.value.code == "unknown_architecture"


def test_what_does_not_fit_is_refused(tiny_models, small_faces, face_context):
    restorer = tiny_models.restorer("gpen", "gpen.safetensors")
    with pytest.raises(ValueError, match=r"\(3, 32, 32, 3\): expected \(N, 64, 64, 3\)"):
        restorer.restore(small_faces[:, ::2, ::2], [face_context()] * 3)
    with pytest.raises(ValueError, match="1 contexts for 3 faces"):
        restorer.restore(small_faces, [face_context()])
    with pytest.raises(OperatorError) as caught:
        restorer.restore(np.full_like(small_faces, np.nan), [face_context()] * 3)
    assert caught.value.code == "not_finite"
    assert restorer.restore(small_faces[:0], []).shape == (0, 64, 64, 3)


def test_nan_from_the_network_is_an_error_not_a_face(tiny_models, small_faces, face_context):
    def explosive(network):
        # Fine on pictures, infinite on what is far out of their range.
        network.ecd0[0][0].weight.mul_(1e6)

    tiny_models.add("explosive.pth", "gpen", GPEN_ARGUMENTS, explosive)
    restorer = tiny_models.restorer("gpen", "explosive.pth")
    with pytest.raises(OperatorError, match=r"explosive\.pth returned NaN or infinity") as caught:
        restorer.restore(small_faces * np.float32(1e35), [face_context()] * 3)
    assert caught.value.code == "not_finite"


def test_the_table_and_the_options_need_no_torch():
    code = (
        "import sys, operators.restorers.table as table\n"
        "from operators.restorers.contract import Equipment\n"
        "table.create('gfpgan', {'model': 'm', 'sha256': '0' * 64}, Equipment(None)).info\n"
        "import operators.faces.parsing, operators.faces.tone\n"
        "print(sorted({'torch', 'openvino', 'onnxscript', 'tensorrt'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
