"""What stands under the tables: how the numbers came about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.report.text import count


def foot(result: Mapping[str, Any]) -> list[str]:
    """Sentences for readers.

    Args:
        result: from `jobs.evaluate.account.account`.
    """
    bootstrap = result["settings"]["bootstrap"]
    lines = [
        f"Intervals: percentile bootstrap over pictures, {count(bootstrap['rounds'])} samples, seed "
        f"{result['settings']['seed']}; the same samples for all methods. A measure's mean is over the n pictures on "
        "which every method has it that has it at all."
    ]
    lines += [f"{one['label']}: {one['summary']}" for one in result["measures"]]
    sets = result["sets"]
    if sets is not None:
        about = result["networks"]["sets"]
        lines += [f"{name.upper()}: {text}" for name, text in sets["summaries"].items()]
        kid = next((one["kid"] for one in sets["methods"].values() if one["kid"]), None)
        if kid:
            lines.append(
                f"KID: {kid['subsets']} random subsets of {count(kid['size'])} pictures; the interval is that of the "
                "subsets."
            )
        lines.append(
            f"Features of sets: {about['name']}, layer {about['layer']}, mean over the picture, which is brought to a "
            "square of one size. Published FID and KID are of Inception and cannot be compared with these."
        )
    used = {f"{about['name']} {about['sha256'][:12]}" for about in result["networks"].values()}
    if used:
        lines.append(f"Networks, with the beginning of their files' SHA-256: {', '.join(sorted(used))}.")
    return lines + list(result["notes"])
