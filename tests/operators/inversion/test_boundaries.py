"""Boundary vectors: read as published, written and read again, refused where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from operators import networks
from operators.inversion.boundaries import (
    Boundary,
    BoundaryError,
    check_boundary,
    moved,
    read_boundary,
    write_boundary,
)
from operators.inversion.priors import prior_of


@pytest.fixture
def vector():
    return np.random.default_rng(4).standard_normal((1, 16)).astype(np.float32)


@pytest.fixture
def styled():
    torch.manual_seed(0)
    return prior_of(networks.build("mobilestylegan", {"style_dim": 16, "n_mlp": 1, "channels": [8, 4]}))


@pytest.mark.parametrize(
    ("file", "space"),
    [("stylegan_ffhq_age_w_boundary.npy", "w"), ("pggan_celebahq_age_boundary.npy", "z")],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 16), (16,)])
def test_published_files(tmp_path, vector, file, space, dtype, shape):
    np.save(tmp_path / file, (7 * vector).astype(dtype).reshape(shape))
    found = read_boundary(tmp_path / file)
    assert (found.space, found.name) == (space, file.removesuffix(".npy"))
    assert found.vector.dtype == np.float32
    assert np.allclose(found.vector, vector[0] / np.linalg.norm(vector), atol=1e-6)


def test_what_is_said_goes_before_the_name(tmp_path, vector):
    np.save(tmp_path / "smile.npy", vector)
    found = read_boundary(tmp_path / "smile.npy", name="expression", space="w")
    assert (found.name, found.space) == ("expression", "w")
    np.save(tmp_path / "x_boundary.npy", vector)
    assert read_boundary(tmp_path / "x_boundary.npy", space="w").space == "w"


def test_round_trip(tmp_path, vector):
    boundary = Boundary("age", "w", (vector[0] / np.linalg.norm(vector)).astype(np.float32))
    write_boundary(tmp_path / "a.safetensors", boundary)
    found = read_boundary(tmp_path / "a.safetensors")
    assert (found.name, found.space) == ("age", "w")
    assert np.allclose(found.vector, boundary.vector, atol=1e-7)
    with pytest.raises(BoundaryError, match=r"a\.safetensors: the file says that it is in w, not in z"):
        read_boundary(tmp_path / "a.safetensors", space="z")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((1, 8), np.float32), "nothing but zeros"),
        (np.full((1, 8), np.nan, np.float32), "not finite"),
        (np.full((1, 8), np.inf, np.float32), "not finite"),
        (np.ones((2, 8), np.float32), r"float32 of shape \(2, 8\), expected floats of shape \(1, D\)"),
        (np.ones((1, 2, 8), np.float32), r"shape \(1, 2, 8\)"),
        (np.ones((1, 8), np.int64), "int64"),
        (np.float32(3), r"shape \(\)"),
    ],
)
def test_what_is_no_vector(tmp_path, value, words):
    np.save(tmp_path / "a_boundary.npy", value)
    with pytest.raises(BoundaryError, match=rf"a_boundary\.npy.*{words}"):
        read_boundary(tmp_path / "a_boundary.npy")


class Harm:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def test_what_is_no_file_of_its_kind(tmp_path, vector):
    np.save(tmp_path / "a.npy", np.array([Harm()], dtype=object), allow_pickle=True)
    with pytest.raises(BoundaryError, match=r"a\.npy: no \.npy file of numbers"):
        read_boundary(tmp_path / "a.npy", space="z")
    for name in ("b.npy", "b.safetensors"):
        (tmp_path / name).write_bytes(b"not at all")
        with pytest.raises(BoundaryError, match=r"b\..*: no "):
            read_boundary(tmp_path / name, space="z")
    with pytest.raises(BoundaryError, match=r"c\.txt: a boundary vector is a \.npy or \.safetensors file"):
        (tmp_path / "c.txt").touch()
        read_boundary(tmp_path / "c.txt")
    save_file({"other": vector}, tmp_path / "d.safetensors")
    with pytest.raises(BoundaryError, match=r"has the tensors \['other'\], expected 'boundary' alone"):
        read_boundary(tmp_path / "d.safetensors", space="z")
    np.save(tmp_path / "e.npy", np.zeros((1 << 20,), np.float32))
    with pytest.raises(BoundaryError, match=r"e\.npy: 4194432 bytes are too many"):
        read_boundary(tmp_path / "e.npy", space="z")
    with pytest.raises(FileNotFoundError):
        read_boundary(tmp_path / "gone.npy")


def test_a_space_must_be_known(tmp_path, vector):
    np.save(tmp_path / "age.npy", vector)
    with pytest.raises(BoundaryError, match="nothing says in which space the vector is; say z or w"):
        read_boundary(tmp_path / "age.npy")
    with pytest.raises(BoundaryError, match=r"space 'w\+'; expected z or w"):
        read_boundary(tmp_path / "age.npy", space="w+")


def test_moving(styled):
    age = Boundary("age", "w", np.eye(16, dtype=np.float32)[3])
    pose = Boundary("pose", "w", np.eye(16, dtype=np.float32)[5])
    for space in ("w", "w+"):
        codes = styled.start(2, space, torch.Generator().manual_seed(0))
        found = moved(codes, styled, space, [(age, 2.0), (pose, -0.5)]) - codes
        expected = torch.zeros_like(codes)
        expected[..., 3], expected[..., 5] = 2.0, -0.5
        assert torch.allclose(found, expected, atol=1e-6)
        assert moved(codes, styled, space, []) is codes


def test_moving_where_it_does_not_fit(styled):
    codes = styled.start(1, "w", torch.Generator())
    vector = np.eye(16, dtype=np.float32)[0]
    with pytest.raises(BoundaryError, match="boundary age is in z, and the codes are in w"):
        moved(codes, styled, "w", [(Boundary("age", "z", vector), 1.0)])
    with pytest.raises(BoundaryError, match="has 4 numbers, and a code of mobilestylegan has 16"):
        check_boundary(Boundary("age", "w", vector[:4]), styled, "w")
    with pytest.raises(BoundaryError, match="boundary age is in w, and the codes are in z"):
        check_boundary(Boundary("age", "w", vector), styled, "z")
