"""What an image let go of to travel or to save memory, had again from the source."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from jobs.restore.placing import cut_from
from jobs.restore.work import ImageWork
from operators.images.decode import decode
from operators.images.limits import Limits
from operators.images.raster import Raster
from pipeline.errors import RecordError
from pipeline.records import Record
from pipeline.stage import UnitContext


def source_bytes(record: Record, work: ImageWork, context: UnitContext) -> bytes:
    """The file's bytes, read again if they were let go.

    Raises:
        RecordError: `source_changed`; they are not those that were examined.
    """
    if work.data is None:
        data = context.read(record)
        if hashlib.sha256(data).hexdigest() != work.sha256:
            raise RecordError("source_changed", "the file changed while it was being processed; run the job again")
        work.data = data
    return work.data


def raster_of(record: Record, work: ImageWork, context: UnitContext, limits: Limits) -> Raster:
    """The decoded image, decoded again if it was let go."""
    if work.raster is None:
        work.raster = decode(source_bytes(record, work, context), limits)
    return work.raster


def recall_crops(record: Record, work: ImageWork, context: UnitContext, limits: Limits) -> None:
    """Cut the crops again whose pixels were let go: the same affine on the same image gives the same pixels."""
    for face in work.faces:
        if face.crop is not None and face.crop.pixels.size == 0:
            picture = work.found_in or raster_of(record, work, context, limits)
            again = cut_from(picture, face.crop.affine, face.crop.size, work.to_found_in)
            face.crop = replace(face.crop, pixels=again.pixels)
