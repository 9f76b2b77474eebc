"""What the commit of a training's checkpoint says besides its files."""

from __future__ import annotations

SOUND = "sound"
"""Whether nothing pointed to trouble then."""
SECONDS = "seconds"
"""Of work until then, pauses left out."""
GOODNESS = "goodness"
"""How good what it makes of held-out samples is, more being better; null where that was not measured then."""
MACHINE = "machine"
"""What it ran on."""
WATCHED = "watched"
"""Name of the term by which divergence is noticed; empty for none."""
