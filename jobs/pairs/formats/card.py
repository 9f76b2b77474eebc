"""The dataset card of pairs in Parquet: a README.md that the Hugging Face Hub and `datasets` read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from jobs.pairs.formats.contract import About
from jobs.pairs.formats.licences import licence_fields

CARD = "README.md"

COLUMNS = {
    "key": ("string", "name of the pair: the number of its sample, a hyphen, the number of its variant"),
    "lq": ("image", "the degraded picture, PNG, 8 bits, RGB"),
    "gt": ("image", "the target, PNG, 8 bits, RGB"),
    "mask": ("image", "where damage was painted in, PNG, 8 bits, one band, 255 for damage; null where there is none"),
    "record": ("string", "JSON: source, sample, every drawn parameter, SHA-256 of the pictures, versions"),
}

TEMPLATE = """---
{front}---

# {name}

{total} pairs of degraded and good pictures for training image restoration, made with facejobs {version} from
`{source}` by the recipe `{recipe}`.

{splits}

Samples that belong together (of one person, or of one image) are in one split only.

## Columns

{columns}

## How it was made

Each sample is cut out of its image and is the target. The degraded picture is the target after the steps of the recipe,
whose parameters are drawn from the seed {seed}, the sample's key and the number of the variant alone. The record of a
pair has every parameter as drawn.

```yaml
{recipe_text}```

The rest of the job, as far as it decides what comes out:

```json
{settings}
```

## How to make it again

With facejobs {version} and the same source, `facejobs run` on a job file with these settings, this recipe as
`degrade.recipe`, a `name` and an `output.uri` gives the same bytes on a machine of the same kind. `facejobs pairs
regenerate` makes a single pair again from its record and its source image, whose SHA-256 the record has.

## Licence

{licence}
"""

SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
    (10_000_000_000, "1B<n<10B"),
    (100_000_000_000, "10B<n<100B"),
    (1_000_000_000_000, "100B<n<1T"),
)


def card(about: About, counts: Mapping[str, int], columns: Sequence[str]) -> str:
    """The card's text.

    Args:
        about: the run.
        counts: number of pairs by split, as made.
        columns: of the Parquet files.
    """
    rows = [f"| {split} | {count} | {about.samples.get(split, '')} |" for split, count in counts.items()]
    return TEMPLATE.format(
        front=yaml.safe_dump(front_matter(about, counts, columns), sort_keys=False, allow_unicode=True),
        name=about.name,
        total=sum(counts.values()),
        version=about.version,
        source=about.source,
        recipe=about.recipe,
        splits="\n".join(["| split | pairs | samples |", "|---|---|---|", *rows]),
        columns="\n".join(
            ["| column | type | what it is |", "|---|---|---|"]
            + [f"| `{name}` | {COLUMNS[name][0]} | {COLUMNS[name][1]} |" for name in columns]
        ),
        seed=about.seed,
        recipe_text=about.recipe_text if about.recipe_text.endswith("\n") else f"{about.recipe_text}\n",
        settings=json.dumps(_without_recipe(about.settings), indent=1, ensure_ascii=False),
        licence=about.licence or "The job does not say what the pairs may be used for.",
    )


def front_matter(about: About, counts: Mapping[str, int], columns: Sequence[str]) -> dict[str, Any]:
    """What the Hub reads: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md."""
    return {
        **licence_fields(about.licence),
        "pretty_name": about.name,
        "task_categories": ["image-to-image"],
        "tags": ["image-restoration", "facejobs"],
        "size_categories": [size_category(sum(counts.values()))],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*.parquet"} for split in counts],
            }
        ],
        "dataset_info": {"features": [{"name": name, "dtype": COLUMNS[name][0]} for name in columns]},
    }


def _without_recipe(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The job without the recipe's text, which stands in the card already."""
    degrade = settings.get("degrade")
    if not isinstance(degrade, Mapping):
        return dict(settings)
    return {**settings, "degrade": {name: value for name, value in degrade.items() if name != "recipe"}}


def size_category(count: int) -> str:
    """The Hub's word for a number of rows."""
    return next((word for limit, word in SIZES if count < limit), "n>1T")
