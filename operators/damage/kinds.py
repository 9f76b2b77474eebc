"""The kinds of damage, and which degradations of recipes are of which kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

Kind = Literal["scratch", "tear", "corner", "stamp", "crack", "dust"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order of the network's planes.

- `scratch`: thin lines where the layer was scraped, light or dark, of print or film.
- `tear`: the paper's core along a tear, and its shadow.
- `corner`: what lies under the print where a corner is gone, and the torn edge.
- `stamp`: ink of a stamp; its strokes, not the area between them.
- `crack`: a net of cracks in the emulsion, and the broken line of a fold.
- `dust`: specks and fibres.
"""

KIND_OF: Mapping[str, Kind] = MappingProxyType(
    {
        "scratches": "scratch",
        "tear": "tear",
        "missing-corner": "corner",
        "stamp": "stamp",
        "cracks": "crack",
        "fold": "crack",
        "dust": "dust",
    }
)
"""Kind of what a degradation draws, by the degradation's name (`operators.degradations.table`; `stamp` is
`operators.damage.stamps`). Foxing, stains, mirroring and retouching are changes of tone and of no kind here."""
