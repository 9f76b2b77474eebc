"""What to do about each reason for quarantine, in one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_RETRY = "then run `facejobs retry`"

ADVICE: Mapping[str, str] = MappingProxyType(
    {
        # The file.
        "empty_file": f"The file holds no bytes: copy it again from where it came, {_RETRY}.",
        "not_an_image": "The content is no picture, whatever its name says: remove or exclude it.",
        "truncated": f"The end of the file is missing: copy it again from the original or a backup, {_RETRY}.",
        "corrupt": f"The picture's data is damaged: replace the file from the original or a backup, {_RETRY}.",
        "unsupported_format": f"Convert the file to TIFF, PNG or JPEG with a tool that you trust, {_RETRY}.",
        "unsupported_colour": f"Convert the picture to grey, RGB or CMYK with 8 or 16 bits, {_RETRY}.",
        "multi_page": f"Split the file into one file a page, {_RETRY}.",
        "too_many_frames": f"Split the file into one file a picture, {_RETRY}.",
        "too_large": f"If you trust the file and have the memory, raise the limit under `source.limits`, {_RETRY}.",
        "too_small": "The picture has too few pixels to hold a face that could be restored: exclude it.",
        # Storage.
        "missing": f"The object was planned but is gone: put it back, {_RETRY}.",
        "unreadable": f"Storage holds the object but cannot read it: check permissions and the disk, {_RETRY}.",
        "permission_denied": f"This user may not read the object: grant it, {_RETRY}.",
        "archived": f"The object lies in a cold storage class: ask the store to bring it back, {_RETRY}.",
        "source_changed": "The object changed after the run was planned: `--replan` the run, or `retry` it.",
        "truncated_read": f"Storage gave fewer bytes than it announced: check the storage, {_RETRY}.",
        "dangling_link": f"A symbolic link leads nowhere: restore what it points to, {_RETRY}.",
        "link_outside": "The link leads out of the source: put the file itself there, or set `source.links: anywhere`.",
        "not_a_file": "A pipe, a socket or a device has a picture's place: put the picture there, or exclude it.",
        # Shards and catalogues: what was planned from them stands, so a corrected one needs a new run.
        "broken_shard": "The shard cannot be read to its end: write or copy it again, then `--replan` the run.",
        "truncated_member": "The shard ends inside this member: write or copy it again, then `--replan` the run.",
        "bad_member": "The member's header makes no sense: write the shard again, then `--replan` the run.",
        "link_member": "The tar holds a link in place of bytes: store the picture itself, then `--replan` the run.",
        "sparse_member": "The tar stores this member with holes: write it without `--sparse`, then `--replan` the run.",
        "null_image": "The row holds no picture: fill it in or remove it, then `--replan` the run.",
        "bad_row": "The catalogue's row cannot be read: correct it, then `--replan` the run.",
        "bad_uri": "The catalogue's URI cannot be used: write a full one, then `--replan` the run.",
        "scheme_not_allowed": "A catalogue names storage that the job does not: if it is meant, set `source.schemes`.",
        "no_uri": "The catalogue names no file in this row: fill it in or remove the row, then `--replan` the run.",
        "no_key": "The catalogue gives this row no key: fill it in, then `--replan` the run.",
        # Names.
        "bad_key": "The record's name cannot be a safe file name: rename it, then `--replan` the run.",
        "bad_name": "The output's name would not be safe: rename the record, or change `output.name`.",
        "duplicate_name": "Another record has the same output name: rename one, or change `output.name`.",
        # Processing.
        "gate_failed": "A face did not pass the gate, and the job sends such pictures here: see `score.gate`.",
        "face_left": f"A face could still be recognised, so nothing was written: try another method, {_RETRY}.",
        "bad_attribute": "An attribute in the catalogue must be from 0 to 1: correct it, then `--replan` the run.",
        "bad_mask": f"The mask must be a PNG of the picture's size, as that is shown: make it anew, {_RETRY}.",
        "unsupported_target": "The output format cannot hold this picture: set `output.format` to tiff or same.",
        "size_mismatch": "The format needs pairs of one size: end the recipe with `resize` and `of: original`.",
        "too_many_tiles": "The image would give more tiles than can be kept track of: choose a larger `samples.step`.",
        "worker_crashed": f"A library crashed at this picture: check the file with another program, {_RETRY}.",
        "timed_out": f"The picture took too long: where it is sound, raise the limit that the message names, {_RETRY}.",
        "out_of_memory": f"The picture needs more memory than a worker has: give workers more of it, {_RETRY}.",
        **dict.fromkeys(
            (
                "bad_crop",
                "bad_landmarks",
                "bad_restoration",
                "bad_view",
                "no_output",
                "not_finite",
                "outside_image",
                "processing_error",
            ),
            "facejobs failed on this record in a way that it should not: please report the message.",
        ),
    }
)

UNKNOWN = f"Read the messages below, which say what was expected, and correct the files, {_RETRY}."


def advise(code: str) -> str:
    """What to do about a code.

    Args:
        code: of a quarantine row.

    Returns:
        A sentence; a general one for a code that the table does not know.
    """
    return ADVICE.get(code, UNKNOWN)
