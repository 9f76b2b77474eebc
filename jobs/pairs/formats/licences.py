"""Licences by the names that the Hugging Face Hub has for them."""

from __future__ import annotations

import re

_NAMES = """
    afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc
    cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0
    cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1
    eupl-1.2 gfdl gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 mit mpl-2.0 ms-pl ncsa odbl odc-by
    ofl-1.1 osl-3.0 pddl postgresql unlicense wtfpl zlib
"""
HUB = frozenset(_NAMES.split())
"""https://huggingface.co/docs/hub/repositories-licenses, the ones that data can have."""

OTHERWISE = {"odbl-1.0": "odbl", "odc-by-1.0": "odc-by", "pddl-1.0": "pddl", "c-uda-1.0": "c-uda"}
"""SPDX identifiers that the Hub has under another name."""


def licence_fields(licence: str | None) -> dict[str, str]:
    """`license` of a dataset card, and `license_name` for one that the Hub does not know.

    Args:
        licence: an SPDX identifier or words; None where nothing is said.
    """
    if licence is None:
        return {"license": "unknown"}
    identifier = licence.strip().lower()
    for suffix in ("-only", "-or-later"):
        identifier = identifier.removesuffix(suffix)
    identifier = OTHERWISE.get(identifier, identifier)
    if identifier in HUB:
        return {"license": identifier}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.]+", "-", licence.lower()).strip("-.") or "other"}
