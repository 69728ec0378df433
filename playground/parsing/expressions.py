"""Formulas that a visitor types: read by an allow-list of the syntax tree, then computed with torch, never run as code.

`parse("mean(v * v)", ["v"]).evaluate({"v": tensor})` is what torch gives for the same line of Python, or a sentence.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.parsing.expression_parts import FUNCTIONS, NEEDS_DIM, ExpressionError, Part, compute

__all__ = ["LARGEST_NUMBER", "LONGEST", "Expression", "ExpressionError", "parse"]

LONGEST = 300  # characters
MOST_NODES = 120  # numbers, names, operators and calls together
MOST_DEPTH = 60  # of what stands inside what
LARGEST_NUMBER = 1e6
MOST_ELEMENTS = 100_000  # of any value on the way, unless the caller says otherwise

CONSTANTS = {"pi": math.pi, "e": math.e}
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@",
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "-", ast.UAdd: "+"}
_WORDS: dict[type[ast.AST], str] = {
    ast.Attribute: "dot followed by a name", ast.Subscript: "square brackets", ast.Lambda: "lambda",
    ast.Call: "call of this",
    ast.ListComp: "comprehension", ast.SetComp: "comprehension", ast.DictComp: "comprehension",
    ast.GeneratorExp: "comprehension", ast.Compare: "comparison", ast.BoolOp: "“and” or “or”", ast.IfExp: "“if”",
    ast.List: "list", ast.Tuple: "comma between values", ast.Dict: "dictionary", ast.Set: "set",
    ast.NamedExpr: "assignment", ast.Starred: "star before a value",
}  # fmt: skip
_GLUED = re.compile(r"(?<![A-Za-z0-9_.])\d[\d.]*(?![eE][-+]?\d)[A-Za-z_]")  # 2x
_REFUSED = {
    "^": "Powers are written **, as in x**2.",
    "'": "There is no text in quotes here.",
    '"': "There is no text in quotes here.",
    "\\": "A backslash has no meaning here.",
    ";": "One formula is all there can be.",
    "#": "There are no comments here.",
    "!": "An exclamation mark has no meaning here.",
}


@dataclass(frozen=True)
class Expression:
    """A formula that has been read: `names` are the inputs it uses, in order of appearance."""

    text: str
    root: Part

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs it uses."""
        return tuple(dict.fromkeys(part.name for part in self.root.walk() if part.kind == "name"))

    def refuse_mixing(self) -> None:
        """Raise ExpressionError where a part takes several numbers together, so that f of a grid is not f of each."""
        for part in self.root.walk():
            if part.kind == "@" or (part.kind == "call" and FUNCTIONS[part.name].mixes):
                name = part.name or part.kind
                raise ExpressionError(
                    f"{name} takes many numbers together, and here each x is one.", part.place, part.text
                )

    def evaluate(self, values: Mapping[str, Tensor], most_elements: int = MOST_ELEMENTS) -> Tensor:
        """Its value, on torch's own graph where a value wants a gradient. Raises ExpressionError with a sentence."""
        return self.trace(values, most_elements)[-1][1]

    def trace(self, values: Mapping[str, Tensor], most_elements: int = MOST_ELEMENTS) -> list[tuple[Part, Tensor]]:
        """Each part that is a tensor with its value, in the order of computation; the last is the whole formula."""
        for name in self.names:
            if name not in values:
                raise ExpressionError(f"“{name}” has no value.")
            if values[name].numel() > most_elements:
                raise ExpressionError(f"“{name}” has {values[name].numel():,} numbers; at most {most_elements:,} fit.")
        seen: list[tuple[Part, Tensor]] = []
        result = compute(self.root, values, most_elements, seen)
        if not isinstance(result, Tensor):  # a number alone
            seen.append((self.root, torch.tensor(result)))
        return seen


def parse(text: str, names: Iterable[str]) -> Expression:
    """Read a formula over the inputs named. Raises ExpressionError, a sentence that names the place."""
    if len(text) > LONGEST:
        raise ExpressionError(f"The formula has {len(text):,} characters; it may have {LONGEST}. Make it shorter.")
    if not text.strip():
        raise ExpressionError("The formula is empty. Write one, such as x**2 + 3*x.")
    _refuse_characters(text)
    start = len(text) - len(text.lstrip())
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        place = start + error.offset - 1 if error.offset else len(text) - 1
        raise ExpressionError("This does not fit together. Is a bracket, a sign or a name missing?", place) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError("The formula is nested too deeply. Make it simpler.") from None
    return Expression(text, _Reader(text, start, frozenset(names)).read(tree.body, 1))


def _refuse_characters(text: str) -> None:
    """Say what is wrong with a character that no formula has, before the parser is asked."""
    for place, character in enumerate(text):
        if character in _REFUSED:
            raise ExpressionError(_REFUSED[character], place, character)
        if not " " <= character <= "~":
            shown = character if character.isprintable() else ""
            raise ExpressionError(
                "This character has no meaning here. Use plain letters, digits and + - * /.", place, shown
            )
    if glued := _GLUED.search(text):
        raise ExpressionError("A sign is missing: write 2*x for 2 times x.", glued.start(), glued[0])


class _Reader:
    """Turns Python's syntax tree into parts, and refuses whatever is not on the list."""

    def __init__(self, text: str, start: int, names: frozenset[str]) -> None:
        self.text, self.start, self.names = text, start, names
        self.count = 0

    def read(self, node: ast.expr, depth: int) -> Part:
        text, place = self.text_of(node)
        self.count += 1
        if self.count > MOST_NODES:
            raise ExpressionError(f"The formula has over {MOST_NODES} numbers, names and signs. Make it shorter.")
        if depth > MOST_DEPTH:
            raise ExpressionError(f"It is nested over {MOST_DEPTH} deep here. Make it simpler.", place)
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                if not abs(number) <= LARGEST_NUMBER:
                    raise ExpressionError(f"Numbers go up to {LARGEST_NUMBER:,.0f}.", place, text)
                return Part(text, place, "number", number=float(number))
            case ast.Name(id=name):
                return self.name(name, text, place)
            case ast.UnaryOp(op=op, operand=inner) if type(op) in _UNARY:
                return Part(text, place, _UNARY[type(op)], (self.read(inner, depth + 1),))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                sides = (self.read(left, depth + 1), self.read(right, depth + 1))
                return Part(text, place, _BINARY[type(op)], sides)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                return self.call(name, args, keywords, node, depth)
        word = _WORDS.get(type(node), "such thing")
        raise ExpressionError(f"There can be no {word} here. {_offer(self.names)}", place, text)

    def name(self, name: str, text: str, place: int) -> Part:
        if name in self.names:
            return Part(text, place, "name", name=name)
        if name in CONSTANTS:
            return Part(text, place, "number", number=CONSTANTS[name])
        if name in FUNCTIONS:
            raise ExpressionError(f"{name} is a function: write {name}( ) around what it takes.", place, text)
        raise ExpressionError(f"There is no such name. {_offer(self.names)}", place, text)

    def call(self, name: str, args: list[ast.expr], keywords: list[ast.keyword], node: ast.expr, depth: int) -> Part:
        text, place = self.text_of(node)
        if name not in FUNCTIONS:
            near = difflib.get_close_matches(name, FUNCTIONS, 3, 0.5) or ["sum", "mean", "exp", "log", "tanh", "relu"]
            raise ExpressionError(f"There is no such function. There is, for one: {', '.join(near)}.", place, name)
        function = FUNCTIONS[name]
        dims = [word.value for word in keywords if word.arg == "dim" and function.dim]
        if len(dims) != len(keywords) or len(dims) > 1:
            raise ExpressionError(f"{name} has no such setting here.", place, text)
        if function.dim and not dims and len(args) == function.takes + 1:
            dims = [args.pop()]
        if len(args) != function.takes:
            takes = "one value" if function.takes == 1 else f"{function.takes} values, with commas between them"
            raise ExpressionError(f"{name} takes {takes}; here it has {len(args)}.", place, text)
        dim = self.dim(dims[0]) if dims else NEEDS_DIM.get(name)
        return Part(text, place, "call", tuple(self.read(each, depth + 1) for each in args), name=name, dim=dim)

    def dim(self, node: ast.expr) -> int:
        text, place = self.text_of(node)
        if text.strip() not in ("-3", "-2", "-1", "0", "1", "2"):
            raise ExpressionError("A dimension is a whole number from -3 to 2.", place, text)
        return int(text)

    def text_of(self, node: ast.expr) -> tuple[str, int]:
        place = self.start + node.col_offset
        return self.text[place : self.start + (node.end_col_offset or node.col_offset)], place


def _offer(names: Iterable[str]) -> str:
    inputs = ", ".join(sorted(names)) or "none"
    return f"A formula has numbers, + - * / ** @, brackets, functions such as sin, and the inputs: {inputs}."
