"""The schedules by the names that job files have for them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from operators.training.schedules.completion.entry import ENTRY as COMPLETION
from operators.training.schedules.contract import Entry
from operators.training.schedules.cyclegan.entry import ENTRY as CYCLEGAN
from operators.training.schedules.gfpgan.entry import ENTRY as GFPGAN
from operators.training.schedules.gpen.entry import ENTRY as GPEN
from operators.training.schedules.pix2pix.entry import ENTRY as PIX2PIX
from operators.training.schedules.srgan.entry import ENTRY as SRGAN
from operators.training.schedules.transform.entry import ENTRY as TRANSFORM

SCHEDULES: Mapping[str, Entry] = MappingProxyType(
    {
        "gpen": GPEN,
        "gfpgan": GFPGAN,
        "completion": COMPLETION,
        "srgan": SRGAN,
        "pix2pix": PIX2PIX,
        "cyclegan": CYCLEGAN,
        "transform": TRANSFORM,
    }
)
