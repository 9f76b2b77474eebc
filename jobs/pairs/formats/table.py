"""The formats by the names that job files have for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from jobs.pairs.formats.aligned import AlignedFormat
from jobs.pairs.formats.contract import PairFormat
from jobs.pairs.formats.folders import FoldersFormat
from jobs.pairs.formats.lmdb import LmdbFormat
from jobs.pairs.formats.parquet import ParquetFormat
from jobs.pairs.formats.unpaired import UnpairedFormat
from jobs.pairs.formats.webdataset import WebDatasetFormat

FORMATS: Mapping[str, Callable[[bool], PairFormat]] = MappingProxyType(
    {
        "webdataset": WebDatasetFormat,
        "folders": FoldersFormat,
        "lmdb": LmdbFormat,
        "parquet": ParquetFormat,
        "aligned": lambda masks: AlignedFormat(),
        "unpaired": lambda masks: UnpairedFormat(),
    }
)


def make_format(name: str, *, masks: bool) -> PairFormat:
    """A format.

    Args:
        name: as in `output.format`.
        masks: whether pairs have masks that are to be written; `aligned` and `unpaired` have no place for them.

    Raises:
        KeyError: there is no format of this name; the job file's model has the list.
    """
    return FORMATS[name](masks)
