"""The model card: what a network is, what it saw, how good it is, how to use it, and how to go on with it.

Markdown with YAML front matter, as model hubs read it (https://huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from jobs.report.text import count, duration, number, percent
from jobs.train.artefacts.facts import CardFacts, DataFacts, HeldOut, Interval
from jobs.train.artefacts.held_out import change, in_words, words_of
from jobs.train.artefacts.kept import KeptModel, added
from jobs.train.artefacts.markdown import block, code, plain, table
from jobs.train.artefacts.using import LIMITS, job_for

_SAID = frozenset(
    (
        *(
            "apache-2.0",
            "mit",
            "bsd-2-clause",
            "bsd-3-clause",
            "isc",
            "mpl-2.0",
            "unlicense",
            "zlib",
            "cc0-1.0",
            "pddl",
        ),
        *("cc-by-4.0", "cc-by-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0"),
    )
)
"""Licences that hubs know by their SPDX name in small letters; others are `other`, with their words beside."""


_STARTS = {"prior": "decoder"}
"""What `model.start` calls a network, where that is not what it is called when it is exported."""


def card(about: CardFacts, models: Sequence[KeptModel]) -> str:
    """Write the card of what a training has made.

    Args:
        about: what is known of the training. Its texts are foreign: they are shown as text.
        models: the exported networks, at least one.

    Returns:
        Markdown. The same facts give the same text.
    """
    parts = [
        f"---\n{_front(about, models)}---",
        f"# {plain(about.name)}",
        plain(about.summary),
        _state(about),
        "## What is here",
        _models(models),
        _terms(about, models),
        "## How to use it",
        _use(models),
        "## What it was trained on",
        *_data(about.data),
        "## How it was trained",
        *_training(about),
        "## How good it is",
        *_measures(about.held_out),
        "## Limits",
        _limits(about),
        "## How to go on with it",
        _further(about, models),
        "## The job",
        "Everything that decides what was learnt, but for the data and the weights that it began with. With these, the "
        "same settings give the same weights on a machine of the same kind.",
        f"<details>\n<summary>Settings</summary>\n\n{block(_yaml(about.settings), 'yaml')}\n\n</details>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front(about: CardFacts, models: Sequence[KeptModel]) -> str:
    licence: dict[str, Any] = {"license": "unknown"}
    if about.licence:
        known = about.licence.lower()
        licence = {"license": known} if known in _SAID else {"license": "other", "license_name": about.licence}
    kinds = {each.checkpoint.architecture: None for each in models}
    found = {
        **licence,
        "library_name": "facejobs",
        "pipeline_tag": "image-to-image",
        "tags": list(dict.fromkeys(["face-restoration", about.model, *kinds])),
    }
    if metrics := [name for name, value in _made(about.held_out).items() if value.mean is not None]:
        found["metrics"] = metrics
    return _yaml(found)


def _state(about: CardFacts) -> str:
    done = f"{count(about.steps)} steps, {count(about.samples)} samples, on {plain(about.created[:10])}"
    if about.steps < about.planned:
        return (
            f"**Not trained to its end**: {done}; {count(about.planned)} steps were planned "
            f"({percent(about.steps, about.planned)} are done)."
        )
    return f"Trained by facejobs {plain(about.facejobs_version)}: {done}."


def _models(models: Sequence[KeptModel]) -> str:
    rows = []
    for each in models:
        found = each.checkpoint
        side = f"{found.size} px" if found.size else "any"
        kept = "float16" if each.half else "float32"
        rows.append(
            [
                code(found.file),
                plain(each.role),
                found.architecture,
                side,
                count(each.numbers),
                kept,
                plain(found.purpose),
            ]
        )
    return table(["file", "network", "architecture", "side", "numbers", "kept as", "what for"], rows)


def _terms(about: CardFacts, models: Sequence[KeptModel]) -> str:
    said = f"Licence: {plain(about.licence)}." if about.licence else "No licence was said for these weights."
    terms = dict.fromkeys(each.checkpoint.terms for each in models if each.checkpoint.terms)
    return " ".join([said, *(plain(each) for each in terms)])


def _use(models: Sequence[KeptModel]) -> str:
    commands = "\n".join(added(each.checkpoint) for each in models)
    jobs = [job for each in models if (job := job_for(each.checkpoint))]
    said = ["Hashes stand in `models.yaml`, which is beside this card.", block(commands, "sh")]
    return "\n\n".join([*said, *(block(job, "yaml") for job in dict.fromkeys(jobs))])


def _data(data: DataFacts) -> list[str]:
    pictures = f"{count(data.pictures)} pictures ({plain(data.kind)}) at {code(data.uri)}"
    if data.held_out:
        pictures += f"; {count(data.held_out)} more were held out and never trained on"
    if data.skipped:
        pictures += f"; {count(data.skipped)} could not be used"
    lines = [f"{pictures}."]
    if data.description:
        lines.append(plain(data.description))
    lines.append(f"Licence of the data: {plain(data.licence)}." if data.licence else "The data's licence was not said.")
    if data.fingerprint:
        lines.append(f"Fingerprint of the data: {code(data.fingerprint)}.")
    if data.recipes:
        whole = sum(data.recipes.values())
        rows = [[code(name), number(weight), percent(weight, whole)] for name, weight in data.recipes.items()]
        lines += ["Damage was drawn from these recipes:", table(["recipe", "weight", "share"], rows)]
    return [*lines, *(plain(note) for note in data.notes)]


def _training(about: CardFacts) -> list[str]:
    machine = about.machine
    rows = [
        ["steps", f"{count(about.steps)} of {count(about.planned)}"],
        ["samples seen", count(about.samples)],
        ["time", duration(about.seconds) if about.seconds is not None else "not recorded"],
        ["device", plain(machine.device) or "not recorded"],
        ["workers", f"{count(machine.workers)} on {count(machine.nodes)} {'node' if machine.nodes == 1 else 'nodes'}"],
        ["arithmetic", plain(machine.precision)],
    ]
    rows += [
        [f"began from ({plain(each.role)})", _parent(each.name, each.sha256, each.licence)] for each in about.parents
    ]
    rows += [[plain(name), plain(version)] for name, version in about.versions.items()]
    lines = [table(["what", "value"], rows)]
    if about.happenings:
        told = [f"- step {count(each.step)}: {plain(each.text or each.kind)}" for each in about.happenings]
        lines += ["What befell it:", "\n".join(told)]
    return lines


def _parent(name: str, sha256: str, licence: str) -> str:
    digest = f", SHA-256 {code(sha256)}" if sha256 else ""
    return f"{plain(name)}{digest}, {plain(licence) if licence else 'licence not known'}"


def _measures(held_out: HeldOut | None) -> list[str]:
    if held_out is None or not held_out.made:
        return ["Nothing was measured on pictures that were held out, so nothing is known of how good it is on others."]
    rows = []
    for name, made in held_out.made.items():
        words = words_of(name)
        unit = f", {words.unit}" if words.unit else ""
        way = f" ({words.better} is better)" if words.better else ""
        given = in_words(held_out.given.get(name), words.digits)
        rows.append(
            [
                f"{plain(words.label)}{unit}{way}",
                given,
                in_words(made, words.digits),
                change(name, held_out) or "\N{EN DASH}",
                count(made.count),
            ]
        )
    said = (
        f"After {count(held_out.step)} steps, over {count(held_out.samples)} samples of pictures that were never "
        "trained on: mean and 95 % interval of what the network was given, and of what it made, against the truth."
    )
    known = [words_of(name) for name, made in held_out.made.items() if made.mean is not None]
    notes = [f"- {plain(words.label)}: {plain(words.summary)}" for words in known if words.summary]
    head = ["measure", "given", "made", "made is", "values"]
    return [said, table(head, rows), "\n".join(notes)]


def _limits(about: CardFacts) -> str:
    lines = list(LIMITS.get(about.model, ()))
    if about.data.recipes:
        names = ", ".join(code(name) for name in about.data.recipes)
        lines.append(f"It has seen the damage that {names} draw, and no other.")
    lines.append(
        "Faces that look unlike those it was trained on (in age, complexion, pose, dress, kind of picture) may come "
        "out worse, and this is not measured here."
    )
    return "\n".join(f"- {line}" for line in lines)


def _further(about: CardFacts, models: Sequence[KeptModel]) -> str:
    start = {_STARTS.get(each.role, each.role): each.checkpoint.file for each in models}
    job = _yaml({"job": "train", "model": {"kind": about.model, "start": start}})
    return "\n\n".join(
        [
            "A training that was stopped goes on from its newest checkpoint when its job is run again on the same "
            "output. One that has come to its end is carried further by another job, with another output, that begins "
            "with these weights, and with new discriminators and optimisers:",
            block(job, "yaml"),
        ]
    )


def _made(held_out: HeldOut | None) -> Mapping[str, Interval]:
    return {} if held_out is None else held_out.made


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))
