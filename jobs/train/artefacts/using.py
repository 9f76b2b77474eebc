"""What a trained network is good for here, and what it is not: the words of a card."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from operators.models.checkpoint import Checkpoint
from operators.whole.networks import architectures

_INVENTS = (
    "What damage has taken away it draws as it has seen it in other faces. The result is not evidence of what somebody "
    "looked like."
)

LIMITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "gpen": (_INVENTS,),
        "gfpgan": (_INVENTS,),
        "completion": (
            "What it puts into a hole is drawn from other faces. It is not evidence of what was there.",
            "Attributes are those of its training data, with whatever these data confound.",
        ),
        "srgan": ("Detail that it adds is likely, not measured: do not read small print or faces out of it.",),
        "pix2pix": ("It translates between the two kinds of pictures that it has seen, and knows nothing of others.",),
        "cyclegan": (
            "It was trained without pairs: nothing but the way there and back holds contents in place, and they may "
            "move.",
        ),
        "transform": ("It has one style, that of its style picture.",),
    }
)
"""By kind of model: what a reader of its card has to know of every network of that kind."""

_JOB = "job: restore\nname: my-archive\nsource: {kind: files, uri: scans/}\n"
_OUTPUT = "output: {uri: restored/}\n"


def job_for(about: Checkpoint) -> str:
    """A job file that uses a model; empty where none does.

    Args:
        about: with its architecture and what restores faces with it.
    """
    accepted = f"models: {{accept_noncommercial: [{about.name}]}}\n" if about.noncommercial else ""
    if about.restorer is not None:
        return f"{_JOB}restore: {{model: {about.name}}}\n{accepted}{_OUTPUT}"
    if about.architecture == "completion":
        options = f"  options: {{network: {about.name}, holes: files, masks: masks/}}\n"
        return f"{_JOB}restore:\n  model: completion\n{options}{accepted}{_OUTPUT}"
    if about.architecture in ("stylegan2", "pggan"):
        options = f"  options: {{prior: {about.name}, task: super_resolve, factor: 8}}\n"
        return f"{_JOB}restore:\n  model: inversion\n{options}{accepted}{_OUTPUT}"
    if about.architecture in architectures():
        return f"{_JOB}restore: {{model: none}}\nbackground: {{model: {about.name}}}\n{accepted}{_OUTPUT}"
    return ""
