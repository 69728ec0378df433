"""The lab Inside a pickle: a .pt is a program; its words are listed and never executed (tutorial 2.3)."""

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

from playground.figures import functions
from playground.knobs import Config, knob, shorten
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.checkpoints.ways import refusal, save_both, trained_net

MOST_ROWS = 60
FILES = {"whole": "net.pkl, the whole net", "params": "net_params.pkl, its state_dict", "harm": "a file with a command"}
SHOWN = {"calls": "what imports or calls", "all": "every word"}
IMPORTS = ("GLOBAL", "STACK_GLOBAL", "INST")
CALLS = ("REDUCE", "BUILD", "NEWOBJ", "NEWOBJ_EX", "OBJ", "BINPERSID")
MEMORY = ("BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "MEMOIZE")
MEANINGS = {
    "PROTO": "The version of the pickle language.",
    "GLOBAL": "Import this and put it on the stack.",
    "REDUCE": "Call the function on the stack with the arguments above it.",
    "NEWOBJ": "Make an object of the class on the stack.",
    "BUILD": "Give the object its attributes.",
    "BINPERSID": "Ask the reader for something outside the pickle: here, a tensor's bytes.",
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
    "MARK": "Remember this place of the stack.",
    "TUPLE": "Make a tuple of all since the mark.",
    "TUPLE1": "Make a tuple of the topmost value.",
    "TUPLE2": "Make a tuple of the two topmost values.",
    "TUPLE3": "Make a tuple of the three topmost values.",
    "SETITEM": "Put one key and its value into the dict.",
    "SETITEMS": "Put all keys and values since the mark into the dict.",
    "BINPUT": "Keep the topmost value in this numbered slot.",
    "BINGET": "Put what is in this numbered slot on the stack.",
    "STOP": "The end: what is on the stack is the result.",
}


@dataclass(frozen=True)
class PickleConfig(Config):
    """Which file is looked into, and how closely."""

    # fmt: off
    file: str = knob("whole", "File", group="File", live=True, options=tuple(FILES), names=FILES)
    shown: str = knob("calls", "Show", group="File", live=True, options=tuple(SHOWN), names=SHOWN)
    # fmt: on


class Command:
    """What somebody might put into a file: loading it by plain pickle would run a shell command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("echo this could have been anything",)


def file_of(name: str) -> bytes:
    """The bytes of one of FILES. The command is written into its file and never run."""
    whole, params = save_both(trained_net(10, 100, 1))
    if name == "harm":
        file = io.BytesIO()
        torch.save({"0.weight": torch.zeros(10, 1), "surprise": Command()}, file)
        return file.getvalue()
    return whole if name == "whole" else params


def words_of(file: bytes) -> list[tuple[int, str, str]]:
    """The words of a file's pickle: place, name, argument. pickletools reads them; nothing is executed."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        program = archive.read("archive/data.pkl")
    return [
        (place or 0, word.name, "" if argument is None else str(argument).replace(" ", "."))
        for word, argument, place in pickletools.genops(program)
    ]


def draw_pickle(config: PickleConfig) -> Sheet:
    """How many words of each kind, the words themselves, and what torch.load says of the file."""
    file = file_of(config.file)
    words = words_of(file)
    chosen = [word for word in words if config.shown == "all" or word[1] in IMPORTS + CALLS]
    rows = [
        (str(place), name, shorten(argument, 60), MEANINGS.get(name, ""))
        for place, name, argument in chosen[:MOST_ROWS]
    ]
    if len(chosen) > MOST_ROWS:
        rows.append(("…", "", "", f"and {len(chosen) - MOST_ROWS:,} more"))
    table = Table(("Byte", "Word", "Argument", "What it does"), tuple(rows), code=("Word", "Argument"))
    message = refusal(file)
    says = "torch.load(file) says"
    told = Table((says,), ((message or "Nothing: every import in it is on its list, so it has loaded.",),),
                 code=(says,) if message else ())  # fmt: skip
    return Sheet({"words": kinds_chart(words)}, tables=(told, table))


def kinds_chart(words: list[tuple[int, str, str]]) -> dict[str, Any]:
    """How many words import, call, keep or are data."""
    kinds = Counter(kind_of(name) for _, name, _ in words)
    names = ("Imports", "Calls", "Slots", "Data")
    values = np.array([kinds[name] for name in names], np.float32)
    figure = functions.bars(names, values, span=(0, 1.2 * float(values.max())), title="Words", colour="@train")
    figure["data"][0] |= {"text": [f"{kinds[name]}" for name in names], "hovertemplate": "%{x}: %{y}<extra></extra>"}
    figure["layout"]["xaxis"]["title"] = {"text": "What the words do", "standoff": 6}
    return figure


def kind_of(name: str) -> str:
    """Which bar a word belongs to."""
    if name in IMPORTS:
        return "Imports"
    if name in CALLS:
        return "Calls"
    return "Slots" if name in MEMORY else "Data"


LAB = Lab(
    name="checkpoints_pickle",
    title="Inside a pickle",
    sentence="A pickle is no list of values: it is a small program that builds them. What would loading this file do?",
    config=PickleConfig,
    draw=draw_pickle,
    charts=(
        Chart("words", "The program's words", "How many words import, call, keep a value or are data.", height="low"),
    ),
    presets={"The whole net": {}, "A state_dict": {"file": "params"}, "A command": {"file": "harm"}},
)
