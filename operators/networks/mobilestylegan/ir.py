"""OpenVINO's intermediate representation read as data: the layers of its XML, and the constants in the file beside it.

The format is described in OpenVINO's documentation, "Intermediate Representation and Operation Sets". Nothing is
executed, and no OpenVINO is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

_TYPES: Mapping[str, type[np.generic]] = {"f32": np.float32, "i32": np.int32, "i64": np.int64}


class IrError(ValueError):
    """The files are no such representation, or not the one that is meant; the message says what was found."""


@dataclass(frozen=True)
class Layer:
    """One operation.

    Attributes:
        number: its id.
        kind: such as `Convolution` or `Const`.
        name: of its first output, as the framework it came from called it, else its own.
        data: its attributes.
    """

    number: str
    kind: str
    name: str
    data: Mapping[str, str]


class Graph:
    """The operations of a representation and how they are joined.

    Args:
        xml: text of the XML file.
        constants: bytes of the file beside it.
        place: the XML file's name, for messages.

    Raises:
        IrError: the XML is none, or lacks what each representation has.
    """

    def __init__(self, xml: str, constants: bytes, place: str) -> None:
        self.place = place
        self._constants = constants
        try:
            # Whoever reads a representation has compared the file's hash before.
            root = ElementTree.fromstring(xml)  # noqa: S314
            layers = [_layer(element) for element in root.iterfind("layers/layer")]
            edges = [
                (edge.attrib["to-layer"], int(edge.attrib["to-port"]), edge.attrib["from-layer"])
                for edge in root.iterfind("edges/edge")
            ]
        except (ElementTree.ParseError, KeyError, ValueError) as error:
            raise IrError(f"{place}: no OpenVINO representation ({type(error).__name__}: {error})") from None
        self.layers = {layer.number: layer for layer in layers}
        self._inputs: dict[str, list[str]] = {number: [] for number in self.layers}
        self._users: dict[str, list[str]] = {number: [] for number in self.layers}
        for to, _, source in sorted(edges, key=lambda edge: edge[:2]):
            if to not in self.layers or source not in self.layers:
                raise IrError(f"{place}: an edge joins layers {source} and {to}, which are not both there")
            self._inputs[to].append(source)
            self._users[source].append(to)

    def of_kind(self, kind: str) -> Iterator[Layer]:
        """Layers of a kind, in the file's order."""
        return (layer for layer in self.layers.values() if layer.kind == kind)

    def inputs(self, layer: Layer) -> list[Layer]:
        """What a layer takes, by port."""
        return [self.layers[number] for number in self._inputs[layer.number]]

    def user(self, layer: Layer, kind: str) -> Layer:
        """The one layer of a kind that takes what a layer makes.

        Raises:
            IrError: there is none, or there are several.
        """
        found = [self.layers[number] for number in self._users[layer.number] if self.layers[number].kind == kind]
        if len(found) != 1:
            raise IrError(f"{self.place}: {layer.name} ({layer.kind}) goes into {len(found)} {kind}, expected one")
        return found[0]

    def constant(self, layer: Layer) -> NDArray[np.generic]:
        """The value of a `Const`.

        Raises:
            IrError: it is none, of another type than float32 and integers, or outside the file.
        """
        if layer.kind != "Const":
            raise IrError(f"{self.place}: {layer.name} is a {layer.kind}, expected a Const")
        kind = _TYPES.get(layer.data.get("element_type", ""))
        if kind is None:
            raise IrError(f"{self.place}: {layer.name} holds {layer.data.get('element_type')}, expected {list(_TYPES)}")
        shape = [int(side) for side in layer.data.get("shape", "").split(",") if side.strip()]
        start, size = int(layer.data["offset"]), int(layer.data["size"])
        count = math.prod(shape)
        if size != count * np.dtype(kind).itemsize or not 0 <= start <= start + size <= len(self._constants):
            raise IrError(
                f"{self.place}: {layer.name} of shape {shape} claims bytes {start} to {start + size} of "
                f"{len(self._constants)}"
            )
        return np.frombuffer(self._constants, kind, count, start).reshape(shape)


def read_graph(xml: Path, constants: Path) -> Graph:
    """Read a representation.

    Args:
        xml: its XML file, whose hash was compared with a known one.
        constants: the `.bin` file beside it.

    Raises:
        IrError: they are none.
        OSError: a file cannot be read.
    """
    return Graph(xml.read_text(encoding="utf-8"), constants.read_bytes(), xml.name)


def _layer(element: ElementTree.Element) -> Layer:
    data = element.find("data")
    port = element.find("output/port")
    names = "" if port is None else port.attrib.get("names", "")
    name = names or element.attrib["name"]
    return Layer(element.attrib["id"], element.attrib["type"], name, {} if data is None else dict(data.attrib))
