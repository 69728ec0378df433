"""The lab Inside a pickle: a .pt file is a program; its opcodes are listed and never executed (tutorial 2.3)."""

from __future__ import annotations

import io
import os
import pickletools
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from playground.engine.frames import Figure
from playground.figures.tables import with_table
from playground.knobs import Config, knob, shorten
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.checkpoints.figures import predictions
from playground.lessons.checkpoints.ways import refusal, save_both, trained_net

MAX_ROWS = 60
FILES = {
    "whole": "net.pkl: whole model",
    "params": "net_params.pkl: numbers",
    "harm": "a file with a command",
}
SHOWN = {"calls": "imports and calls", "all": "all opcodes"}
IMPORTS = ("GLOBAL", "STACK_GLOBAL", "INST")
CALLS = ("REDUCE", "BUILD", "NEWOBJ", "NEWOBJ_EX", "OBJ", "BINPERSID")
MEMORY = ("BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "MEMOIZE")
MEANINGS = {
    "PROTO": "The version of the pickle language.",
    "GLOBAL": "Import this and put it on the stack.",
    "REDUCE": "Call the function on the stack with the arguments above it.",
    "NEWOBJ": "Make an object of the class on the stack.",
    "BUILD": "Give the object its attributes.",
    "BINPERSID": "Ask the reader for something outside the pickle: here, a tensor’s bytes.",
    "BINUNICODE": "Put this text on the stack.",
    "BININT": "Put this number on the stack.",
    "BININT1": "Put this number on the stack.",
    "BININT2": "Put this number on the stack.",
    "NEWTRUE": "Put True on the stack.",
    "NEWFALSE": "Put False on the stack.",
    "NONE": "Put None on the stack.",
    "EMPTY_DICT": "Put an empty dict on the stack.",
    "EMPTY_TUPLE": "Put an empty tuple on the stack.",
    "EMPTY_LIST": "Put an empty list on the stack.",
    "EMPTY_SET": "Put an empty set on the stack.",
    "MARK": "Mark this position on the stack.",
    "TUPLE": "Make a tuple of everything above the mark.",
    "TUPLE1": "Make a tuple of the topmost value.",
    "TUPLE2": "Make a tuple of the two topmost values.",
    "TUPLE3": "Make a tuple of the three topmost values.",
    "SETITEM": "Put one key and its value into the dict.",
    "SETITEMS": "Put all keys and values above the mark into the dict.",
    "BINPUT": "Store the topmost value in the memo, under this number.",
    "BINGET": "Put the value with this number in the memo on the stack.",
    "STOP": "The end: the value on the stack is the result.",
}
KINDS = ("Imports", "Calls", "Memo", "Data")
COLUMNS = ("Byte", "Opcode", "Argument", "What it does")
SAYS = "torch.load(file) reports"
LOADED = "Nothing: every import is on its list of safe ones, so the file was loaded."
MORE = "and {count:,} more"
COUNTED, TOOLTIP = "{kind}: {count}", "Byte {place}: {name} {argument}"
LOOKS = {  # of each kind: its colour and the sign in its cells
    "Imports": ("@negative", "↓"),
    "Calls": ("@train", "▸"),
    "Memo": ("@muted/0.35", ""),
    "Data": ("@model/0.35", ""),
}
TABLE = ("Byte", "Opcode", "Argument", "Kind")
NAMES = {"whole": "net.pkl", "params": "net_params.pkl", "harm": "file.pt"}
LINE, ERROR = 'torch.load("{file}")', "UnpicklingError: {message}"
MAX_ANSWER = 66  # letters; a table has the whole message
RESULTS = {"params": "OrderedDict({'0.weight': tensor([[…"}  # of the files that are loaded


@dataclass(frozen=True)
class PickleConfig(Config):
    """The file, and which of its opcodes are listed."""

    # fmt: off
    file: str = knob("whole", "File", group="File", live=True, bar=True, options=tuple(FILES), names=FILES)
    shown: str = knob("calls", "Show", group="File", live=True, bar=True, options=tuple(SHOWN), names=SHOWN)
    # fmt: on


class Command:
    """An object that an attacker might put into a file: unpickling it would run a shell command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("echo this could have been anything",)


def file_of(name: str) -> bytes:
    """The bytes of one of FILES. The command is only written into its file, never run."""
    whole, params = save_both(trained_net(10, 100, 1))
    if name == "harm":
        file = io.BytesIO()
        torch.save({"0.weight": torch.zeros(10, 1), "surprise": Command()}, file)
        return file.getvalue()
    return whole if name == "whole" else params


def opcodes(file: bytes) -> list[tuple[int, str, str]]:
    """The opcodes of a file's pickle: position, name, argument. pickletools lists them; nothing is executed."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        program = archive.read("archive/data.pkl")
    return [
        (place or 0, opcode.name, "" if argument is None else str(argument).replace(" ", "."))
        for opcode, argument, place in pickletools.genops(program)
    ]


def draw_pickle(config: PickleConfig) -> Sheet:
    """The sheet: the opcodes by kind, a table of them, and the message of torch.load."""
    file = file_of(config.file)
    found = opcodes(file)
    chosen = [each for each in found if config.shown == "all" or each[1] in IMPORTS + CALLS]
    rows = [
        (str(place), name, shorten(argument, 60), MEANINGS.get(name, "")) for place, name, argument in chosen[:MAX_ROWS]
    ]
    if len(chosen) > MAX_ROWS:
        rows.append(("…", "", "", MORE.format(count=len(chosen) - MAX_ROWS)))
    table = Table(COLUMNS, tuple(rows), code=COLUMNS[1:3])
    message = refusal(file)
    report = Table((SAYS,), ((message or LOADED,),), code=(SAYS,) if message else ())
    answer = shorten(ERROR.format(message=message), MAX_ANSWER) if message else RESULTS[config.file]
    return Sheet({"words": program_chart(found)}, tables=(report, table), line=LINE.format(file=NAMES[config.file]),
                 answer=answer)  # fmt: skip


def program_chart(found: list[tuple[int, str, str]]) -> Figure:
    """The chart of all opcodes in order, in the colours of what they do, with the number of each kind."""
    kinds = [kind_of(name) for _, name, _ in found]
    counts = Counter(kinds)
    legend = [(COUNTED.format(kind=kind, count=counts[kind]), *LOOKS[kind]) for kind in KINDS]
    words = [TOOLTIP.format(place=place, name=name, argument=shorten(text, 60)).strip() for place, name, text in found]
    figure = predictions.program(np.array([KINDS.index(kind) for kind in kinds]), words, legend)
    places, names, arguments = zip(*found, strict=True)
    return with_table(figure, dict(zip(TABLE, (places, names, arguments, kinds), strict=True)))


def kind_of(name: str) -> str:
    """One of KINDS: the bar that counts the opcode."""
    if name in IMPORTS:
        return KINDS[0]
    if name in CALLS:
        return KINDS[1]
    return KINDS[2] if name in MEMORY else KINDS[3]


LAB = Lab(
    name="checkpoints_pickle",
    title="Inside a pickle",
    sentence="A pickle is not a list of values: it is a small program that builds them. What would this file do?",
    config=PickleConfig,
    draw=draw_pickle,
    charts=(
        Chart("words", "The program", "Each opcode of the pickle in order, coloured by what it does: import, call, "
              "use the memo, or carry data."),
    ),
)  # fmt: skip
