"""Builds plans in a process of its own: a builder that crashes, or is killed for memory, does not take a worker along.

The process is `python -m operators.engines.tensorrt.isolated FOLDER`: the folder holds what it is to build, and takes
what came of it.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import operators
from operators.engines.errors import EngineError, EngineMemoryError, EngineUnavailableError
from operators.engines.options import Profile
from operators.engines.tensorrt.build import BuildRequest, Built, build
from operators.engines.tensorrt.flavours import FLAVOURS, Flavour

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 3600.0
OUTPUT_KEPT = 2000

_ERRORS = {error.__name__: error for error in (EngineError, EngineMemoryError, EngineUnavailableError)}


def build_isolated(
    flavour: Flavour, onnx: bytes, request: BuildRequest, timings: bytes = b"", gpu: int | None = None
) -> Built:
    """Do what `build` does, in a child process.

    Args:
        flavour: which library.
        onnx: serialised model.
        request: how it is to be built.
        timings: timing cache of an earlier build.
        gpu: index of the CUDA device among those this process sees, None where none is needed.

    Returns:
        The plan.

    Raises:
        EngineUnavailableError: the library cannot be used here.
        EngineMemoryError: not enough memory, or the process was killed, which is how a machine ends the one that takes
            too much.
        EngineError: anything else, a crash and too long a time included.
    """
    with tempfile.TemporaryDirectory(prefix="facejobs-build-") as name:
        folder = Path(name)
        (folder / "network.onnx").write_bytes(onnx)
        (folder / "timings").write_bytes(timings)
        (folder / "request.json").write_text(json.dumps({"flavour": flavour.name, **asdict(request)}))
        supervise([sys.executable, "-m", __name__, name], flavour, folder, gpu)
        return Built((folder / "plan").read_bytes(), (folder / "timings").read_bytes())


def supervise(
    command: list[str], flavour: Flavour, folder: Path, gpu: int | None = None, seconds: float = LONGEST_SECONDS
) -> None:
    """Run the child to its end and turn its failures into errors.

    Args:
        command: to run.
        flavour: what it runs, for messages.
        folder: where it may leave `failure.json`.
        gpu: index of the one CUDA device that it sees.
        seconds: how long it may take.

    Raises:
        EngineUnavailableError: the child says so.
        EngineMemoryError: the child says so, or it was killed.
        EngineError: the child says so, crashed, or took too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command,
            env=_environment(gpu),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"{flavour.name} did not build the network within {seconds:.0f} s") from error
    output = done.stdout.decode(errors="replace").strip()
    logger.debug("%s build ended with %d: %s", flavour.name, done.returncode, output)
    if done.returncode == 0:
        return
    failure = folder / "failure.json"
    if failure.exists():
        about = json.loads(failure.read_text())
        raise _ERRORS[about["error"]](about["message"])
    if done.returncode == -signal.SIGKILL:
        raise EngineMemoryError(f"the process in which {flavour.name} built the network was killed: too little memory?")
    raise EngineError(
        f"the process in which {flavour.name} built the network ended with {_ending(done.returncode)}: "
        f"{output[-OUTPUT_KEPT:]}"
    )


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _environment(gpu: int | None) -> dict[str, str]:
    """This process's environment, with our packages to be found and the one GPU to be seen."""
    environment = dict(os.environ)
    root = str(Path(operators.__file__).parents[1])
    environment["PYTHONPATH"] = os.pathsep.join(part for part in (root, environment.get("PYTHONPATH")) if part)
    if gpu is not None:
        seen = [part for part in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if part]
        environment["CUDA_VISIBLE_DEVICES"] = seen[gpu] if seen else str(gpu)
    return environment


def main(folder: Path) -> int:
    """What the child does: read the request, build, leave the plan or the failure.

    Args:
        folder: with `request.json`, `network.onnx` and `timings`; receives `plan` and `timings`, or `failure.json`.

    Returns:
        Exit code.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(message)s")
    asked = json.loads((folder / "request.json").read_text())
    flavour = FLAVOURS[asked.pop("flavour")]
    request = BuildRequest(profile=Profile(**asked.pop("profile")), **asked)
    try:
        built = build(flavour, (folder / "network.onnx").read_bytes(), request, (folder / "timings").read_bytes())
    except EngineError as error:
        about = {"error": type(error).__name__, "message": str(error)}
        (folder / "failure.json").write_text(json.dumps(about))
        return 1
    except MemoryError as error:
        about = {"error": EngineMemoryError.__name__, "message": f"{flavour.name}: {error or 'out of memory'}"}
        (folder / "failure.json").write_text(json.dumps(about))
        return 1
    (folder / "plan").write_bytes(built.plan)
    (folder / "timings").write_bytes(built.timings)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
