"""What is said of a background that cannot be: which key, what was found, what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.nightly.outdated import gap
from jobs.restore.identity import identity_of
from jobs.restore.needs import needs_of
from jobs.restore.weights import weights_of
from jobs.spec import JobFileError, RestoreJob, loads
from jobs.spec.canonical import canonical, digest

from .small_backgrounds import add_enlarger
from .small_models import add_generator

START = "job: restore\nname: a\nsource: {kind: files, uri: in}\noutput: {uri: out}\n"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backgrounds") / "cache"
    add_enlarger(folder, "small-x2")
    add_enlarger(folder, "other-x2", seed=1)
    add_enlarger(folder, "for-study-x4", 2, "--noncommercial", "--licence", "for study only")
    add_generator(folder, "small-gfpgan")
    return folder


def read(cache: Path, background: str, more: str = "", models: str = "") -> RestoreJob:
    block = f"background: {{{background}}}\n" if background else ""
    text = f"{START}models: {{cache: {cache}{models}}}\n{block}{more}"
    found = loads(text, folder=Path("/nowhere"))
    assert isinstance(found, RestoreJob)
    return found


@pytest.mark.parametrize(
    ("background", "more", "key", "said"),
    [
        ("scale: 2", "", "background.model", "missing"),
        ("model: small-x3", "", "background.model", "did you mean 'small-x2'?"),
        ("model: small-gfpgan", "", "background.model", "which takes no whole pictures (restores faces)"),
        ("model: gfpgan-1.4", "", "background.model", "which takes no whole pictures"),
        ("model: for-study-x4", "", "background.model", "models.accept_noncommercial: [for-study-x4]"),
        ("model: small-x2, scale: 0.5", "", "background.scale", "1"),
        ("model: small-x2, strength: 2", "", "background.strength", "1"),
        ("model: small-x2, tile: 64, overlap: 32", "", "background.overlap", "less than half"),
        ("model: small-x2, faces_from: result", "", "background.faces_from", "'original' or 'background'"),
        ("model: small-x2, engine: {name: tensorrt, device: cpu}", "", "background.engine.device", "tensorrt"),
        ("model: small-x2", "run: {placement: staged}\n", "run.placement", "write auto or fused"),
        ("model: small-x2", "restore: {model: anonymize}\n", "background", "anonymize"),
    ],
    ids=str,
)
def test_refused_with_its_key(cache: Path, background: str, more: str, key: str, said: str) -> None:
    with pytest.raises(JobFileError) as caught:
        read(cache, background, more)
    messages = {problem.path: problem.message for problem in caught.value.problems}
    assert said in messages[key]
    assert len(messages) == 1


def test_what_only_the_models_card_tells(cache: Path) -> None:
    for background, said in (
        ("model: small-x2, scale: 2.5", "background.scale: found 2.5, but small-x2 makes pictures 2 times as large"),
        ("model: small-x2, tile: 32", "which leaves nothing to keep"),
    ):
        with pytest.raises(Exception, match="background") as caught:
            weights_of(read(cache, background))
        assert said in str(caught.value)


def test_terms_that_are_accepted(cache: Path) -> None:
    job = read(cache, "model: for-study-x4, scale: 3", models=", accept_noncommercial: [for-study-x4]")
    found = weights_of(job).background
    assert found is not None and found.name == "for-study-x4"


def test_without_the_block_a_job_is_what_it_was(cache: Path) -> None:
    plain = read(cache, "")
    assert "background" not in canonical(plain)
    assert "background" not in identity_of(plain, weights_of(plain))
    with_it = read(cache, "model: small-x2")
    assert digest(with_it) != digest(plain)
    strict = read(cache, "model: small-x2, engine: {strict: true}")
    assert digest(strict) == digest(with_it)
    assert digest(read(cache, "model: small-x2, engine: {batch: 2}")) != digest(with_it)


def identity(cache: Path, background: str, more: str = "") -> dict[str, Any]:
    job = read(cache, background, more)
    return identity_of(job, weights_of(job))


def test_another_network_outdates_pictures_without_faces_too(cache: Path) -> None:
    now = identity(cache, "model: other-x2")
    assert now["background"]["weights_sha256"] != identity(cache, "model: small-x2")["background"]["weights_sha256"]
    for former, causes in (
        ("model: small-x2", {"model", "settings"}),
        ("", {"model", "settings"}),
        ("model: other-x2, strength: 0.5", {"settings"}),
    ):
        found = gap(identity(cache, former), now, frozenset({"yunet"}))
        assert found.causes == causes, former
        assert not found.faces_only
    same = gap(now, identity(cache, "model: other-x2"), frozenset({"yunet"}))
    assert not same.causes
    # The other way round: what concerns faces alone still reaches pictures with faces alone.
    stronger = identity(cache, "model: other-x2", "restore: {strength: 0.5}\n")
    assert gap(stronger, now, frozenset({"yunet"})).faces_only


def test_another_file_under_the_same_name_is_another_model(cache: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "cache"
    add_enlarger(elsewhere, "small-x2", seed=7)
    former, now = identity(cache, "model: small-x2"), identity(elsewhere, "model: small-x2")
    found = gap(former, now, frozenset({"yunet"}))
    assert (found.causes, found.faces_only) == (frozenset({"model"}), False)


def test_workers_get_memory_and_cpus_for_it(cache: Path) -> None:
    classic = "restore: {model: classic}\n"
    plain = read(cache, "", classic)
    assert needs_of(plain, weights_of(plain)).memory == 0
    small = read(cache, "model: small-x2, tile: 64, engine: {device: cpu}", classic)
    large = read(cache, "model: small-x2, tile: 1024, engine: {threads: 3}", classic)
    few, many = (needs_of(job, weights_of(job)) for job in (small, large))
    assert 2**30 < few.memory < 2**30 + 2**28 < many.memory
    assert (few.cpus, few.gpus, few.gpus_if_any) == (1.0, 0.0, False)
    assert (many.cpus, many.gpus, many.gpus_if_any) == (3.0, 1.0, True)
    both = read(
        cache,
        "model: small-x2, tile: 64, engine: {device: cpu}",
        "restore: {model: small-gfpgan, engine: {threads: 2}}\n",
    )
    together = needs_of(both, weights_of(both))
    assert together.memory > few.memory
    assert (together.cpus, together.gpus, together.gpus_if_any) == (2.0, 1.0, True)
