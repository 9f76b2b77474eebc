"""The generators and the networks beside them, in the layouts in which their authors published the weights.

`from_state_dict` recognises and loads a checkpoint, `inference_form` makes what an engine executes.
"""

from __future__ import annotations

from operators.networks.errors import UnknownArchitectureError
from operators.networks.forms import FORMULATION, inference_form, published_form
from operators.networks.load import from_state_dict
from operators.networks.recognition import Recognised, build, recognise

__all__ = [
    "FORMULATION",
    "Recognised",
    "UnknownArchitectureError",
    "build",
    "from_state_dict",
    "inference_form",
    "published_form",
    "recognise",
]
