"""`facejobs compile`: builds a model's engine before a run needs it."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from jobs.commands.model_texts import terms_lines
from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.models.addresses import shown
from jobs.models.artifacts import SharedArtifacts
from jobs.models.files import CachedFiles
from jobs.models.resolve import ModelSettings, ResolvedModel, resolve
from jobs.models.watched import Watched
from jobs.spec.engine import DEVICE, Engine
from operators.engines.errors import EngineError
from operators.engines.options import EngineName, EngineOptions, Precision, Profile
from operators.engines.table import BACKENDS, Backend
from operators.faces.parsing import ARCHITECTURE as PARSER
from operators.faces.parsing import PROFILE as PARSER_PROFILE
from operators.models.cache import Cache
from operators.restorers.generator.loading import load_network
from operators.whole.networks import architectures, whole_network
from operators.whole.options import tiling

if TYPE_CHECKING:
    from operators.engines.contract import Network

GPU_PRECISION: Precision = "bf16"
"""What `auto` means for a GPU that is not here: every GPU that engines are built ahead for has bf16."""

DEFAULT_BATCH = str(Engine.model_fields["batch"].default)


@dataclass(frozen=True)
class Asked:
    """What a user asks to be built.

    Attributes:
        engine: name or `auto`.
        precision: arithmetic or `auto`.
        batch: `8`, or `1,8,16`: smallest, best, largest; None for what a job without `engine.batch` asks for.
        device: cpu, cuda, cuda:N or auto.
        threads: of a CPU engine.
        sft_strength: of GFPGAN, which is baked into the engine.
        artifacts: a shared folder that the engine goes to as well.
    """

    engine: str
    precision: str
    batch: str | None
    device: str
    threads: int
    sft_strength: float
    artifacts: str | None


def compile_model(name: str, asked: Asked, folder: Path | None, out: Output) -> Exit:
    """Build a model's engine into the cache, and into a shared folder if one is named."""
    options = _options(asked)
    model = resolve(name, ModelSettings(folder, accepted=[name]))
    if asked.batch is None and model.architecture == PARSER:
        options = replace(options, profile=PARSER_PROFILE)
    cache = Cache(folder)
    shared = SharedArtifacts(cache.engines, asked.artifacts)
    store = Watched(shared)
    found = cache.find(name)
    for line in terms_lines(found.checkpoint) if found else ():
        out.log(line)
    network = _network(model, folder, asked.sft_strength)
    sizes = ", ".join(str(size) for size in (options.profile.least, options.profile.best, options.profile.most))
    side = network.input_shape[-1]
    out.log(f"{name} ({model.architecture}, {side} pixels): engine {options.engine}, batches {sizes}")
    begun = time.perf_counter()
    try:
        lines = _built(network, options, store)
    except EngineError as error:
        raise CommandError(f"{name}: {error}", Exit.FAILED) from error
    except ValueError as error:
        raise CommandError(str(error), Exit.USAGE) from error
    seconds = time.perf_counter() - begun
    for line in (*lines, *_kept(store, seconds), f"in {cache.engines}"):
        out.say(line)
    if asked.artifacts is not None:
        _share(shared, store, out)
    return Exit.DONE


def _options(asked: Asked) -> EngineOptions:
    """What the user asks, as engines take it; a named engine or precision is what is built, or nothing.

    Raises:
        CommandError: a word is unknown.
    """
    for word, known, option in (
        (asked.engine, ("auto", *get_args(EngineName)), "--engine"),
        (asked.precision, ("auto", *get_args(Precision)), "--precision"),
    ):
        if word not in known:
            raise CommandError(f"{option} {word}: expected one of {', '.join(known)}", Exit.USAGE)
    if not DEVICE.fullmatch(asked.device):
        raise CommandError(f"--device {asked.device}: expected auto, cpu, cuda or cuda:0", Exit.USAGE)
    return EngineOptions(
        engine=cast("EngineName", asked.engine),
        precision=cast("Precision", asked.precision),
        device=asked.device,
        strict=asked.engine != "auto",
        profile=_profile(asked.batch or DEFAULT_BATCH),
        threads=asked.threads,
    )


def _profile(text: str) -> Profile:
    """Batch sizes; one number B stands for 1,B,2B, which is what a job with `engine: {batch: B}` asks for."""
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = []
    if len(sizes) == 1:
        sizes = [1, sizes[0], 2 * sizes[0]]
    if len(sizes) != 3 or not 1 <= sizes[0] <= sizes[1] <= sizes[2]:
        raise CommandError(f"--batch {text}: expected a number, or three rising ones such as 1,8,16", Exit.USAGE)
    return Profile(*sizes)


def _network(model: ResolvedModel, folder: Path | None, sft_strength: float) -> Network:
    """The network as its restorer has it executed, or the engine would never be found again."""
    variant = {"sft_strength": sft_strength} if model.restorer == "gfpgan" else {}
    files = CachedFiles(folder)
    network = load_network(files, model.name, model.sha256, (model.architecture,), "facejobs compile", variant)
    return _for_tiles(network, model.name) if model.architecture in architectures() else network


def _for_tiles(network: Network, name: str) -> Network:
    """The network for the tiles that a job without `background.tile` has.

    Raises:
        CommandError: it is run by torch alone.
    """
    from operators.whole.execution import for_side  # noqa: PLC0415 - imports torch

    about = whole_network(network.architecture, network.arguments)
    if about.reach is None:
        raise CommandError(
            f"{name}: normalises by the whole picture and is run by torch alone: build nothing", Exit.USAGE
        )
    return for_side(network, about, tiling(about).tile)


def _built(network: Network, options: EngineOptions, store: Watched) -> list[str]:
    """Build what is asked; on this machine's device, so that the gate can judge it, else without.

    Raises:
        EngineError: it cannot be built here.
    """
    if options.engine != "auto":
        backend = BACKENDS[options.engine]
        options = replace(options, device=_device(backend, options.device))
        reason = backend.available(options.device)
        if reason is not None and _compilable(backend, options.device) is None:
            return _ahead(network, backend, options, store, reason)
    return _prepared(network, options, store)


def _prepared(network: Network, options: EngineOptions, store: Watched) -> list[str]:
    from operators.engines.choose import Runner  # noqa: PLC0415 - imports torch, which takes seconds

    runner = Runner(network, options, store)
    runner.prepare()
    used: dict[str, Any] = runner.description["used"]
    verdict = runner.verdict
    assert verdict is not None
    lines = [f"passed over: {item['engine']}: {item['reason']}" for item in runner.description["passed_over"]]
    lines.append(f"ready: {used['engine']} {used['version']} in {used['precision']} on {used['device']}")
    lines.append(
        f"gate: passed, PSNR {verdict.psnr:.1f} dB against eager fp32, standard deviation off by "
        f"{verdict.deviation:.2%}"
    )
    runner.close()
    return lines


def _ahead(network: Network, backend: Backend, options: EngineOptions, store: Watched, reason: str) -> list[str]:
    """Compile for a device that is not here."""
    precision = GPU_PRECISION if options.precision == "auto" else options.precision
    engine = cast("Any", backend.build(precision, options.device, options, store))
    digest = engine.compile_ahead(network)
    verb = "was there" if engine.origin == "stored" else "built"
    return [
        f"{verb}: {backend.name} in {precision}, artefact {digest}",
        f"gate: not run here ({reason}); it judges the engine on the machine that uses it",
    ]


def _device(backend: Backend, asked: str) -> str:
    if asked != "auto":
        return asked
    if backend.devices == ("cuda",):
        return "cuda"
    if "cuda" not in backend.devices:
        return "cpu"
    import torch  # noqa: PLC0415

    return "cuda" if torch.cuda.is_available() else "cpu"


def _compilable(backend: Backend, device: str) -> str | None:
    """Why the engine cannot be compiled for a device that cannot run it here; None when it can."""
    compilable = getattr(importlib.import_module(backend.module), "compilable", None)
    if compilable is None:
        return f"{backend.name} is compiled where it runs"
    reason: str | None = compilable(device, **backend.flavour)
    return reason


def _kept(store: Watched, seconds: float) -> list[str]:
    lines = []
    for kept in store.saved:
        key = kept.about.get("key", {})
        words = [str(key[part]) for part in ("engine", "precision", "device") if part in key]
        content = key.get("flags", {}).get("content")
        what = " ".join(words) + (f" ({content})" if content else "")
        lines.append(f"kept: {what or 'artefact'}, {kept.size / 1e6:.1f} MB, {kept.digest}")
    if store.saved:
        lines.append(f"took {seconds:.1f} s")
    else:
        lines.append(f"nothing new to keep, {len(store.found)} artefacts were there; took {seconds:.1f} s")
    return lines


def _share(shared: SharedArtifacts, store: Watched, out: Output) -> None:
    """See that all that was built or found is in the shared place too.

    Raises:
        CommandError: it is not; the log says why.
    """
    assert shared.uri is not None
    digests = list(dict.fromkeys([*(kept.digest for kept in store.saved), *store.found]))
    absent = [digest for digest in digests if not shared.share(digest)]
    if absent:
        raise CommandError(
            f"{shown(shared.uri)}: {len(absent)} of {len(digests)} artefacts did not get there", Exit.STORAGE
        )
    out.say(f"and in {shown(shared.uri)}")
