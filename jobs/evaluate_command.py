"""`facejobs evaluate`: its arguments and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands import evaluate as evaluating
from jobs.ending import end
from jobs.evaluate.asking import Asked
from jobs.evaluate.methods import Models
from operators.evaluation.baselines import BASELINES
from operators.evaluation.bootstrap import ROUNDS
from operators.evaluation.table import PICTURE_MEASURES, USUAL

Texts = list[str] | None


def evaluate(
    results: Annotated[
        str | None,
        typer.Argument(
            metavar="RESULTS",
            help="A folder of results, or the output of a pairs job, which has truth and inputs. Left out where only "
            "--method or --restorer are compared.",
        ),
    ] = None,
    *,
    out: Annotated[
        str, typer.Option("--out", metavar="FOLDER", help="Folder or URL for tables, figures and the sheet.")
    ],
    truth: Annotated[
        str, typer.Option(metavar="FOLDER", help="What the results should be; pictures of the same names.")
    ] = "",
    inputs: Annotated[
        str, typer.Option(metavar="FOLDER", help="What restorers were given, and are given with --restorer.")
    ] = "",
    reference: Annotated[
        str, typer.Option(metavar="FOLDER", help="Good pictures of any names, to compare sets with by FID and KID.")
    ] = "",
    method: Annotated[
        Texts, typer.Option(metavar="NAME=FOLDER", help="Further results, of any program; repeatable.")
    ] = None,
    restorer: Annotated[
        Texts,
        typer.Option(
            metavar="[NAME=]WHAT",
            help="What is run on the inputs, which are an aligned face each: none, classic, a model that `facejobs "
            f"models list` shows, a restore job's file (.yaml); or a baseline: {', '.join(BASELINES)}, with a strength "
            "after a colon (median:2); repeatable.",
        ),
    ] = None,
    part: Annotated[
        Texts, typer.Option(metavar="NAME", help="Part of a pairs output; without it all but train. Repeatable.")
    ] = None,
    measure: Annotated[
        Texts,
        typer.Option(
            metavar="NAME",
            help=f"Of {', '.join(PICTURE_MEASURES)}; repeatable. Without it {', '.join(USUAL)}, as far as they can be "
            "taken.",
        ),
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            metavar="NETWORK",
            help="Measure FID and KID by sface, which comes with facejobs, vgg16, or any model of the cache as "
            "MODEL:LAYER; against --reference, or the truth. With --reference it is sface unless named.",
        ),
    ] = "",
    against: Annotated[
        str, typer.Option(metavar="NAME", help="The method that others are compared with; else the first row.")
    ] = "",
    template: Annotated[
        str, typer.Option(help="Alignment of the faces: ffhq, gpen or head; else that of the pairs, or ffhq.")
    ] = "",
    resize: Annotated[
        bool, typer.Option("--resize", help="Bring results of another size to the truth's; else they are errors.")
    ] = False,
    processes: Annotated[int, typer.Option(min=1, help="That measure; each has networks of its own in memory.")] = 1,
    pictures: Annotated[int, typer.Option(min=0, max=100, help="On the sheet, evenly spaced by name.")] = 6,
    rounds: Annotated[int, typer.Option(min=100, max=100_000, help="Samples of the bootstrap.")] = ROUNDS,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    title: Annotated[str, typer.Option(help="Of the tables; else the folder's name.")] = "",
    accept: Annotated[
        Texts, typer.Option(metavar="MODEL", help="A non-commercial model whose terms you accept; repeatable.")
    ] = None,
    job: Annotated[
        str | None, typer.Option(metavar="JOB", help="A job file whose storage options reach the URLs that are named.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="The folder of the cache of models.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an evaluation that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Measure how good results are: beside their truth, or as a set without one.

    Pictures are matched by their path without its ending. Writes evaluation.html, .md, .csv, .json and sheet.png. A
    picture that cannot be measured becomes a row with an error and exit code 3. docs/evaluate.md tells all.
    """
    asked = Asked(
        results,
        out,
        truth,
        inputs,
        reference,
        methods=method or (),
        restorers=restorer or (),
        parts=part or (),
        measures=measure or (),
        features=features,
        against=against,
        template=template,
        title=title,
        resize=resize,
        processes=processes,
        pictures=pictures,
        rounds=rounds,
        seed=seed,
        models=Models(cache, accept or ()),
        force=force,
    )
    end(lambda output: evaluating.evaluate(asked, job, as_json, output))
