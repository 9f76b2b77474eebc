"""Every way to write a pairs job wrongly is refused with line, key and a helpful message; none ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.spec import JobFileError, load

GOOD = {
    "job": "job: pairs",
    "name": "name: portraits",
    "source": "source: {kind: files, uri: in/}",
    "degrade": "degrade: {recipe: gfpgan}",
    "output": "output: {uri: out/}",
}


def text_with(**lines: str) -> str:
    """The smallest pairs job, with some of its lines replaced or added, in the order job, name, source, degrade, ..."""
    return "\n".join({**GOOD, **lines}.values()) + "\n"


def steps(*each: str) -> str:
    """The line `degrade` with a recipe of some steps."""
    return f"degrade: {{recipe: {{recipe: mine, source: x, steps: [{', '.join(each)}]}}}}"


# what it is, the file, and for each problem its line, its path and a part of its message
WRONG: list[tuple[str, str, list[tuple[int, str, str]]]] = [
    # which kind of job
    (
        "job missing",
        "\n".join([*GOOD.values()][1:]),
        [(1, "job", "expected 'job: ...' with 'restore', 'pairs' or 'train'")],
    ),
    ("job misspelt", text_with(job="job: pair"), [(1, "job", "did you mean 'pairs'?")]),
    ("job in capitals", text_with(job="job: Pairs"), [(1, "job", "did you mean 'pairs'?")]),
    ("job unlike any", text_with(job="job: sing"), [(1, "job", "found the text 'sing', expected 'restore', 'pairs'")]),
    ("job null", text_with(job="job:"), [(1, "job", "found nothing, expected 'restore', 'pairs' or 'train'")]),
    ("job as a list", text_with(job="job: [pairs]"), [(1, "job", "found a list of 1")]),
    ("the key job misspelt", text_with(job="jbo: pairs"), [(1, "jbo", "did you mean 'job'?")]),
    (
        "job unlike any, and the rest as the likeliest kind",
        text_with(job="job: sing", x="filter: {min_side: 3}\nsplit: {bye: source}"),
        [(1, "job", "expected"), (6, "filter.min_side", "at least 16"), (7, "split.bye", "did you mean 'by'?")],
    ),
    (
        "job missing, and the rest as the likeliest kind",
        "name: x\nsource: {kind: files, uri: in/}\noutput: {uri: out/}\nfilter: {min_side: 3}\n",
        [(1, "job", "missing"), (1, "degrade", "missing"), (4, "filter.min_side", "at least 16")],
    ),
    (
        "the key job misspelt, and the rest as what it says",
        "jobb: pairs\nname: x\nsource: {kind: files, uri: in/}\noutput: {uri: out/, format: zip}\n",
        [
            (1, "jobb", "did you mean 'job'?"),
            (1, "degrade", "missing"),
            (4, "output.format", "'webdataset', 'folders'"),
        ],
    ),
    # keys
    ("unknown key at the top", text_with(x="sample: {}"), [(6, "sample", "did you mean 'samples'?")]),
    ("unknown key, unlike any", text_with(x="zzz: 1"), [(6, "zzz", "unknown key; expected 'job', 'name', 'source'")]),
    ("doubled key", text_with(x="name: again"), [(6, "name", "stands already in line 2")]),
    ("misspelt block", text_with(x="filtr: {min_side: 20}"), [(6, "filtr", "did you mean 'filter'?")]),
    ("misspelt and so missing", text_with(degrade="degrad: {recipe: gfpgan}"), [(4, "degrad", "mean 'degrade'?")]),
    (
        "misspelt key in a block",
        text_with(degrade="degrade: {recipe: gfpgan, variant: 2}"),
        [(4, "degrade.variant", "did you mean 'variants'?")],
    ),
    (
        "misspelt key two levels down",
        text_with(x="samples: {detect: {max_face: 2}}"),
        [(6, "samples.detect.max_face", "did you mean 'max_faces'?")],
    ),
    (
        "key of a deeper mapping",
        text_with(x="samples: {min_confidence: 0.5}"),
        [(6, "samples.min_confidence", "belongs under 'samples.detect'")],
    ),
    ("key of another block", text_with(x="split: {seed: 5}"), [(6, "split.seed", "belongs under 'run'")]),
    ("key of another block at the top", text_with(x="recipe: gpen"), [(6, "recipe", "belongs under 'degrade'")]),
    ("key of another kind of source", text_with(x="schemes: [s3]"), [(6, "schemes", "belongs under 'source'")]),
    (
        "key of another kind of source in it",
        text_with(source="source: {kind: files, uri: in/, uri_column: url}"),
        [(3, "source.uri_column", "it is for kind: parquet and kind: manifest")],
    ),
    # keys of another kind of job
    (
        "block of a restore job",
        text_with(x="restore: {model: classic}"),
        [(6, "restore", "'restore' belongs to a restore job, and this is a pairs job")],
    ),
    ("models", text_with(x="models: {cache: m/}"), [(6, "models", "belongs to a restore job")]),
    ("score", text_with(x="score: {measures: []}"), [(6, "score", "belongs to a restore job")]),
    ("detect", text_with(x="detect: {max_faces: 3}"), [(6, "detect", "under 'samples', or to a restore job")]),
    (
        "layout",
        text_with(output="output: {uri: out/, layout: parquet}"),
        [(5, "output.layout", "'layout' belongs to a restore job, and this is a pairs job")],
    ),
    ("quality", text_with(x="filter: {quality: 90}"), [(6, "filter.quality", "under 'output' of a restore job")]),
    ("gate", text_with(x="gate: {}"), [(6, "gate", "belongs under 'score' of a restore job")]),
    (
        "pairs keys in a restore job",
        "job: restore\nname: x\nsource: {kind: files, uri: in/}\noutput: {uri: out/, shard_pairs: 5}\n"
        "degrade: {recipe: gfpgan}\nfilter: {}\nsamples: {}\nvariants: 3\n",
        [
            (4, "output.shard_pairs", "belongs to a pairs job, and this is a restore job"),
            (5, "degrade", "belongs to a pairs job"),
            (6, "filter", "belongs to a pairs job"),
            (7, "samples", "belongs under 'run', or to a pairs job"),
            (8, "variants", "belongs under 'degrade' of a pairs job"),
        ],
    ),
    # missing and empty
    (
        "everything missing but one",
        "job: pairs\n",
        [(1, "name", "missing"), (1, "source", "missing"), (1, "degrade", "missing"), (1, "output", "missing")],
    ),
    ("recipe missing", text_with(degrade="degrade: {variants: 2}"), [(4, "degrade.recipe", "missing; expected")]),
    ("degrade empty", text_with(degrade="degrade:"), [(4, "degrade", "found nothing below 'degrade:', expected")]),
    ("uri missing", text_with(output="output: {format: lmdb}"), [(5, "output.uri", "missing")]),
    ("kind of source missing", text_with(source="source: {uri: in/}"), [(3, "source.kind", "missing; expected 'kind")]),
    ("samples empty", text_with(x="samples:"), [(6, "samples", "remove the line for the defaults")]),
    ("filter empty", text_with(x="filter:"), [(6, "filter", "write 'filter: {}'")]),
    ("detect empty", text_with(x="samples: {detect: }"), [(6, "samples.detect", "found nothing")]),
    ("name null", text_with(name="name:"), [(2, "name", "found nothing; expected a value")]),
    # the kind of samples
    ("kind misspelt", text_with(x="samples: {kind: face}"), [(6, "samples.kind", "did you mean 'faces'?")]),
    ("kind unlike any", text_with(x="samples: {kind: 5}"), [(6, "samples.kind", "expected 'faces', 'images' or")]),
    ("kind null", text_with(x="samples: {kind: null}"), [(6, "samples.kind", "found nothing, expected 'faces'")]),
    (
        "kind misspelt as a key, and what else is wrong",
        text_with(x="samples: {knd: tiles, stp: 9}"),
        [(6, "samples.knd", "did you mean 'kind'?"), (6, "samples.stp", "did you mean 'step'?")],
    ),
    (
        "kind misspelt, and what else is wrong",
        text_with(x="samples:\n  kind: tile\n  size: 5\n"),
        [(7, "samples.kind", "did you mean 'tiles'?"), (8, "samples.size", "at least 32")],
    ),
    (
        "key of faces for images",
        text_with(x="samples: {kind: images, template: ffhq}"),
        [(6, "samples.template", "it is for kind: faces")],
    ),
    ("key of tiles for faces", text_with(x="samples: {step: 64}"), [(6, "samples.step", "it is for kind: tiles")]),
    ("samples as a list", text_with(x="samples: [faces]"), [(6, "samples", "found a list of 1, expected a mapping")]),
    ("unknown template", text_with(x="samples: {template: fhq}"), [(6, "samples.template", "mean 'ffhq'?")]),
    # types and ranges
    ("size as text", text_with(x='samples: {size: "512"}'), [(6, "samples.size", "write 512 without quotes")]),
    ("size too small", text_with(x="samples: {size: 16}"), [(6, "samples.size", "at least 32")]),
    ("size null for faces", text_with(x="samples: {size: null}"), [(6, "samples.size", "found nothing")]),
    ("no enlargement", text_with(x="samples: {max_enlargement: 0}"), [(6, "samples.max_enlargement", "least 0.1")]),
    ("step too small", text_with(x="samples: {kind: tiles, step: 1}"), [(6, "samples.step", "at least 8")]),
    ("sharpness above one", text_with(x="filter: {min_sharpness: 2}"), [(6, "filter.min_sharpness", "at most 1")]),
    ("distance too far", text_with(x="filter: {distance: 17}"), [(6, "filter.distance", "at most 16")]),
    ("unknown duplicates", text_with(x="filter: {duplicates: nearly}"), [(6, "filter.duplicates", "mean 'near'?")]),
    ("duplicates as a truth", text_with(x="filter: {duplicates: true}"), [(6, "filter.duplicates", "found 'true'")]),
    ("no variants", text_with(degrade="degrade: {recipe: gpen, variants: 0}"), [(4, "degrade.variants", "least 1")]),
    ("half a pair", text_with(degrade="degrade: {recipe: gpen, pairs: 1.5}"), [(4, "degrade.pairs", "a whole number")]),
    ("many pairs as text", text_with(degrade="degrade: {recipe: gpen, pairs: 1e6}"), [(4, "degrade.pairs", "1000000")]),
    (
        "unknown format",
        text_with(output="output: {uri: o/, format: webdatset}"),
        [(5, "output.format", "'webdataset'?")],
    ),
    (
        "shards of nothing",
        text_with(output="output: {uri: o/, shard_pairs: 0}"),
        [(5, "output.shard_pairs", "least 1")],
    ),
    ("masks by a word", text_with(output="output: {uri: out/, masks: no}"), [(5, "output.masks", "write false")]),
    ("blank licence", text_with(output='output: {uri: o/, licence: " "}'), [(5, "output.licence", "some text")]),
    (
        "licence of two lines",
        text_with(output='output: {uri: o/, licence: "a\\nb"}'),
        [(5, "output.licence", "one line")],
    ),
    ("licence as a number", text_with(output="output: {uri: o/, licence: 4.0}"), [(5, "output.licence", "in quotes")]),
    ("license", text_with(output="output: {uri: o/, license: MIT}"), [(5, "output.license", "mean 'licence'?")]),
    # parts
    ("parts as a list", text_with(x="split: {parts: [train]}"), [(6, "split.parts", "such as {train: 0.9, val: 0.1}")]),
    ("no parts", text_with(x="split: {parts: {}}"), [(6, "split.parts", "names of parts with their shares")]),
    ("parts null", text_with(x="split: {parts: }"), [(6, "split.parts", "found nothing; expected names of parts")]),
    (
        "too many parts",
        text_with(x=f"split: {{parts: {{{', '.join(f'p{n}: 1' for n in range(17))}}}}}"),
        [(6, "split.parts", "at most 16 parts, found 17")],
    ),
    ("no share", text_with(x="split: {parts: {a: 1, b: 0}}"), [(6, "split.parts.b", "expected more than 0")]),
    ("share as text", text_with(x="split: {parts: {a: 90%}}"), [(6, "split.parts.a", "expected a number")]),
    ("share that is none", text_with(x="split: {parts: {a: .nan}}"), [(6, "split.parts.a", "finite number")]),
    ("part in capitals", text_with(x="split: {parts: {Train: 1}}"), [(6, "split.parts.Train", "a-z 0-9 _ -")]),
    ("part with a slash", text_with(x="split: {parts: {a/b: 1}}"), [(6, "split.parts.a/b", "a-z 0-9 _ -")]),
    ("part with dots", text_with(x="split: {parts: {..: 1}}"), [(6, "split.parts...", "a-z 0-9 _ -")]),
    ("part without a name", text_with(x='split: {parts: {"": 1}}'), [(6, "split.parts.", "a-z 0-9 _ -")]),
    ("long part", text_with(x=f"split: {{parts: {{{'a' * 33}: 1}}}}"), [(6, f"split.parts.{'a' * 33}", "up to 32")]),
    (
        "parts that the output has anyway",
        text_with(x="split: {parts: {records: 1, data: 1, _facejobs: 1}}"),
        [
            (6, "split.parts.records", "a folder that the output has"),
            (6, "split.parts.data", "a folder that the output has"),
            (6, "split.parts._facejobs", "a folder that the output has"),
        ],
    ),
    (
        "part that Hugging Face refuses",
        text_with(output="output: {uri: out/, format: parquet}", x="split: {parts: {hold-out: 1}}"),
        [(6, "split.parts.hold-out", "write 'hold_out'")],
    ),
    # combinations
    (
        "variants and pairs",
        text_with(degrade="degrade: {recipe: gfpgan, variants: 2, pairs: 100}"),
        [(4, "degrade.pairs", "found beside variants; keep one")],
    ),
    ("by a column that is not said", text_with(x="split: {by: column}"), [(6, "split.by", "say which with split.col")]),
    (
        "a column that is not used",
        text_with(source="source: {kind: manifest, uri: a.csv}", x="split: {by: identity, column: person}"),
        [(6, "split.column", "no effect with by: identity; say by: column")],
    ),
    (
        "a column of files",
        text_with(x="split: {by: column, column: person}"),
        [(6, "split.column", "found with source.kind: files, which has no catalogue")],
    ),
    (
        "likeness that is not looked at",
        text_with(x="split: {by: source, similarity: 0.5}"),
        [(6, "split.similarity", "no effect with by: source")],
    ),
    (
        "likeness in whole images",
        text_with(x="samples: {kind: images}\nsplit: {similarity: 0.5}"),
        [(7, "split.similarity", "no effect with by: source")],
    ),
    (
        "search that does not take place",
        text_with(x="samples:\n  kind: tiles\n  detect: {max_faces: 3, min_confidence: 0.5}"),
        [(8, "samples.detect.max_faces", "no face is looked for"), (8, "samples.detect.min_confidence", "no face is")],
    ),
    (
        "confidence in what is not found",
        text_with(x="samples: {kind: images}\nfilter: {min_confidence: 0.9}"),
        [(7, "filter.min_confidence", "no effect with samples.kind: images and split.by: auto")],
    ),
    (
        "confidence of tiles",
        text_with(x="samples: {kind: tiles}\nfilter: {min_confidence: 0.9}\nsplit: {by: identity}"),
        [(7, "filter.min_confidence", "which have no face of their own")],
    ),
    (
        "confidence below the search's",
        text_with(x="samples: {detect: {min_confidence: 0.8}}\nfilter: {min_confidence: 0.75}"),
        [(7, "filter.min_confidence", "no face below samples.detect.min_confidence (0.8) is found")],
    ),
    (
        "distance of the same bytes",
        text_with(x="filter: {duplicates: exact, distance: 2}\nsplit: {by: source}"),
        [(6, "filter.distance", "no effect with duplicates: exact")],
    ),
    (
        "masks without a place",
        text_with(output="output: {uri: out/, format: unpaired, masks: true}"),
        [(5, "output.masks", "no effect with format: unpaired, which has no masks")],
    ),
    (
        "sides of two sizes in one picture",
        text_with(degrade="degrade: {recipe: real-esrgan}", output="output: {uri: out/, format: aligned}"),
        [(5, "output.format", "the recipe makes 16 x 16 pixels of a target of 64 x 64")],
    ),
    ("stages apart", text_with(x="run: {placement: staged}"), [(6, "run.placement", "choose 'auto' or 'fused'")]),
    ("output in the source", text_with(output="output: {uri: in/pairs}"), [(5, "output.uri", "inside the source's")]),
    ("source in the output", text_with(output="output: {uri: .}"), [(5, "output.uri", "the source lies inside")]),
    ("output for reading only", text_with(output='output: {uri: "https://a.org/x"}'), [(5, "output.uri", "only be")]),
    ("memory over processes", text_with(output='output: {uri: "memory://o"}'), [(5, "output.uri", "isolate: false")]),
    (
        "both columns",
        text_with(source="source: {kind: parquet, uri: in/, bytes_column: a, uri_column: b}"),
        [(3, "source.uri_column", "keep one")],
    ),
    ("variable in a licence", text_with(output='output: {uri: o/, licence: "${L}"}'), [(5, "output.licence", "only")]),
    (
        "variable that is not set",
        text_with(output='output: {uri: o/, storage_options: {key: "${NO_SUCH_VARIABLE}"}}'),
        [(5, "output.storage_options.key", "NO_SUCH_VARIABLE is not set")],
    ),
    # recipes
    ("recipe misspelt", text_with(degrade="degrade: {recipe: gfpgn}"), [(4, "degrade.recipe", "mean 'gfpgan'?")]),
    ("recipe unlike any", text_with(degrade="degrade: {recipe: zzz}"), [(4, "degrade.recipe", "'archival-colour'")]),
    ("recipe as a number", text_with(degrade="degrade: {recipe: 5}"), [(4, "degrade.recipe", "a shipped recipe, a")]),
    ("recipe as a list", text_with(degrade="degrade: {recipe: [blur]}"), [(4, "degrade.recipe", "found a list of 1")]),
    ("recipe null", text_with(degrade="degrade: {recipe: }"), [(4, "degrade.recipe", "found nothing; expected the")]),
    ("blank recipe", text_with(degrade='degrade: {recipe: " "}'), [(4, "degrade.recipe", "expected some text")]),
    ("recipe's file missing", text_with(degrade="degrade: {recipe: a.yaml}"), [(4, "degrade.recipe", "no such file")]),
    (
        "shipped recipe as a file",
        text_with(degrade="degrade: {recipe: recipes/gfpgan.yml}"),
        [(4, "degrade.recipe", "the shipped recipe is 'gfpgan', without a folder")],
    ),
    ("recipe's folder", text_with(degrade="degrade: {recipe: ./}"), [(4, "degrade.recipe", "./: found a folder")]),
    ("recipe's URL", text_with(degrade='degrade: {recipe: "s3://b/r.yaml"}'), [(4, "degrade.recipe", "found a URL")]),
    (
        "recipe at nobody's",
        text_with(degrade="degrade: {recipe: ~no-one-here/r.yaml}"),
        [(4, "degrade.recipe", "home")],
    ),
    (
        "recipe's long name",
        text_with(degrade=f"degrade: {{recipe: {'a' * 300}/r.yaml}}"),
        [(4, "degrade.recipe", "cannot be read: File name too long")],
    ),
    (
        "recipe below a file",
        text_with(degrade="degrade: {recipe: pairs.yaml/mine.yaml}"),
        [(4, "degrade.recipe", "cannot be read: Not a directory")],
    ),
    ("recipe's device", text_with(degrade="degrade: {recipe: /dev/zero}"), [(4, "degrade.recipe", "a pipe or a dev")]),
    (
        "empty recipe",
        text_with(degrade="degrade: {recipe: {}}"),
        [(4, f"degrade.recipe.{key}", "missing; this key is needed") for key in ("recipe", "source", "steps")],
    ),
    ("recipe without steps", text_with(degrade=steps()), [(4, "degrade.recipe.steps", "at least 1")]),
    (
        "unknown degradation",
        text_with(degrade=steps("{use: blurr}")),
        [(4, "degrade.recipe.steps[0].use", "did you mean 'blur'?")],
    ),
    (
        "key of a step",
        text_with(degrade=steps("{use: flip, prob: 0.5}")),
        [(4, "degrade.recipe.steps[0].prob", "unknown key")],
    ),
    (
        "parameter out of its range",
        text_with(degrade=steps("{use: flip}", "{use: jpeg, parameters: {quality: 300}}")),
        [(4, "degrade.recipe.steps[1].parameters.quality", "found 300, expected less than or equal to")],
    ),
    (
        "steps deep down, line by line",
        text_with(
            degrade="degrade:\n  recipe:\n    recipe: mine\n    source: x\n    steps:\n"
            "      - one_of:\n          - steps:\n              - use: jpeg\n                parameters:\n"
            "                  quality:\n                    uniform: [300, 400]\n"
        ),
        [(13, "degrade.recipe.steps[0].one_of[0].steps[0].parameters.quality", "expected less than or equal to")],
    ),
    (
        "one id twice",
        text_with(degrade=steps("{use: flip}", "{use: flip}")),
        [(4, "degrade.recipe.steps[1]", "give one of them an id of its own")],
    ),
    # several at once
    (
        "everything at once, in file order",
        "job: pairs\n"
        "nam: x\n"
        "source: {kind: fles, uri: 5}\n"
        "samples: {kind: tile, size: 5}\n"
        "filter: {min_side: 1, duplicate: near}\n"
        "degrade: {recipe: {recipe: mine, source: x, steps: [{use: fodl}]}, variants: 1, pairs: 1}\n"
        "split: {parts: {Train: 1}, by: column}\n"
        "output: {uri: out/, format: lmbd, mask: true}\n"
        "run: {placement: staged, seed: x}\n",
        [
            (2, "nam", "did you mean 'name'?"),
            (3, "source.kind", "did you mean 'files'?"),
            (3, "source.uri", "expected text"),
            (4, "samples.kind", "did you mean 'tiles'?"),
            (4, "samples.size", "at least 32"),
            (5, "filter.min_side", "at least 16"),
            (5, "filter.duplicate", "did you mean 'duplicates'?"),
            (6, "degrade.recipe.steps[0].use", "did you mean 'fold'?"),
            (6, "degrade.pairs", "found beside variants"),
            (7, "split.parts.Train", "a-z 0-9 _ -"),
            (8, "output.format", "did you mean 'lmdb'?"),
            (8, "output.mask", "did you mean 'masks'?"),
            (9, "run.placement", "choose 'auto' or 'fused'"),
            (9, "run.seed", "expected a whole number"),
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_refused_with_line_and_key(text: str, expected: list[tuple[int, str, str]], tmp_path: Path) -> None:
    file = tmp_path / "pairs.yaml"
    file.write_bytes(text.encode("utf-8"))
    with pytest.raises(JobFileError) as caught:
        load(file, environment={})
    problems = caught.value.problems
    assert [(problem.line, problem.path) for problem in problems] == [row[:2] for row in expected], str(caught.value)
    for problem, (_, _, fragment) in zip(problems, expected, strict=True):
        assert fragment in problem.message
        assert problem.column >= 1
        assert str(problem).startswith(f"{file}:{problem.line}:{problem.column}: ")
        assert "\n" not in str(problem)


def test_the_table_is_long_enough() -> None:
    assert len(WRONG) >= 60
    assert len({row[0] for row in WRONG}) == len(WRONG)


def test_the_smallest_file_is_right(tmp_path: Path) -> None:
    file = tmp_path / "pairs.yaml"
    file.write_text(text_with())
    assert load(file).name == "portraits"
