"""Every way to write a job file wrongly is refused with line, key and a helpful message; none ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.spec import JobFileError, load, loads

GOOD = {
    "job": "job: restore",
    "name": "name: plates",
    "source": "source: {kind: files, uri: in/}",
    "output": "output: {uri: out/}",
}


def text_with(**lines: str) -> str:
    """The smallest job file, with some of its lines replaced or added, in the order job, name, source, output, ..."""
    return "\n".join({**GOOD, **lines}.values()) + "\n"


# what it is, the file, and for each problem its line, its path and a part of its message
WRONG: list[tuple[str, str, list[tuple[int, str, str]]]] = [
    # not a job file at all
    ("empty", "", [(1, "", "the file is empty")]),
    ("only comments", "# nothing\n\n# yet\n", [(1, "", "the file is empty")]),
    ("list at the top", "- job: restore\n- name: x\n", [(1, "", "found a list, expected a mapping")]),
    ("text at the top", "restore everything please\n", [(1, "", "found a single value, expected a mapping")]),
    ("null at the top", "~\n", [(1, "", "found a single value")]),
    ("two documents", text_with() + "---\njob: restore\n", [(5, "", "second document")]),
    ("unclosed bracket", "job: restore\nsource: [a, b\n", [(2, "", "a bracket that is never closed")]),
    ("unclosed quote", 'job: restore\nname: "x\n', [(2, "", "a quote that is never closed")]),
    ("tab as indentation", "job: restore\nsource:\n\tkind: files\n", [(3, "", "found a tab, expected spaces")]),
    ("colon in a value", "job: restore\nname: a: b\n", [(2, "", "found ': ' inside a value")]),
    ("key without a colon", "job: restore\nname plates\nsource: {}\n", [(2, "", "no ':' after this key")]),
    ("comma forgotten", "job: {a: 1 b: 2}\n", [(1, "", "expected ',' or the closing bracket")]),
    ("backslash in double quotes", 'job: "C:\\scans"\n', [(1, "", "single quotes take backslashes")]),
    ("leading at sign", "job: @restore\n", [(1, "", "put the value in quotes")]),
    ("leading star", "job: restore\nname: *.tif\n", [(2, "", "quote a leading '*'")]),
    ("uneven indentation", "job: restore\nsource:\n    kind: files\n  uri: x\n", [(4, "", "check the indentation")]),
    ("control character", "job: restore\nname: a\x07b\n", [(2, "", "found the character U+0007")]),
    ("impossible escape", 'job: restore\nname: "\\UFFFFFFFF"\n', [(2, "", "stands for no character")]),
    ("half a surrogate pair", text_with(name='name: "\\uD800"'), [(2, "name", "control character")]),
    (
        "half a surrogate pair in a path",
        text_with(source='source: {kind: files, uri: "in\\udfff"}'),
        [(3, "source.uri", "control character")],
    ),
    ("escaped NUL in a path", text_with(output='output: {uri: "out\\0"}'), [(4, "output.uri", "control character")]),
    ("unknown anchor", "job: restore\nname: *nobody\n", [(2, "", "without an anchor")]),
    (
        "custom tag",
        text_with(name="name: !secret plates"),
        [(2, "", "found the tag !secret, which job")],
    ),
    ("python tag", text_with(name="name: !!python/name:os.system x"), [(2, "", "which job files do not use")]),
    ("directive of the future", "%YAML 9.0\n---\njob: restore\n", [(1, "", "not YAML")]),
    ("nested too deep", "job: " + "[" * 500 + "]" * 500, [(1, "", "more than 24 levels of nesting")]),
    ("alias in itself", "job: &a [*a]\n", [(1, "", "an alias that contains itself")]),
    (
        "alias bomb",
        "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
        + "".join(f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
        [(1, "", "found more than 5000 values")],
    ),
    ("masses of keys", text_with(x="".join(f"k{n}: 1\n" for n in range(6000))), [(2497, "", "more than 5000 keys")]),
    ("merge key", text_with(a="detect: &d {max_faces: 2}", b="run: {<<: *d}"), [(6, "run", "found a merge key '<<'")]),
    ("merge key at the top", "<<: {job: restore}\n" + text_with(), [(1, "", "found a merge key '<<'")]),
    ("number as a key", text_with(x="1: 2"), [(5, "", "found '1' as a key, expected a name")]),
    ("list as a key", text_with(x="? [a]\n: 2"), [(5, "", "found a list or mapping as a key")]),
    ("colon without a key", text_with(x=": 2"), [(5, "", "does not belong to this block")]),
    ("nothing as a key", text_with(x="null: 2"), [(5, "", "found 'null' as a key, expected a name")]),
    # keys
    ("doubled key", text_with(x="name: again"), [(5, "name", "stands already in line 2")]),
    (
        "doubled nested key",
        text_with(x="run:\n  seed: 1\n  seed: 2"),
        [(7, "run.seed", "stands already in line 6")],
    ),
    ("unknown key at the top", text_with(x="restroe: {}"), [(5, "restroe", "did you mean 'restore'?")]),
    ("unknown key, unlike any", text_with(x="zzz: 1"), [(5, "zzz", "unknown key; expected 'job', 'name'")]),
    ("unknown key in a block", text_with(x="restore: {modle: classic}"), [(5, "restore.modle", "mean 'model'?")]),
    (
        "unknown key two levels down",
        text_with(source="source: {kind: files, uri: in/, limits: {max_pixls: 5}}"),
        [(3, "source.limits.max_pixls", "did you mean 'max_pixels'?")],
    ),
    (
        "unknown key three levels down",
        text_with(x="restore:\n  model: classic\n  options:\n    denois: 5"),
        [(8, "restore.options.denois", "did you mean 'denoise'?")],
    ),
    ("key in capitals", text_with(x="run: {Seed: 1}"), [(5, "run.Seed", "did you mean 'seed'?")]),
    ("misspelt key of another block", text_with(x="formt: png"), [(5, "formt", "mean 'format' under 'output'?")]),
    ("key of another block", text_with(x="format: png"), [(5, "format", "belongs under 'output'")]),
    ("key of a deeper block", text_with(x="detect: {max_pixels: 5}"), [(5, "detect.max_pixels", "'source.limits'")]),
    (
        "key of another kind of source",
        text_with(source="source: {kind: files, uri: in/, image_suffixes: [.jpg]}"),
        [(3, "source.image_suffixes", "unknown key")],
    ),
    (
        "option of another restorer",
        text_with(x="restore: {model: none, options: {denoise: auto}}"),
        [(5, "restore.options.denoise", "unknown key")],
    ),
    # missing
    ("job missing", "name: x\nsource: {kind: files, uri: a}\noutput: {uri: b}\n", [(1, "job", "missing")]),
    (
        "everything missing but one",
        "job: restore\n",
        [(1, "name", "missing"), (1, "source", "missing"), (1, "output", "missing")],
    ),
    ("misspelt and so missing", text_with(source="sorce: {kind: files, uri: in/}"), [(3, "sorce", "mean 'source'?")]),
    ("uri missing", text_with(output="output: {layout: mirror}"), [(4, "output.uri", "missing")]),
    (
        "kind missing",
        text_with(source="source: {uri: in/}"),
        [(3, "source.kind", "missing; expected 'kind: ...' with 'files'")],
    ),
    ("kind misspelt as a key", text_with(source="source: {knd: files, uri: in/}"), [(3, "source.knd", "mean 'kind'?")]),
    ("source empty", text_with(source="source:"), [(3, "source", "found nothing below 'source:'")]),
    ("block empty", text_with(x="detect:"), [(5, "detect", "remove the line for the defaults")]),
    ("name empty", text_with(name="name:"), [(2, "name", "found nothing; expected a value")]),
    ("required value null", text_with(output="output: {uri: null}"), [(4, "output.uri", "found nothing")]),
    ("null where a number is", text_with(x="run: {threads: null}"), [(5, "run.threads", "found nothing")]),
    # types
    ("number as a name", text_with(name="name: 1927"), [(2, "name", "write '1927' in quotes")]),
    ("truth as a name", text_with(name="name: true"), [(2, "name", "write 'true' in quotes")]),
    ("list as a name", text_with(name="name: [a]"), [(2, "name", "found a list of 1, expected text")]),
    ("spaces in the name", text_with(name="name: my archive"), [(2, "name", "expected up to 100 of the characters")]),
    ("slash in the name", text_with(name="name: ../x"), [(2, "name", "expected up to 100 of the characters")]),
    ("dots as a name", text_with(name='name: ".."'), [(2, "name", "expected up to 100")]),
    ("number as a uri", text_with(output="output: {uri: 5}"), [(4, "output.uri", "found the number 5, expected text")]),
    ("blank uri", text_with(output='output: {uri: "  "}'), [(4, "output.uri", "expected some text")]),
    (
        "two lines as a uri",
        text_with(output='output: {uri: "a\\nb"}'),
        [(4, "output.uri", "expected one line of text")],
    ),
    ("quoted number", text_with(x='run: {unit_records: "64"}'), [(5, "run.unit_records", "write 64 without quotes")]),
    ("underscored number", text_with(x="run: {seed: 1_000}"), [(5, "run.seed", "write 1000")]),
    ("number with a leading zero", text_with(x="run: {seed: 007}"), [(5, "run.seed", "leading zero")]),
    ("time of day as a number", text_with(x="run: {seed: 12:30}"), [(5, "run.seed", "found the text '12:30'")]),
    ("date as a number", text_with(x="run: {seed: 2024-01-01}"), [(5, "run.seed", "expected a whole number")]),
    ("half a record", text_with(x="run: {unit_records: 1.5}"), [(5, "run.unit_records", "expected a whole number")]),
    ("whole number as a float", text_with(x="run: {threads: 2.0}"), [(5, "run.threads", "write 2")]),
    ("truth as a number", text_with(x="run: {threads: true}"), [(5, "run.threads", "expected a whole number")]),
    ("no number at all", text_with(x="run: {seed: .nan}"), [(5, "run.seed", "expected a whole number")]),
    ("infinity", text_with(x="restore: {strength: .inf}"), [(5, "restore.strength", "finite number")]),
    ("NaN", text_with(x="detect: {min_confidence: .nan}"), [(5, "detect.min_confidence", "finite number")]),
    ("overflowing float", text_with(x="restore: {strength: 1e999}"), [(5, "restore.strength", "finite number")]),
    ("huge number", text_with(x=f"run: {{seed: {'9' * 5000}}}"), [(5, "run.seed", "a number of 5000 characters")]),
    ("seed beyond 63 bits", text_with(x=f"run: {{seed: {2**63}}}"), [(5, "run.seed", "expected less than")]),
    ("yes instead of true", text_with(output="output: {uri: out/, mark: yes}"), [(4, "output.mark", "write true")]),
    ("off instead of false", text_with(output="output: {uri: out/, mark: off}"), [(4, "output.mark", "write false")]),
    ("one instead of true", text_with(output="output: {uri: out/, mark: 1}"), [(4, "output.mark", "write true")]),
    ("text instead of a list", text_with(x="score: {measures: niqe}"), [(5, "score.measures", "a list such as")]),
    (
        "number in a list of texts",
        text_with(source="source: {kind: files, uri: in/, include: ['*.tif', 5]}"),
        [(3, "source.include[1]", "found the number 5, expected text")],
    ),
    ("list instead of a block", text_with(x="run: [ray]"), [(5, "run", "found a list of 1, expected a mapping")]),
    ("text instead of a block", text_with(source="source: in/"), [(3, "source", "expected a mapping of keys")]),
    (
        "list instead of storage options",
        text_with(output="output: {uri: out/, storage_options: [a]}"),
        [(4, "output.storage_options", "expected a mapping of options")],
    ),
    ("unknown job", text_with(job="job: restor"), [(1, "job", "did you mean 'restore'?")]),
    ("list as a job", text_with(job="job: [restore]"), [(1, "job", "found a list of 1, expected 'restore'")]),
    ("unknown kind", text_with(source="source: {kind: file, uri: in/}"), [(3, "source.kind", "did you mean 'files'?")]),
    ("unknown model", text_with(x="restore: {model: clasic}"), [(5, "restore.model", "did you mean 'classic'?")]),
    ("model misspelt", text_with(x="restore: {model: gfpgan1.4}"), [(5, "restore.model", "mean 'gfpgan-1.4'?")]),
    ("model in capitals", text_with(x="restore: {model: GFPGAN-1.4}"), [(5, "restore.model", "mean 'gfpgan-1.4'?")]),
    ("model as a file", text_with(x="restore: {model: GFPGANv1.4.pth}"), [(5, "restore.model", "mean 'gfpgan-1.4'?")]),
    ("model unlike any", text_with(x="restore: {model: zzz}"), [(5, "restore.model", "facejobs models add FILE")]),
    ("model as a number", text_with(x="restore: {model: 1.4}"), [(5, "restore.model", "found the number 1.4")]),
    ("model empty", text_with(x='restore: {model: ""}'), [(5, "restore.model", "found an empty text")]),
    ("model null", text_with(x="restore: {model: null}"), [(5, "restore.model", "found nothing, expected the name")]),
    ("model not run", text_with(x="restore: {model: codeformer}"), [(5, "restore.model", "does not run it")]),
    (
        "model that restores none",
        text_with(x="restore: {model: parsenet}"),
        [(5, "restore.model", "restores no faces")],
    ),
    (
        "model for whole pictures",
        text_with(x="restore: {model: realesrgan-x4plus}"),
        [(5, "restore.model", "takes whole pictures and restores no faces: name it at background.model")],
    ),
    (
        "licence not accepted",
        text_with(x="restore: {model: gpen-bfr-512}"),
        [(5, "restore.model", "models.accept_noncommercial: [gpen-bfr-512]")],
    ),
    (
        "licence of another accepted",
        text_with(x="restore: {model: gpen-bfr-512}\nmodels: {accept_noncommercial: [gpen-bfr-256]}"),
        [(5, "restore.model", "for non-commercial use only")],
    ),
    (
        "acceptance misspelt",
        text_with(x="models: {accept_noncommercial: [gpen-512]}"),
        [(5, "models.accept_noncommercial[0]", "mean 'gpen-bfr-512'?")],
    ),
    (
        "acceptance as a truth",
        text_with(x="models: {accept_noncommercial: true}"),
        [(5, "models.accept_noncommercial", "a list such as")],
    ),
    (
        "acceptance of all",
        text_with(x="models: {accept_noncommercial: all}"),
        [(5, "models.accept_noncommercial", "list")],
    ),
    (
        "option of classic with a generator",
        text_with(x="restore: {model: gfpgan-1.4, options: {denoise: 5}}"),
        [(5, "restore.options.denoise", "it is for model: classic")],
    ),
    (
        "option of a generator with classic",
        text_with(x="restore: {model: classic, options: {fidelity: 0.5}}"),
        [(5, "restore.options.fidelity", "a model with weights")],
    ),
    (
        "engine with classic",
        text_with(x="restore: {model: classic, engine: {precision: fp32}}"),
        [(5, "restore.engine", "a model with weights")],
    ),
    (
        "option outside of options",
        text_with(x="restore: {model: gfpgan-1.4, fidelity: 0.5}"),
        [(5, "restore.fidelity", "belongs under 'restore.options'")],
    ),
    (
        "option misspelt",
        text_with(x="restore: {model: gfpgan-1.4, options: {fidelty: 0.5}}"),
        [(5, "restore.options.fidelty", "did you mean 'fidelity'?")],
    ),
    (
        "guidance of another kind of model",
        text_with(
            x="restore: {model: gpen-bfr-512, options: {sft_strength: 1}}\n"
            "models: {accept_noncommercial: [gpen-bfr-512]}"
        ),
        [(5, "restore.options.sft_strength", "it is for gfpgan models")],
    ),
    (
        "task of another model",
        text_with(x="restore: {model: gfpgan-1.4, options: {task: inpaint}}"),
        [(5, "restore.options.task", "name a model for inpaint")],
    ),
    (
        "task unknown",
        text_with(x="restore: {model: gfpgan-1.4, options: {task: colourize}}"),
        [(5, "restore.options.task", "did you mean 'colorize'?")],
    ),
    (
        "masks of no hole",
        text_with(x="restore: {model: gfpgan-1.4, options: {masks: holes/}}"),
        [(5, "restore.options.masks", "it is for inpaint")],
    ),
    (
        "cleaning before another task",
        text_with(
            x="restore: {model: gpen-inpainting-1024, options: {clean_first: 0.5}}\n"
            "models: {accept_noncommercial: [gpen-inpainting-1024]}"
        ),
        [(5, "restore.options.clean_first", "it is for restore")],
    ),
    (
        "masks that are a file",
        text_with(x="restore: {model: gfpgan-1.4, options: {masks: 'holes/*.png'}}"),
        [(5, "restore.options.masks", "found a wildcard")],
    ),
    (
        "fidelity to a map",
        text_with(
            x="restore: {model: gpen-seg2face-512, options: {fidelity: 0.1}}\n"
            "models: {accept_noncommercial: [gpen-seg2face-512]}"
        ),
        [(5, "restore.options.fidelity", "whose input is no face")],
    ),
    (
        "fidelity too high",
        text_with(x="restore: {model: gfpgan-1.4, options: {fidelity: 2}}"),
        [(5, "restore.options.fidelity", "at most 1")],
    ),
    (
        "tone by a word",
        text_with(x="restore: {model: gfpgan-1.4, options: {keep_tone: yes}}"),
        [(5, "restore.options.keep_tone", "write true")],
    ),
    (
        "engine as a name",
        text_with(x="restore: {model: gfpgan-1.4, engine: openvino}"),
        [(5, "restore.engine", "found the text 'openvino', expected a mapping")],
    ),
    (
        "engine misspelt",
        text_with(x="restore: {model: gfpgan-1.4, engine: {name: tensort}}"),
        [(5, "restore.engine.name", "did you mean 'tensorrt'?")],
    ),
    (
        "engine on the wrong device",
        text_with(x="restore: {model: gfpgan-1.4, engine: {name: openvino, device: cuda}}"),
        [(5, "restore.engine.device", "openvino runs on 'cpu' only")],
    ),
    (
        "engine without that arithmetic",
        text_with(x="restore: {model: gfpgan-1.4, engine: {name: onnxruntime, precision: bf16}}"),
        [(5, "restore.engine.precision", "the engine onnxruntime has 'fp32'")],
    ),
    (
        "arithmetic unknown",
        text_with(x="restore: {model: gfpgan-1.4, engine: {precision: float16}}"),
        [(5, "restore.engine.precision", "'fp32', 'bf16' or 'fp16'")],
    ),
    (
        "device unknown",
        text_with(x="restore: {model: gfpgan-1.4, engine: {device: gpu}}"),
        [(5, "restore.engine.device", "expected 'auto', 'cpu', 'cuda'")],
    ),
    (
        "device that a worker does not see",
        text_with(x="restore: {model: gfpgan-1.4, engine: {device: 'cuda:1'}}"),
        [(5, "restore.engine.device", "its own GPU only")],
    ),
    (
        "no batch",
        text_with(x="restore: {model: gfpgan-1.4, engine: {batch: 0}}"),
        [(5, "restore.engine.batch", "at least 1")],
    ),
    (
        "mask of what is made anew",
        text_with(
            x="restore: {model: gpen-inpainting-1024, mask: landmarks}\n"
            "models: {accept_noncommercial: [gpen-inpainting-1024]}"
        ),
        [(5, "restore.mask", "pastes what it makes anew")],
    ),
    ("mask unknown", text_with(x="restore: {mask: oval}"), [(5, "restore.mask", "expected 'auto', 'landmarks'")]),
    ("mask of nothing", text_with(x="restore: {model: none, mask: parsing}"), [(5, "restore.mask", "pastes nothing")]),
    ("half of no GPU", text_with(x="run: {gpus_per_worker: 0}"), [(5, "run.gpus_per_worker", "more than 0")]),
    (
        "search in aligned faces",
        text_with(x="detect: {aligned: true, min_confidence: 0.5, max_faces: 1}"),
        [(5, "detect.min_confidence", "no effect with aligned"), (5, "detect.max_faces", "no effect with aligned")],
    ),
    ("models as a list", text_with(x="models: [gfpgan-1.4]"), [(5, "models", "expected a mapping")]),
    ("models misspelt", text_with(x="model: {cache: m/}"), [(5, "model", "belongs under 'restore'")]),
    ("cache in a bucket", text_with(x='models: {cache: "s3://b/m"}'), [(5, "models.cache", "of the machine itself")]),
    ("source of models, a glob", text_with(x="models: {source: m/*.pth}"), [(5, "models.source", "found a wildcard")]),
    (
        "source of models with a password",
        text_with(x='models: {source: "https://me:hunter2@host/models"}'),
        [(5, "models.source", "found a password")],
    ),
    (
        "engines for reading",
        text_with(x='models: {artifacts: "https://h/e"}'),
        [(5, "models.artifacts", "only be read")],
    ),
    (
        "variable in a source",
        text_with(x='models: {source: "s3://${B}/m"}'),
        [(5, "models.source", "storage_options and notify.urls only")],
    ),
    ("model as a list", text_with(x="restore: {model: [classic]}"), [(5, "restore.model", "found a list of 1")]),
    ("unknown format", text_with(output="output: {uri: out/, format: jpg}"), [(4, "output.format", "mean 'jpeg'?")]),
    ("format in capitals", text_with(output="output: {uri: out/, format: PNG}"), [(4, "output.format", "mean 'png'?")]),
    ("unknown runner", text_with(x="run: {runner: rae}"), [(5, "run.runner", "did you mean 'ray'?")]),
    ("unknown measure", text_with(x="score: {measures: [niqq]}"), [(5, "score.measures[0]", "did you mean 'niqe'?")]),
    ("measure twice", text_with(x="score: {measures: [niqe, niqe]}"), [(5, "score.measures[1]", "stands in the list")]),
    # ranges
    ("quality too high", text_with(output="output: {uri: o/, quality: 101}"), [(4, "output.quality", "at most 100")]),
    ("no threads", text_with(x="run: {threads: 0}"), [(5, "run.threads", "found the number 0, expected at least 1")]),
    ("negative budget", text_with(x="run: {max_quarantined: -1}"), [(5, "run.max_quarantined", "a count of records")]),
    ("share as a fraction", text_with(x="run: {max_quarantined: 0.1}"), [(5, "run.max_quarantined", "percentage")]),
    ("share above all", text_with(x="run: {max_quarantined: 101%}"), [(5, "run.max_quarantined", "'0%' to '100%'")]),
    ("size without a unit", text_with(x="run: {unit_bytes: lots}"), [(5, "run.unit_bytes", "such as '512 MiB'")]),
    ("unknown unit", text_with(x="run: {unit_bytes: 5 MX}"), [(5, "run.unit_bytes", "such as '512 MiB'")]),
    ("no bytes", text_with(x="run: {unit_bytes: 0 B}"), [(5, "run.unit_bytes", "expected at least 1")]),
    ("reduction below one", text_with(x="restore: {max_reduction: 0.5}"), [(5, "restore.max_reduction", "at least 1")]),
    (
        "eyes at no distance",
        text_with(x="detect: {min_eye_distance: 0}"),
        [(5, "detect.min_eye_distance", "more than 0")],
    ),
    (
        "denoise by a word",
        text_with(x="restore: {model: classic, options: {denoise: strong}}"),
        [(5, "restore.options.denoise", "'auto', 'off'")],
    ),
    ("address without a port", text_with(x="run: {address: head}"), [(5, "run.address", "'host:6379'")]),
    ("Ray client", text_with(x='run: {address: "ray://head:10001"}'), [(5, "run.address", "'host:6379'")]),
    # combinations
    (
        "quality of a lossless format",
        text_with(output="output: {uri: out/, format: png, quality: 90}"),
        [(4, "output.quality", "no effect with format: png")],
    ),
    (
        "compression of a JPEG",
        text_with(output="output: {uri: out/, format: jpeg, compression: lzw}"),
        [(4, "output.compression", "no effect with format: jpeg")],
    ),
    (
        "both columns",
        text_with(source="source: {kind: parquet, uri: in/, bytes_column: a, uri_column: b}"),
        [(3, "source.uri_column", "keep one")],
    ),
    (
        "neither column",
        text_with(source="source: {kind: parquet, uri: in/, bytes_column: null}"),
        [(3, "source.bytes_column", "expected a column")],
    ),
    (
        "threshold without its measure",
        text_with(x="score: {measures: [niqe], gate: {min_identity: 0.5}}"),
        [(5, "score.gate.min_identity", "needs 'identity' in score.measures")],
    ),
    (
        "bound that the policy switches off",
        text_with(x="restore: {oversize: reduce, max_reduction: 2}"),
        [(5, "restore.max_reduction", "no effect with oversize: reduce")],
    ),
    (
        "suffix without a dot",
        text_with(source="source: {kind: webdataset, uri: in/, image_suffixes: [jpg]}"),
        [(3, "source.image_suffixes[0]", "such as '.jpg'")],
    ),
    (
        "no suffix",
        text_with(source="source: {kind: webdataset, uri: in/, image_suffixes: []}"),
        [(3, "source.image_suffixes", "at least 1")],
    ),
    (
        "pattern out of the source",
        text_with(source="source: {kind: files, uri: in/, include: [../*.tif]}"),
        [(3, "source.include[0]", "below source.uri")],
    ),
    (
        "pattern that fsspec refuses",
        text_with(source="source: {kind: files, uri: in/, exclude: ['a**b']}"),
        [(3, "source.exclude[0]", "'**' as a part of its own")],
    ),
    (
        "template of one name",
        text_with(output='output: {uri: o/, name: "x.{ext}"}'),
        [(4, "output.name", "{stem} or {key}")],
    ),
    ("unknown field", text_with(output='output: {uri: o/, name: "{steem}.{ext}"}'), [(4, "output.name", "{steem}")]),
    (
        "unclosed field",
        text_with(output='output: {uri: o/, name: "{stem.{ext}"}'),
        [(4, "output.name", "literal brace")],
    ),
    (
        "template out of the output",
        text_with(output='output: {uri: o/, name: "../{stem}.{ext}"}'),
        [(4, "output.name", "below the output")],
    ),
    (
        "template without extension",
        text_with(output='output: {uri: o/, format: png, name: "{key}"}'),
        [(4, "output.name", "write '.{ext}' at the end")],
    ),
    (
        "memory over processes",
        text_with(source='source: {kind: files, uri: "memory://in"}'),
        [(3, "source.uri", "say run: {runner: local, isolate: false}")],
    ),
    (
        "memory over watched processes",
        text_with(source='source: {kind: files, uri: "memory://in"}', run="run: {runner: local}"),
        [(3, "source.uri", "say run: {runner: local, isolate: false}")],
    ),
    # places
    (
        "output in the source",
        text_with(output="output: {uri: in/out}"),
        [(4, "output.uri", "inside the source's prefix")],
    ),
    (
        "output is the source",
        text_with(output="output: {uri: ./in}"),
        [(4, "output.uri", "inside the source's prefix")],
    ),
    (
        "source in the output",
        text_with(output="output: {uri: .}"),
        [(4, "output.uri", "the source lies inside the output")],
    ),
    (
        "output below a glob's prefix",
        text_with(source='source: {kind: files, uri: "in/**/*.tif"}', output="output: {uri: in/restored}"),
        [(4, "output.uri", "inside the source's prefix")],
    ),
    (
        "output in the source's bucket folder",
        text_with(
            source='source: {kind: files, uri: "s3://museum/scans/*.tif"}',
            output='output: {uri: "s3a://museum/scans/out/"}',
        ),
        [(4, "output.uri", "inside the source's prefix")],
    ),
    ("unknown scheme", text_with(output='output: {uri: "s4://b/x"}'), [(4, "output.uri", "unknown scheme 's4://'")]),
    ("one slash", text_with(output='output: {uri: "s3:/b/x"}'), [(4, "output.uri", "expected 's3://'")]),
    ("no bucket", text_with(output='output: {uri: "s3://"}'), [(4, "output.uri", "expected a bucket")]),
    ("relative file URL", text_with(output='output: {uri: "file://out"}'), [(4, "output.uri", "relative file URL")]),
    ("nobody's home", text_with(output="output: {uri: ~nobody-of-that-name/x}"), [(4, "output.uri", "no home folder")]),
    (
        "output for reading only",
        text_with(output='output: {uri: "https://a.org/x"}'),
        [(4, "output.uri", "only be read")],
    ),
    ("output with a wildcard", text_with(output='output: {uri: "out*/"}'), [(4, "output.uri", "found a wildcard")]),
    ("output in a chain", text_with(output='output: {uri: "zip://a::b.zip"}'), [(4, "output.uri", "a chained URL")]),
    ("dots in a URL", text_with(output='output: {uri: "s3://b/a/../c"}'), [(4, "output.uri", "found '..' in a URL")]),
    (
        "password in a URL",
        text_with(source='source: {kind: files, uri: "sftp://me:hunter2@host/scans"}'),
        [(3, "source.uri", "put it in storage_options")],
    ),
    (
        "signed URL",
        text_with(source='source: {kind: files, uri: "https://a.org/x.tif?X-Amz-Signature=abcdef"}'),
        [(3, "source.uri", "put it in storage_options")],
    ),
    # environment variables
    ("variable in a path", text_with(output='output: {uri: "${HOME}/x"}'), [(4, "output.uri", "notify.urls only")]),
    ("variable in a name", text_with(name="name: ${USER}"), [(2, "name", "notify.urls only")]),
    (
        "variable that is not set",
        text_with(output='output:\n  uri: out/\n  storage_options:\n    key: "${NO_SUCH_VARIABLE}"'),
        [(7, "output.storage_options.key", "NO_SUCH_VARIABLE is not set")],
    ),
    (
        "variable without a name",
        text_with(output='output: {uri: out/, storage_options: {secret: "${}"}}'),
        [(4, "output.storage_options.secret", "expected ${NAME}")],
    ),
    (
        "unclosed variable, deep down",
        text_with(output='output: {uri: out/, storage_options: {a: {b: ["${X"]}}}'),
        [(4, "output.storage_options.a.b[0]", "expected ${NAME}")],
    ),
    (
        "variable in an option's name",
        text_with(output='output: {uri: out/, storage_options: {"${X}": 1}}'),
        [(4, "output.storage_options.${X}", "in values only")],
    ),
    # several at once
    (
        "everything at once, in file order",
        "job: restor\n"
        "nam: 1927\n"
        "source:\n"
        "  kind: fles\n"
        "  uri: 5\n"
        "  limits: {max_pixls: 5}\n"
        "output: {uri: out/, format: png, quality: 90, mark: maybe}\n"
        "run: {seed: 1, seed: 2, threads: none}\n",
        [
            (1, "job", "did you mean 'restore'?"),
            (2, "nam", "did you mean 'name'?"),
            (4, "source.kind", "did you mean 'files'?"),
            (5, "source.uri", "expected text"),
            (6, "source.limits.max_pixls", "did you mean 'max_pixels'?"),
            (7, "output.quality", "no effect with format: png"),
            (7, "output.mark", "expected true or false"),
            (8, "run.seed", "stands already in line 8"),
            (8, "run.threads", "found the text 'none', expected a whole number"),
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_refused_with_line_and_key(text: str, expected: list[tuple[int, str, str]], tmp_path: Path) -> None:
    file = tmp_path / "archive.yaml"
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


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (text_with(x="restore: {modle: classic}"), 5, 11),
        (text_with(x="restore:\n  strength: 2"), 6, 13),
        (text_with(name="name: 5"), 2, 7),
        ("job: restore\nname: 'ä', b\n", 2, 10),
    ],
)
def test_columns_count_characters_from_one(text: str, line: int, column: int) -> None:
    with pytest.raises(JobFileError) as caught:
        loads(text)
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (line, column)


@pytest.mark.parametrize(
    ("data", "line", "column", "fragment"),
    [
        (b"job: restore\nname: caf\xe9\n", 2, 10, "0xE9, which is not UTF-8"),
        ("job: restore\n".encode("utf-16"), 1, 1, "not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 1, 1, "not UTF-8"),
        (b"\x00" * 100, 1, 1, "U+0000"),
        (b"# " + b"x" * 300_000, 0, 0, "more than 256 KiB"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, line: int, column: int, fragment: str, tmp_path: Path) -> None:
    file = tmp_path / "archive.yaml"
    file.write_bytes(data)
    with pytest.raises(JobFileError) as caught:
        load(file)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (line, column)
    assert fragment in problem.message


def test_a_flood_of_problems_is_cut_short() -> None:
    with pytest.raises(JobFileError) as caught:
        loads(text_with(x="".join(f"zzz{number}: 1\n" for number in range(150))))
    assert len(caught.value.problems) == 150
    lines = str(caught.value).split("\n")
    assert (len(lines), lines[-1]) == (101, "... and 50 more")


# Each would take minutes if some step were quadratic in it.
HUGE = {
    "path of many folders": text_with(source=f"source: {{kind: files, uri: {'a/' * 100_000}}}"),
    "many unclosed variables": text_with(output=f"output: {{uri: o/, storage_options: {{a: '{'${X:-' * 40_000}'}}}}"),
    "many brackets": "{" * 100_000,
    "many dashes": "- " * 100_000,
    "many passwords": text_with(source=f"source: {{kind: files, uri: '{'://a:' * 40_000}'}}"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE.keys())
def test_huge_files_are_refused(text: str) -> None:
    with pytest.raises(JobFileError):
        loads(text)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(JobFileError, match="no such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(JobFileError, match="found a folder"):
        load(tmp_path)
    with pytest.raises(JobFileError, match="cannot be read"):
        load("x" * 5000)
    with pytest.raises(JobFileError, match="cannot be read"):
        load("a\0b")


def test_a_file_that_is_in_the_way_of_the_output(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(JobFileError, match="found a file there, expected a folder"):
        loads(text_with(output="output: {uri: out}"), folder=tmp_path)


def test_wildcards_in_the_name_of_the_job_files_folder(tmp_path: Path) -> None:
    folder = tmp_path / "box [1]"
    with pytest.raises(JobFileError, match="wildcard characters in its name"):
        loads(text_with(), folder=folder)
    assert loads(text_with(source="source: {kind: files, uri: /scans}"), folder=folder).output.uri == f"{folder}/out/"
