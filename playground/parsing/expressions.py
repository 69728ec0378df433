"""Formulas that a visitor types: parsed with an allow-list of the syntax tree, computed with torch, never run as code.

`parse("mean(v * v)", ["v"]).evaluate({"v": tensor})` gives what torch gives for the same line of Python, or raises
ExpressionError with a sentence for the visitor.
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

from playground.parsing.expression_parts import DEFAULT_DIM, FUNCTIONS, ExpressionError, Part, compute
from playground.parsing.messages import FORBIDDEN_CHARACTERS, FORBIDDEN_SYNTAX, FORMULA, OTHER_SYNTAX

__all__ = ["MAX_CHARACTERS", "MAX_NUMBER", "Expression", "ExpressionError", "parse"]

MAX_CHARACTERS = 300
MAX_PARTS = 120  # numbers, names, operators and calls together
MAX_DEPTH = 60  # levels of nesting
MAX_NUMBER = 1e6
MAX_ELEMENTS = 100_000  # of any intermediate value, unless the caller sets another limit
MAX_SUGGESTIONS = 3
COMMON_FUNCTIONS = ("sum", "mean", "exp", "log", "tanh", "relu")

CONSTANTS = {"pi": math.pi, "e": math.e}
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@",
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "-", ast.UAdd: "+"}
_NUMBER_BEFORE_NAME = re.compile(r"(?<![A-Za-z0-9_.])\d[\d.]*(?![eE][-+]?\d)[A-Za-z_]")  # 2x


@dataclass(frozen=True)
class Expression:
    """A parsed formula: its text and the root of its tree of parts."""

    text: str
    root: Part

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs it uses, in order of appearance."""
        return tuple(dict.fromkeys(part.name for part in self.root.walk() if part.kind == "name"))

    def refuse_mixing(self) -> None:
        """Raise ExpressionError where a part mixes several numbers, so that f(grid) is not f of each number."""
        for part in self.root.walk():
            if part.kind == "@" or (part.kind == "call" and FUNCTIONS[part.name].mixes):
                name = part.name or part.kind
                raise ExpressionError(FORMULA["mixes"].format(name=name), part.place, part.text)

    def evaluate(self, values: Mapping[str, Tensor], max_elements: int = MAX_ELEMENTS) -> Tensor:
        """Its value, recorded by autograd where an input requires a gradient. Raises ExpressionError."""
        return self.trace(values, max_elements)[-1][1]

    def trace(self, values: Mapping[str, Tensor], max_elements: int = MAX_ELEMENTS) -> list[tuple[Part, Tensor]]:
        """Each part that is a tensor, with its value, in the order of computation; the last is the whole formula.

        Raises ExpressionError.
        """
        for name in self.names:
            if name not in values:
                raise ExpressionError(FORMULA["no_value"].format(name=name))
            if (count := values[name].numel()) > max_elements:
                raise ExpressionError(FORMULA["input_too_large"].format(name=name, count=count, limit=max_elements))
        computed: list[tuple[Part, Tensor]] = []
        result = compute(self.root, values, max_elements, computed)
        if not isinstance(result, Tensor):  # the formula is a plain number
            computed.append((self.root, torch.tensor(result)))
        return computed


def parse(text: str, names: Iterable[str]) -> Expression:
    """The formula as an Expression over the named inputs. Raises ExpressionError, which names the place."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(FORMULA["too_long"].format(count=len(text), limit=MAX_CHARACTERS))
    if not text.strip():
        raise ExpressionError(FORMULA["empty"])
    _refuse_characters(text)
    start = len(text) - len(text.lstrip())
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        place = start + error.offset - 1 if error.offset else len(text) - 1
        raise ExpressionError(FORMULA["syntax"], place) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError(FORMULA["nested"]) from None
    return Expression(text, _Parser(text, start, frozenset(names)).part(tree.body, 1))


def _refuse_characters(text: str) -> None:
    """Raise ExpressionError for a character that no formula may contain, before Python's parser sees it."""
    for place, character in enumerate(text):
        if character in FORBIDDEN_CHARACTERS:
            raise ExpressionError(FORBIDDEN_CHARACTERS[character], place, character)
        if not " " <= character <= "~":
            raise ExpressionError(FORMULA["character"], place, character if character.isprintable() else "")
    if match := _NUMBER_BEFORE_NAME.search(text):
        raise ExpressionError(FORMULA["no_operator"], match.start(), match[0])


class _Parser:
    """Turns Python's syntax tree into parts, and refuses whatever is not on the allow-list."""

    def __init__(self, text: str, start: int, names: frozenset[str]) -> None:
        self.text, self.start, self.names = text, start, names
        self.count = 0

    def part(self, node: ast.expr, depth: int) -> Part:
        text, place = self.text_of(node)
        self.count += 1
        if self.count > MAX_PARTS:
            raise ExpressionError(FORMULA["too_many_parts"].format(limit=MAX_PARTS))
        if depth > MAX_DEPTH:
            raise ExpressionError(FORMULA["too_deep"].format(limit=MAX_DEPTH), place)
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                if not abs(number) <= MAX_NUMBER:
                    raise ExpressionError(FORMULA["number_too_large"].format(limit=MAX_NUMBER), place, text)
                return Part(text, place, "number", number=float(number))
            case ast.Name(id=name):
                return self.name(name, text, place)
            case ast.UnaryOp(op=op, operand=inner) if type(op) in _UNARY:
                return Part(text, place, _UNARY[type(op)], (self.part(inner, depth + 1),))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                operands = (self.part(left, depth + 1), self.part(right, depth + 1))
                return Part(text, place, _BINARY[type(op)], operands)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                return self.call(name, args, keywords, node, depth)
        what = FORBIDDEN_SYNTAX.get(type(node).__name__, OTHER_SYNTAX)
        raise ExpressionError(FORMULA["not_allowed"].format(what=what, inputs=self.inputs()), place, text)

    def name(self, name: str, text: str, place: int) -> Part:
        if name in self.names:
            return Part(text, place, "name", name=name)
        if name in CONSTANTS:
            return Part(text, place, "number", number=CONSTANTS[name])
        if name in FUNCTIONS:
            raise ExpressionError(FORMULA["no_call"].format(name=name), place, text)
        raise ExpressionError(FORMULA["unknown_name"].format(inputs=self.inputs()), place, text)

    def call(self, name: str, args: list[ast.expr], keywords: list[ast.keyword], node: ast.expr, depth: int) -> Part:
        text, place = self.text_of(node)
        if name not in FUNCTIONS:
            near = difflib.get_close_matches(name, FUNCTIONS, MAX_SUGGESTIONS, 0.5)
            sentence = FORMULA["unknown_function" if near else "functions"]
            raise ExpressionError(sentence.format(near=", ".join(near or COMMON_FUNCTIONS)), place, name)
        function = FUNCTIONS[name]
        dims = [keyword.value for keyword in keywords if keyword.arg == "dim" and function.dim]
        if len(dims) != len(keywords) or len(dims) > 1:
            raise ExpressionError(FORMULA["argument"].format(name=name), place, text)
        if function.dim and not dims and len(args) == function.takes + 1:
            dims = [args.pop()]
        if len(args) != function.takes:
            sentence = FORMULA["takes_one" if function.takes == 1 else "takes_more"]
            raise ExpressionError(sentence.format(name=name, takes=function.takes, count=len(args)), place, text)
        dim = self.dim(dims[0]) if dims else DEFAULT_DIM.get(name)
        return Part(text, place, "call", tuple(self.part(each, depth + 1) for each in args), name=name, dim=dim)

    def dim(self, node: ast.expr) -> int:
        text, place = self.text_of(node)
        if text.strip() not in ("-3", "-2", "-1", "0", "1", "2"):
            raise ExpressionError(FORMULA["dim"], place, text)
        return int(text)

    def text_of(self, node: ast.expr) -> tuple[str, int]:
        place = self.start + node.col_offset
        return self.text[place : self.start + (node.end_col_offset or node.col_offset)], place

    def inputs(self) -> str:
        return ", ".join(sorted(self.names)) or FORMULA["no_inputs"]
