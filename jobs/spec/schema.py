"""JSON Schema of the job file, for editors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from jobs.spec.job import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema (draft 2020-12): each key with its description, type, range and default; no other keys.

    It is one of several, by the constant at `job`.
    """
    job: TypeAdapter[Spec] = TypeAdapter(Annotated[Spec, Field(discriminator="job")])
    body = job.json_schema(schema_generator=_Generator)
    return {"$schema": DIALECT, "title": "facejobs job file", **body}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with keys called what the file calls them."""

    schema_dialect = DIALECT

    def get_title_from_name(self, name: str) -> str:
        """The name as written in the file."""
        return name
