"""A stack machine that follows a pickle's opcodes with plain values (they are those of Python's pickletools.py).

Where unpickling would import something, a `Name` is put; where it would call something, one of the few functions in
`CALLS` is used if it is what `torch.save` writes, and a mark of refusal if not. Nothing else is ever called, and no
step costs more than the stream is long: what could be copied again and again is counted.
"""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from operators.checkpoints.errors import RefusedError, printable
from operators.checkpoints.limits import PICKLE_STEPS
from operators.checkpoints.values import STORAGES, Name, storage_of, tensor_of

SHOWN = 5
_PLAIN = frozenset(
    {"NONE", "NEWTRUE", "NEWFALSE"}
    | {"BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT"}
    | {"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING", "STRING"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
_CONSTANTS: Mapping[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class _Mark:
    """The stack's mark object."""


MARK = _Mark()


@dataclass
class Opaque:
    """What a refused call would have returned."""

    name: Name


@dataclass
class Pickle:
    """A pickle stream that was read.

    Attributes:
        value: what it holds: dicts, lists, tuples, numbers, texts, `TensorRef`, `StorageRef`, `Name`.
        end: where the next byte after it is.
        refused: what it would import beyond tensors, in order.
        calls: the calls among that, as text.
    """

    value: Any = None
    end: int = 0
    refused: list[Name] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Refuse the stream if it would import anything but what holds tensors.

        Raises:
            RefusedError: as said; the reason names what, and the calls with their arguments.
        """
        if not self.refused:
            return
        names = list(dict.fromkeys(self.refused))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        calls = f" and call {'; '.join(self.calls[:SHOWN])}" if self.calls else ""
        raise RefusedError(
            "hostile",
            f"loading this file would import {', '.join(map(str, names[:SHOWN]))}{more}{calls}. Nothing of it was "
            "executed. A checkpoint of weights needs nothing but tensors: do not load the file elsewhere either unless "
            "you know who made it, and ask them for its state dict or for .safetensors",
        )


class Machine:
    """The stack machine; one method an opcode that is more than a line."""

    def __init__(self) -> None:
        self.read = Pickle()
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.copied = 0
        self.protocol = 0
        self.steps: Mapping[str, Callable[[Any], None]] = {
            "PROTO": self._protocol,
            "FRAME": self._nothing,
            "MARK": lambda _: self.stack.append(MARK),
            "STOP": self._stop,
            "POP": lambda _: self._drop(),
            "POP_MARK": lambda _: self._discard(self._marked()),
            "DUP": lambda _: self.stack.append(self.stack[-1]),
            "EMPTY_LIST": lambda _: self.stack.append([]),
            "EMPTY_SET": lambda _: self.stack.append([]),
            "EMPTY_DICT": lambda _: self.stack.append({}),
            "EMPTY_TUPLE": lambda _: self.stack.append(()),
            "LIST": lambda _: self.stack.append(self._marked()),
            "FROZENSET": lambda _: self.stack.append(self._marked()),
            "TUPLE": lambda _: self.stack.append(tuple(self._marked())),
            "TUPLE1": lambda _: self._tuple(1),
            "TUPLE2": lambda _: self._tuple(2),
            "TUPLE3": lambda _: self._tuple(3),
            "DICT": lambda _: self.stack.append(_paired(self._marked())),
            "APPEND": lambda _: self._extend([self.stack.pop()]),
            "APPENDS": lambda _: self._extend(self._marked()),
            "ADDITEMS": lambda _: self._extend(self._marked()),
            "SETITEM": lambda _: self._update([self.stack.pop(-2), self.stack.pop()]),
            "SETITEMS": lambda _: self._update(self._marked()),
            "MEMOIZE": lambda _: self._keep(len(self.memo)),
            "PUT": self._keep,
            "BINPUT": self._keep,
            "LONG_BINPUT": self._keep,
            "GET": lambda index: self.stack.append(self.memo[int(index)]),
            "BINGET": lambda index: self.stack.append(self.memo[index]),
            "LONG_BINGET": lambda index: self.stack.append(self.memo[index]),
            "GLOBAL": lambda text: self._name(*text.split(" ", 1)),
            "STACK_GLOBAL": lambda _: self._name(self.stack.pop(-2), self.stack.pop()),
            "INST": self._instance,
            "OBJ": lambda _: self._object(),
            "REDUCE": lambda _: self._call(self.stack.pop(-2), self.stack.pop()),
            "NEWOBJ": lambda _: self._call(self.stack.pop(-2), self.stack.pop()),
            "NEWOBJ_EX": lambda _: self._call_with_names(),
            "BUILD": lambda _: self._drop(),
            "BINPERSID": lambda _: self.stack.append(self._made(storage_of, self.stack.pop())),
        }

    def follow(self, opcode: str, argument: Any) -> None:
        """One step."""
        if opcode in _PLAIN:
            self.stack.append(_CONSTANTS.get(opcode, argument))
        elif opcode in self.steps:
            self.steps[opcode](argument)
        else:
            raise RefusedError("unsupported", f"the pickle uses the opcode {opcode}, which torch.save never writes")

    def _nothing(self, _argument: Any) -> None:
        """Framing says nothing about values."""

    def _protocol(self, number: int) -> None:
        self.protocol = number

    def _drop(self) -> None:
        self.stack.pop()

    def _discard(self, _values: list[Any]) -> None:
        """What stood above the mark is gone."""

    def _stop(self, _argument: Any) -> None:
        self.read.value = self.stack.pop()

    def _marked(self) -> list[Any]:
        """All above the topmost mark, which goes too."""
        values: list[Any] = []
        while (value := self.stack.pop()) is not MARK:
            values.append(value)
        values.reverse()
        return values

    def _tuple(self, count: int) -> None:
        values = tuple(self.stack[-count:])
        if len(values) < count:
            raise IndexError("stack underflow")
        self.stack[-count:] = [values]

    def _keep(self, index: Any) -> None:
        if int(index) >= 1 << 32:
            raise ValueError("a memo index that is no index")
        self.memo[int(index)] = self.stack[-1]

    def _extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(values)
        elif not isinstance(target, Opaque):
            raise TypeError("items for what is no list")

    def _update(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, dict):
            target.update(_paired(values))
        elif not isinstance(target, Opaque):
            raise TypeError("keys for what is no mapping")

    def _name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a name that is no text")
        found = Name(module, name)
        if not _allowed(found):
            found = _renamed(found) if self.protocol < 3 else found
            self.read.refused.append(found)
        self.stack.append(found)

    def _instance(self, text: str) -> None:
        arguments = tuple(self._marked())
        self._name(*text.split(" ", 1))
        self._call(self.stack.pop(), arguments)

    def _object(self) -> None:
        kind, *arguments = self._marked()
        self._call(kind, tuple(arguments))

    def _call_with_names(self) -> None:
        named = self.stack.pop()
        arguments = self.stack.pop()
        self._call(self.stack.pop(), arguments if not named else (*arguments, named))

    def _made(self, make: Callable[[Any], Any], given: Any) -> Any:
        """What a call of our own gives; in a stream that is refused anyway, going on finds what else it wants."""
        try:
            return make(given)
        except RefusedError:
            if not self.read.refused:
                raise
            return Opaque(self.read.refused[0])

    def _call(self, function: Any, arguments: Any) -> None:
        if isinstance(function, Name) and function in CALLS:
            if not isinstance(arguments, tuple):
                raise TypeError("arguments that are no tuple")
            self.copied += sum(len(item) for item in arguments if isinstance(item, list | tuple | dict))
            if self.copied > PICKLE_STEPS:
                raise RefusedError("too_large", "the pickle copies its containers again and again")
            self.stack.append(self._made(CALLS[function], arguments))
        elif isinstance(function, Name | Opaque):
            name = function if isinstance(function, Name) else function.name
            if _allowed(name):
                raise RefusedError("malformed", f"the pickle calls {name}, which torch.save never does")
            if len(self.read.calls) < SHOWN:
                self.read.calls.append(_shown(name, arguments))
            self.stack.append(Opaque(name))
        else:
            raise TypeError("a call of what is no function")


def _ordered(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """`collections.OrderedDict()`, or of a list of pairs."""
    if not arguments:
        return {}
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in arguments[0]):
        raise ValueError("an ordered dict of what are no pairs")
    return _paired([item for pair in arguments[0] for item in pair])


def _parameter(arguments: tuple[Any, ...]) -> Any:
    """`torch._utils._rebuild_parameter(tensor, requires_grad, hooks)`: its tensor."""
    return arguments[0]


CALLS: Mapping[Name, Callable[[tuple[Any, ...]], Any]] = {
    Name("collections", "OrderedDict"): _ordered,
    Name("torch._utils", "_rebuild_tensor"): tensor_of,
    Name("torch._utils", "_rebuild_tensor_v2"): tensor_of,
    Name("torch._utils", "_rebuild_parameter"): _parameter,
    Name("torch", "Size"): lambda arguments: tuple(arguments[0]),
}
"""The calls that weights need, and what stands in for them here."""


def _renamed(name: Name) -> Name:
    """What Python 3 would import for a name of Python 2, which streams up to protocol 2 hold."""
    module, function = NAME_MAPPING.get((name.module, name.name), (name.module, name.name))
    return Name(IMPORT_MAPPING.get(module, module), function)


def _allowed(name: Name) -> bool:
    return name in CALLS or (name.module == "torch" and name.name in STORAGES)


def _paired(values: list[Any]) -> dict[Any, Any]:
    """Keys and values by turns as a dict. Keys are texts and small whole numbers: others could be made to collide."""
    if len(values) % 2:
        raise ValueError("a key without a value")
    for key in values[::2]:
        if not isinstance(key, str | None) and not (isinstance(key, int) and abs(key) < 1 << 60):
            raise TypeError("a key that is neither text nor a number")
    return dict(zip(values[::2], values[1::2], strict=True))


def _short(value: Any) -> str:
    if isinstance(value, str | bytes):
        return repr(value[:60])
    plain = isinstance(value, float | None) or (isinstance(value, int) and abs(value) < 1 << 60)
    return str(value) if plain else f"<{type(value).__name__}>"


def _shown(name: Name, arguments: Any) -> str:
    """A call as text: plain arguments as they are, others by kind."""
    parts = arguments if isinstance(arguments, tuple) else (arguments,)
    words = [_short(part) for part in parts[:3]]
    return f"{name}({printable(', '.join(words))}{', ...' if len(parts) > 3 else ''})"
