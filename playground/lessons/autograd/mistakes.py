"""The lab "Why is my grad None?": mistakes that everybody makes once, run for real, what PyTorch says, and the cure."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from playground.knobs import Config, knob
from playground.lesson import Lab, Sheet, Table
from playground.lessons.autograd import example_programs as programs
from playground.lessons.autograd.run_line_by_line import Line, Program, perform


@dataclass(frozen=True)
class Mistake:
    """A mistake on show: its name, the two programs, why it fails, and what to do."""

    label: str
    wrong: Program
    cured: Program
    why: str
    cure: str


MISTAKES: dict[str, Mistake] = {
    "not_a_leaf": Mistake(
        "Not a leaf", programs.not_a_leaf, programs.not_a_leaf_cured,
        "`y` is a step on the way. Its gradient passes through and is not kept; only leaves, made by you, keep theirs.",
        "Say `y.retain_grad()` before `backward()`, or look at `x.grad`."),
    "not_asked": Mistake(
        "requires_grad not set", programs.not_asked, programs.not_asked_cured,
        "Nobody asked for gradients, so no graph was built, and `backward()` has nowhere to go.",
        "Make the leaf with `requires_grad=True`. A model’s parameters have it from the start."),
    "integers": Mistake(
        "Whole numbers", programs.integers, programs.integers_cured,
        "A gradient says what a tiny change does, and a whole number cannot change by a tiny bit.",
        "Write `1.0` for `1`, or convert with `.float()` first."),
    "detached": Mistake(
        "detach()", programs.detached, programs.detached_cured,
        "`detach()` gives the same numbers without their history: the way back to `x` ends there.",
        "Leave `detach()` out of what is trained; use it for what you only look at."),
    "half_detached": Mistake(
        "Half detached, no error", programs.half_detached, programs.half_detached_cured,
        "One of the two factors counts as a constant, so the gradient is x and not 2x. Nothing warns you.",
        "Detach only what is meant to be a constant, such as a target."),
    "under_no_grad": Mistake(
        "Under no_grad()", programs.under_no_grad, programs.under_no_grad_cured,
        "Inside `torch.no_grad()` nothing is remembered: `y` has no `grad_fn`.",
        "Keep `no_grad()` for testing and for updating weights."),
    "leaf_in_place": Mistake(
        "A leaf in place", programs.leaf_in_place, programs.leaf_in_place_cured,
        "The graph would have to know both values of `x`, and `x` would no longer be a leaf.",
        "Change it under `no_grad()`, as an optimizer does, or write `y = x + 1`."),
    "view_in_place": Mistake(
        "A view in place", programs.view_in_place, programs.view_in_place_cured,
        "`x[0]` is a view: the same memory. Writing into it changes the leaf itself.",
        "Write into a clone. The gradient of the number that was overwritten is 0."),
    "needed_later": Mistake(
        "Overwritten too early", programs.needed_later, programs.needed_later_cured,
        "The derivative of `exp` is its own result, which the graph kept by reference and `+=` has overwritten.",
        "Write `y = y + 1`, which makes a new tensor."),
    "second_backward": Mistake(
        "A second backward()", programs.second_backward, programs.second_backward_cured,
        "The first `backward()` frees what the graph had saved.",
        "Compute `y` again, or say `retain_graph=True`. Either way the gradients add up."),
    "many_numbers": Mistake(
        "From many numbers", programs.many_numbers, programs.many_numbers_cured,
        "A gradient belongs to one number. For two it would not be clear how they count.",
        "Make one number of them first, with `sum()` or `mean()`."),
    "replaced": Mistake(
        "A replaced weight", programs.replaced, programs.replaced_cured,
        "`x = x - …` makes a new tensor, computed, so no leaf. Gradients go on to the old one, which has no name.",
        "Update in place under `no_grad()`, or leave it to `optimizer.step()`."),
    "unused": Mistake(
        "Never used", programs.unused, programs.unused_cured,
        "`w` has no part in the result, so no gradient comes to it. None is not the same as zero.",
        "See whether every parameter is used in `forward`."),
    "to_numpy": Mistake(
        "To NumPy", programs.to_numpy, programs.to_numpy_cured,
        "NumPy cannot follow a graph, so torch asks you to let go of it knowingly.",
        "Write `y.detach().numpy()`. The tutorial’s `.data.numpy()` does it too, without its safety net."),
}  # fmt: skip


@dataclass(frozen=True)
class MistakeConfig(Config):
    """Which mistake is run."""

    # fmt: off
    mistake: str = knob(
        "not_a_leaf", "Mistake", group="Mistake", live=True, options=tuple(MISTAKES),
        names={name: each.label for name, each in MISTAKES.items()})
    # fmt: on


MESSAGE_WIDTH = 36  # characters
SIGNS = {"ran": " ", "raised": "✗", "missed": "–"}


def table_of(heading: str, lines: tuple[Line, ...]) -> Table:
    """A program's lines beside what was said."""
    columns = (heading, " ", "What PyTorch says")
    rows = tuple((line.code, SIGNS[line.state], wrapped(line.said)) for line in lines)
    return Table(columns, rows, code=(heading, "What PyTorch says"))


def wrapped(said: str) -> str:
    """Long lines broken, so that they leave the code room."""
    return "\n".join(textwrap.fill(line, MESSAGE_WIDTH) for line in said.split("\n"))


def draw_mistake(config: MistakeConfig) -> Sheet:
    """The program with the mistake and the cured one, both run just now."""
    mistake = MISTAKES[config.mistake]
    tables = (table_of("As it was written", perform(mistake.wrong)), table_of("Cured", perform(mistake.cured)))
    return Sheet({}, f"**Why:** {mistake.why}\n\n**The cure:** {mistake.cure}", tables)


LAB = Lab(
    name="autograd_mistakes",
    title="Why is my grad None?",
    sentence="Each of these is run as you look at it. ✗ marks the line that failed, – a line that was not reached.",
    config=MistakeConfig,
    draw=draw_mistake,
    charts=(),
    presets={
        mistake.label: {"mistake": name} if index else {} for index, (name, mistake) in enumerate(MISTAKES.items())
    },
)
