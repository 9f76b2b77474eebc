"""From the command line to a plan: which pictures, which methods, which measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from jobs.errors import CommandError
from jobs.evaluate.methods import INPUT, Method, Models, check_terms, folder_name, named_folder, restorer_method
from jobs.evaluate.pairs import PairsOutput, pairs_output
from jobs.evaluate.plan import Network, Plan, Settings, evenly
from jobs.evaluate.sides import Side, folder_side, some
from jobs.exits import Exit
from jobs.models.files import how_to_get
from jobs.models.resolve import ModelSettings, resolve
from jobs.spec.overlap import inside
from jobs.spec.uris import absolute
from operators.evaluation.table import PICTURE_MEASURES, USUAL
from operators.faces.templates import template_names
from operators.models.cache import Cache

VGG = "vgg16"
"""Name under which the cache has LPIPS's backbone."""
SFACE: Literal["sface"] = "sface"


@dataclass(frozen=True)
class Asked:
    """The options, as they were given.

    Attributes:
        results: a folder of results, or the output of a pairs job; None where only restorers are compared.
        to: folder for the evaluation.
        truth: folder of what results should be.
        inputs: folder of what restorers are given.
        reference: folder of good pictures that sets are compared with.
        methods: further folders, NAME=FOLDER.
        restorers: what is run on the inputs.
        parts: of a pairs output.
        measures: names; none for the usual ones.
        features: what sets are compared by: `sface`, MODEL or MODEL:LAYER; empty for not at all, or for `sface` where
            there is a reference.
        against: name of the method that others are compared with; empty for the input, or the first one.
        template: alignment; empty for what the pairs say, else ffhq.
        title: of the evaluation.
        resize: bring results of another size to the truth's.
        processes: that measure.
        pictures: on the sheet.
        rounds: samples of the bootstrap.
        seed: of everything drawn.
        models: where they come from.
        force: overwrite an evaluation that is there.
        options: storage options, for places that are URLs.
    """

    results: str | None
    to: str
    truth: str = ""
    inputs: str = ""
    reference: str = ""
    methods: Sequence[str] = ()
    restorers: Sequence[str] = ()
    parts: Sequence[str] = ()
    measures: Sequence[str] = ()
    features: str = ""
    against: str = ""
    template: str = ""
    title: str = ""
    resize: bool = False
    processes: int = 1
    pictures: int = 6
    rounds: int = 1000
    seed: int = 0
    models: Models = field(default_factory=Models)
    force: bool = False
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def options_of(self, uri: str) -> Mapping[str, Any]:
        """Storage options of a place: a path of this machine needs none."""
        return self.options if "://" in uri else {}


@dataclass(frozen=True)
class Planned:
    """What will be done.

    Attributes:
        plan: all pictures and methods.
        against: the method that others are compared with; empty for none.
        places: where pictures come from, without secrets.
        notes: what a reader has to know.
        title: of the evaluation.
    """

    plan: Plan
    against: str
    places: Mapping[str, str]
    notes: tuple[str, ...]
    title: str


def planned(asked: Asked) -> Planned:
    """List everything that is named, and see that it fits together.

    Raises:
        CommandError: it does not; the message says what to do.
        SourceError: a folder is not there.
        StorageError: storage refuses.
        operators.models.ModelFileError: a model is not there; the message says how to get it.
    """
    asked = _absolute(asked)
    sides = _sides(asked)
    notes = list(sides.notes)
    methods = _methods(asked, sides)
    if sides.inputs is None and any(method.side is None for method in methods):
        raise CommandError(
            "--restorer: nothing is there to run it on; name the folder with --inputs, or a pairs output", Exit.USAGE
        )
    if not methods:
        raise CommandError("nothing to evaluate: name a folder of results, or --inputs with --restorer", Exit.USAGE)
    doubled = sorted({method.name for method in methods if sum(other.name == method.name for other in methods) > 1})
    if doubled:
        raise CommandError(f"two methods are called {doubled[0]}: give one a name, NAME=...", Exit.USAGE)
    template = asked.template or (sides.pairs.template if sides.pairs else "ffhq")
    if template not in template_names():
        raise CommandError(f"--template {template}: expected {' or '.join(template_names())}", Exit.USAGE)
    notes += _template_notes(methods, template)
    names, unmatched = _names(sides, methods)
    settings = replace(_settings(asked, template, paired=sides.truth is not None), features=_features(asked, sides))
    if sides.truth is not None and settings.vgg is None:
        notes.append("LPIPS is not measured: its backbone vgg16 is not in the cache; the perceptual distance stands in")
    plan = Plan(
        tuple(methods), sides.truth, sides.inputs, sides.reference, settings, names, evenly(names, asked.pictures)
    )
    return Planned(plan, _against(asked, plan), _places(sides, methods), (*notes, *unmatched), _title(asked, sides))


@dataclass(frozen=True)
class _Sides:
    results: Side | None
    truth: Side | None
    inputs: Side | None
    reference: Side | None
    pairs: PairsOutput | None
    notes: tuple[str, ...] = ()


def _absolute(asked: Asked) -> Asked:
    """Paths made absolute; the output may lie in no folder that is read. Raises CommandError."""
    try:
        found = replace(
            asked,
            results=_placed(asked.results) if asked.results else None,
            to=_placed(asked.to),
            truth=_placed(asked.truth),
            inputs=_placed(asked.inputs),
            reference=_placed(asked.reference),
        )
        methods = [f"{name}={_placed(folder)}" for name, folder in map(named_folder, asked.methods)]
    except ValueError as error:
        raise CommandError(str(error), Exit.USAGE) from error
    read = [uri for uri in (found.results, found.truth, found.inputs, found.reference) if uri]
    read += [named_folder(one)[1] for one in methods]
    for uri in read:
        if inside(found.to, uri):
            raise CommandError(f"--out lies in {uri}, whose pictures are read; put it elsewhere", Exit.USAGE)
    return replace(found, methods=methods)


def _placed(uri: str) -> str:
    return absolute(uri, Path.cwd()) if uri else ""


def _sides(asked: Asked) -> _Sides:
    pairs = None
    if asked.results and not asked.truth:
        pairs = pairs_output(asked.results, asked.options_of(asked.results), asked.parts)
    if pairs is None and asked.parts:
        raise CommandError("--part: is for the output of a pairs job as RESULTS, without --truth", Exit.USAGE)
    if pairs is not None and asked.inputs:
        raise CommandError("--inputs: the pairs have inputs of their own; leave it out", Exit.USAGE)

    def side(uri: str | None) -> Side | None:
        return folder_side(uri, asked.options_of(uri)) if uri else None

    reference = side(asked.reference)
    if pairs is None:
        return _Sides(side(asked.results), side(asked.truth), side(asked.inputs), reference, None)
    notes = [f"Pairs of the recipe {pairs.recipe or 'of the job'}, part {' and '.join(pairs.parts)}."]
    if pairs.left_out:
        notes.append(f"Left out: part {' and '.join(pairs.left_out)}, which restorers may have been trained on.")
    return _Sides(None, pairs.truth, pairs.degraded, reference, pairs, tuple(notes))


def _methods(asked: Asked, sides: _Sides) -> list[Method]:
    methods = []
    if sides.inputs is not None:
        methods.append(Method(INPUT, "input", "the input, enlarged to the size of the truth where it is smaller"))
    if sides.results is not None and asked.results:
        methods.append(Method(folder_name(asked.results), "folder", f"folder {sides.results.place}", sides.results))
    for text in asked.methods:
        name, uri = named_folder(text)
        side = folder_side(uri, asked.options_of(uri))
        methods.append(Method(name, "folder", f"folder {side.place}", side))
    methods += [restorer_method(text, asked.models) for text in asked.restorers]
    return methods


def _template_notes(methods: Sequence[Method], template: str) -> list[str]:
    notes = []
    for method in methods:
        if method.settings is None or method.settings.networks is None:
            continue
        own = method.settings.restorer().info.template
        if own != template:
            notes.append(
                f"{method.name} was trained on faces aligned as {own}, these are aligned as {template}: it is shown "
                "what it does not expect."
            )
    return notes


def _names(sides: _Sides, methods: Sequence[Method]) -> tuple[tuple[str, ...], list[str]]:
    """Names of the pictures, and what is to be said of those that have no partner."""
    made: set[str] = set(sides.inputs.records) if sides.inputs else set()
    for method in methods:
        made |= set(method.side.records) if method.side else set()
    if sides.truth is None:
        return tuple(sorted(made)), []
    names = sorted(made & set(sides.truth.records))
    if not names:
        raise CommandError(
            f"{sides.truth.place}: no picture has the name of a result; pictures are matched by their path in the "
            f"folder without its ending: found {some(sorted(sides.truth.records))} there, and {some(sorted(made))}",
            Exit.BAD_JOB,
        )
    notes = []
    alone = sorted(made - set(names))
    if alone:
        notes.append(f"{len(alone)} pictures have no truth and are left out: {some(alone)}.")
    unused = sorted(set(sides.truth.records) - set(names))
    if unused:
        notes.append(f"{len(unused)} pictures of the truth have no result and are left out: {some(unused)}.")
    return tuple(names), notes


def _settings(asked: Asked, template: str, *, paired: bool) -> Settings:
    for name in asked.measures:
        if name not in PICTURE_MEASURES:
            close = get_close_matches(name, PICTURE_MEASURES, n=1)
            meant = f"; did you mean {close[0]}?" if close else ""
            raise CommandError(f"--measure {name}: expected one of {', '.join(PICTURE_MEASURES)}{meant}", Exit.USAGE)
    wanted = asked.measures or USUAL
    vgg = _vgg(asked) if paired and "lpips" in wanted else None
    if "lpips" in asked.measures and vgg is None and paired:
        raise CommandError(f"--measure lpips: {VGG} is not in the cache; {how_to_get(VGG)}", Exit.BAD_JOB)
    taken = [
        name
        for name, measure in PICTURE_MEASURES.items()
        if name in wanted and (paired or not measure.paired) and (name != "lpips" or vgg)
    ]
    if asked.measures and not taken:
        raise CommandError(f"--measure {', '.join(asked.measures)}: needs a truth; name it with --truth", Exit.USAGE)
    return Settings(tuple(taken), template, asked.resize, vgg, seed=asked.seed)


def _vgg(asked: Asked) -> Network | None:
    found = Cache(asked.models.cache).find(VGG)
    return None if found is None else Network(VGG, found.path, found.sha256)


def _features(asked: Asked, sides: _Sides) -> Network | Literal["sface"] | None:
    if not asked.features:
        return SFACE if sides.reference is not None else None
    if sides.reference is None and sides.truth is None:
        raise CommandError("--features: sets are compared with good ones: name them with --reference", Exit.USAGE)
    name, _, layer = asked.features.partition(":")
    if name == SFACE:
        if layer:
            raise CommandError(f"--features {asked.features}: {SFACE} has one layer for sets; leave it out", Exit.USAGE)
        return SFACE
    check_terms(name, asked.models)
    model = resolve(name, ModelSettings(asked.models.cache, accepted=asked.models.accepted))
    found = Cache(asked.models.cache).find(name)
    assert found is not None
    return Network(name, found.path, model.sha256, layer)


def _against(asked: Asked, plan: Plan) -> str:
    names = [method.name for method in plan.methods]
    if asked.against and asked.against not in names:
        raise CommandError(f"--against {asked.against}: expected one of {', '.join(names)}", Exit.USAGE)
    if asked.against:
        return asked.against
    return names[0] if len(names) > 1 else ""


def _places(sides: _Sides, methods: Sequence[Method]) -> dict[str, str]:
    named = {"truth": sides.truth, "input": sides.inputs, "reference": sides.reference}
    named |= {method.name: method.side for method in methods if method.side is not None}
    return {what: side.place for what, side in named.items() if side is not None}


def _title(asked: Asked, sides: _Sides) -> str:
    if asked.title:
        return asked.title
    return folder_name(asked.results or (sides.inputs.place if sides.inputs else "evaluation"))
