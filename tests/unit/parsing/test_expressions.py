"""Formulas that visitors type: the same numbers and gradients as torch, or a sentence for text that cannot be read."""

from __future__ import annotations

import math
import time
import warnings

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from playground.lessons.autograd.named_values import read_values
from playground.parsing.expression_parts import FUNCTIONS, Part
from playground.parsing.expressions import MAX_CHARACTERS, ExpressionError, parse

NAMES = ("x", "w", "v", "m")
VALUES = "x = 0.5; w = [0.3, 0.7]; v = [[0.1, 0.2], [0.3, 0.4]]; m = [[0.5, 0.6, 0.7], [0.8, 0.9, 0.1]]"


def values() -> dict[str, Tensor]:
    return {name: value.requires_grad_() for name, value in read_values(VALUES).items()}


def gradients(result: Tensor, inputs: dict[str, Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(result.sum(), list(inputs.values()), allow_unused=True)
    return [torch.zeros(()) if each is None else each for each in found]


# Each formula is legal Python over torch's names, so that Python itself says what it must give.
FORMULAS = (
    "mean(v * v)",
    "x**2 - 3*x + 1",
    "-x**2",
    "(-x)**2",
    "2**x",
    "x**-2",
    "2 - 3 - x",
    "2 / 4 / x",
    "2**3**x",
    "v @ w",
    "w @ v",
    "v @ m",
    "sum(v, 0) @ w",
    "mean(m, dim=1)",
    "softmax(w, dim=0)",
    "v + w",
    "w * x + 1.5e-1",
    "pi * x + e",
    "  x + 1 ",
    "maximum(v, w)",
    "dot(w, w)",
    "mse_loss(w, w * 2)",
    "transpose(v) @ v",
    "sin(x) * cos(x) / (1 + exp(-x))",
    "+x - -x",
    ".5 * x",
    "matmul(v, v)",
    "sum(log_softmax(m, dim=1))",
    "prod(w)",
    "minimum(x, w)",
    "l1_loss(v, v + 1)",
    "abs(v - w) ** 1.5",
)
TORCH = {name: function.call for name, function in FUNCTIONS.items()} | {"pi": math.pi, "e": math.e}


@pytest.mark.parametrize("text", FORMULAS)
def test_formula_gives_what_python_gives_for_the_same_line_and_the_same_gradients(text: str) -> None:
    ours, theirs = values(), values()
    result = parse(text, NAMES).evaluate(ours)
    expected = eval(text.strip(), {"__builtins__": {}}, TORCH | theirs)  # our own texts
    torch.testing.assert_close(result, expected)
    torch.testing.assert_close(gradients(result, ours), gradients(expected, theirs))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_on_offer_is_torchs_and_takes_what_it_says(name: str) -> None:
    function = FUNCTIONS[name]
    inputs = values()
    text = f"{name}({', '.join(['v' if name in ('transpose', 'matmul') else 'w'] * function.takes)})"
    result = parse(text, NAMES).evaluate(inputs)
    home = functional if hasattr(functional, name) and not hasattr(torch, name) else torch
    torchs = {"norm": torch.linalg.vector_norm, "transpose": torch.t}.get(name) or getattr(home, name)
    taken = [inputs["v" if name in ("transpose", "matmul") else "w"]] * function.takes
    expected = torchs(*taken, dim=-1) if name in ("softmax", "log_softmax", "logsumexp") else torchs(*taken)
    torch.testing.assert_close(result, expected)
    with pytest.raises(ExpressionError, match=rf"^At character 1 .*{name} takes"):
        parse(f"{name}({', '.join(['w'] * (function.takes + 2))})", NAMES)


def test_trace_names_each_part_with_its_value_in_the_order_of_computation() -> None:
    inputs = {"x": torch.tensor(3.0), "w": torch.tensor(2.0)}
    traced = parse("(x + 1) * w", inputs).trace(inputs)
    assert [(part.text, value.item()) for part, value in traced] == [
        ("x", 3),
        ("x + 1", 4),
        ("w", 2),
        ("(x + 1) * w", 8),
    ]


def test_names_are_the_inputs_that_are_used() -> None:
    assert parse("v * x + x", NAMES).names == ("v", "x")
    assert parse("pi + 1", NAMES).names == ()
    assert parse("e * 2", ("e",)).names == ("e",), "an input goes before a constant"


HOSTILE = (
    "v.__class__",
    "v.__class__.__mro__[1].__subclasses__()",
    "__import__('os').system('true')",
    "__import__(x)",
    "__builtins__",
    "eval(x)",
    "exec(x)",
    "open(x)",
    "getattr(x, w)",
    "x[0]",
    "v[0:1]",
    "lambda: x",
    "(lambda y: y)(x)",
    "[y for y in v]",
    "{y for y in v}",
    "{y: y for y in v}",
    "(y for y in v)",
    "sum(y for y in v)",
    "f'{x}'",
    "'x' * 9",
    '"x"',
    "b'x'",
    "9**9**9",
    "2**1e9",
    "x**(9**9)",
    "1e999",
    "9" * 290,
    "1e6 * 1e6 * 1e6**9**9",
    "(" * 299,
    "-" * 290 + "x",
    "x" + "+x" * 140,
    "sin(" * 60 + "x" + ")" * 60,
    "x\x00",
    "\x00",
    "x\u200b",
    "ｘ",
    "х",
    "𝐱",
    "x\n+x",
    "x\r",
    "x;w",
    "x=1",
    "x:=1",
    "(x:=1)",
    "x if x else w",
    "x and w",
    "not x",
    "~x",
    "x < w",
    "x == w",
    "x is w",
    "x in w",
    "x % w",
    "x // w",
    "x >> 1",
    "x & w",
    "x | w",
    "*x",
    "sum(*v)",
    "sum(**v)",
    "sum(v, dim=x)",
    "sum(v, dim=1e9)",
    "sum(v, 99)",
    "softmax(v, dtype=x)",
    "sum(v, out=x)",
    "sum(v, dim=0, dim=0)",
    "mean(v, keepdim=True)",
    "True",
    "None",
    "...",
    "1j",
    "1_0j",
    "yield x",
    "await x",
    "x, w",
    "()",
    "[x]",
    "{}",
    "{x}",
    "return x",
    "import os",
    "del x",
    "2x",
    "x^2",
    "x!",
    "#",
    "x\\",
    "unknown",
    "unknown(x)",
    "sin",
    "sin()",
    "sin(x)(x)",
    "sin x",
    "x y",
    "(x",
    "x)",
    "x +",
    "@",
    "",
    "   ",
    "()()",
    "x..y",
    "1/0",
    "(-8)**0.5",
    "0**-1",
    "1e6**20 * 1e6**20 * 1e6**20",
    "0x10",
    "0777",
    "1if x else 2",
    "x" * 100_000,
    "(" * 100_000,
    "9" * 100_000,
    "🦊",
    "x ⨯ w",
    "‮x",
    "<script>alert(1)</script>",
    "torch.zeros(10**9)",
    "zeros(1000000000)",
    "ones(100000, 100000)",
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:30]))
def test_everything_that_is_not_a_formula_gets_a_sentence_at_once_and_runs_nothing(text: str) -> None:
    start = time.thread_time()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ExpressionError) as caught:
            parse(text, NAMES).evaluate(values())
    assert time.thread_time() - start < 0.2
    sentence = str(caught.value)
    assert sentence[0].isupper() and sentence.endswith((".", "?")) and len(sentence) < 400, sentence
    assert sentence.isprintable(), "nothing foreign that is invisible"


@pytest.mark.parametrize(
    ("text", "place", "quoted"),
    [
        ("x + foo", 4, "foo"),
        ("  x + foo", 6, "foo"),
        ("x + v.T", 4, "v.T"),
        ("x^2", 1, "^"),
        ("x + 2w", 4, "2w"),
        ("x @", 2, ""),
    ],
)
def test_the_sentence_names_the_place(text: str, place: int, quoted: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, NAMES)
    assert caught.value.place == place
    assert str(caught.value).startswith(f"At character {place + 1}{f' (“{quoted}”)' if quoted else ''}: ")


def test_limits_are_limits() -> None:
    parse("x" + " " * (MAX_CHARACTERS - 1), NAMES)
    with pytest.raises(ExpressionError, match="301 characters"):
        parse("x" + " " * MAX_CHARACTERS, NAMES)
    parse("x**20 + 1000000", NAMES).evaluate(values())
    with pytest.raises(ExpressionError, match="Exponents"):
        parse("x**20.5", NAMES).evaluate(values())


def test_shapes_that_would_grow_too_large_are_refused_before_they_are_allocated() -> None:
    column, row = torch.zeros(300, 1), torch.zeros(1, 400)
    with pytest.raises(ExpressionError, match="120,000 numbers"):
        parse("a + b", ("a", "b")).evaluate({"a": column, "b": row})
    with pytest.raises(ExpressionError, match="120,000 numbers"):
        parse("a @ b", ("a", "b")).evaluate({"a": column, "b": row})
    with pytest.raises(ExpressionError, match="maximum"):
        parse("maximum(a, b)", ("a", "b")).evaluate({"a": column, "b": row})
    huge = torch.zeros(1).expand(10**9)
    with pytest.raises(ExpressionError, match="1,000,000,000 numbers"):
        parse("a * 2", ("a",)).evaluate({"a": huge})
    assert parse("a + b", ("a", "b")).evaluate({"a": column, "b": row}, max_elements=120_000).shape == (300, 400)


@pytest.mark.parametrize(
    "text", ["v + m", "v @ x", "x @ v", "m @ m", "mse_loss(v, w)", "dot(v, v)", "sum(w, 1)", "transpose(q)"]
)
def test_shapes_that_do_not_fit_get_a_sentence_with_the_place(text: str) -> None:
    inputs = values() | {"q": torch.zeros(2, 2, 2)}
    with pytest.raises(ExpressionError, match=r"^At character 1 .*\.$"):
        parse(text, inputs).evaluate(inputs)


def test_nan_is_a_value_and_not_an_error() -> None:
    assert parse("log(-x)", NAMES).evaluate(values()).isnan()
    assert parse("x / 0", NAMES).evaluate(values()).isinf()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_does_not_mix_gives_each_number_what_it_would_get_alone(name: str) -> None:
    function = FUNCTIONS[name]
    formula = parse(f"{name}({', '.join(['x'] * function.takes)})", NAMES)
    if function.mixes:
        with pytest.raises(ExpressionError, match=f"{name} takes many numbers together"):
            formula.refuse_mixing()
        return
    formula.refuse_mixing()
    grid = torch.tensor([0.1, 0.5, 0.9])
    alone = torch.stack([formula.evaluate({"x": each}) for each in grid])
    torch.testing.assert_close(formula.evaluate({"x": grid}), alone)


def test_parts_are_plain_records() -> None:
    root = parse("x + 2", NAMES).root
    assert root == Part("x + 2", 0, "+", (Part("x", 0, "name", name="x"), Part("2", 4, "number", number=2.0)))


def test_named_values_are_float_tensors_of_the_shape_typed() -> None:
    read = read_values("a = 2; b=[1,-2.5,1e3] ;c = [[1],[2]];")
    assert {name: (tuple(value.shape), value.dtype) for name, value in read.items()} == {
        "a": ((), torch.float32),
        "b": ((3,), torch.float32),
        "c": ((2, 1), torch.float32),
    }
    assert read["b"].tolist() == [1, -2.5, 1000]
    assert read_values("  ") == {}


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a =",
        "= 1",
        "a = b",
        "a = 1; a = 2",
        "sum = 1",
        "2a = 1",
        "a = [[1, 2], [3]]",
        "a = []",
        "a = [[]]",
        "a = 1e7",
        "a = 1e999",
        "a = nan",
        "a = (1, 2)",
        "a = 1, 2",
        "a = [1, 'x']",
        "a = 1 + 2 + x",
        "a = [" + "1," * 65 + "]",
        "a = 1j",
        "a = " + "[" * 300 + "]" * 300,
        "a = __import__('os')",
        "a = " + "9" * 400,
        "a\x00 = 1",
        "é = 1",
        "a.b = 1",
        "a == 1",
        "a = [[[[1]]]]",
        "a = {1}",
        "a = True",
        ";".join(f"n{i} = 1" for i in range(13)),
        "a = 0777",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_text_that_is_not_a_named_value_gets_a_sentence(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_values(text)
    assert str(caught.value)[0] in "“T" and str(caught.value).isprintable()
