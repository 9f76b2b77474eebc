"""Which mirrored outputs are certainly what an attempt of a run left of a record, and not somebody's file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from jobs.identity import digest
from jobs.restore.identity import settings_of
from operators.images.encode import target_extension
from pipeline.errors import RecordError
from pipeline.names import DEFAULT_TEMPLATE, output_name
from pipeline.run import RunHeader
from pipeline.storage import Folder
from pipeline.verify import sha256_at

SUFFIX = ".json"


@dataclass(frozen=True)
class Leftovers:
    """Recognises outputs of a run by the record beside each image.

    Attributes:
        settings_sha256: as the run's records have it.
        template: of output names.
        format: of derivatives.
    """

    settings_sha256: str
    template: str
    format: str

    @staticmethod
    def of(header: RunHeader) -> Leftovers:
        """For a run, from what it was planned with; no job file and no model is needed."""
        output = header.identity["job"]["output"]
        template = output.get("name") or DEFAULT_TEMPLATE
        return Leftovers(digest(settings_of(dict(header.identity))), template, output["format"])

    def names(self, key: str) -> tuple[str, ...]:
        """The image and the record of it."""
        try:
            name = output_name(key, self.template, target_extension(key, self.format))
        except RecordError:
            return ()
        return name, f"{name}{SUFFIX}"

    def own(self, folder: Folder, name: str) -> bool:
        """Whether this run's record lies there or beside it, and an image has the very bytes that the record names.

        A record is put before its image, so whatever an attempt left has one.
        """
        beside = name if name.endswith(SUFFIX) else f"{name}{SUFFIX}"
        try:
            record: Any = json.loads(folder.read(beside))
            ours = record["settings_sha256"] == self.settings_sha256 and beside in self.names(record["key"])
            return ours and (name == beside or sha256_at(folder, name) == record["output"]["sha256"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return False
