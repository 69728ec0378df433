"""The lab "Why is my grad None?": common mistakes, run just now, with PyTorch's message and the fix."""

from __future__ import annotations

from dataclasses import dataclass

from playground.knobs import Config, knob
from playground.lesson import Lab, Sheet, Table
from playground.lessons.autograd import example_programs as programs
from playground.lessons.run_line_by_line import Line, Program, run_program


@dataclass(frozen=True)
class Mistake:
    """A mistake: its name, the program with it and the fixed one, why it fails, and what to do."""

    label: str
    wrong: Program
    fixed: Program
    why: str
    fix: str


MISTAKES: dict[str, Mistake] = {
    "not_a_leaf": Mistake(
        "Not a leaf", programs.not_a_leaf, programs.not_a_leaf_fixed,
        "`y` is an intermediate result; only leaf tensors (those you created) keep their `.grad`.",
        "Call `y.retain_grad()` before `backward()`, or look at `x.grad`."),
    "not_asked": Mistake(
        "requires_grad not set", programs.not_asked, programs.not_asked_fixed,
        "No input requires a gradient, so there is no graph for `backward()`.",
        "Make the leaf with `requires_grad=True`. The parameters of a model have it from the start."),
    "integers": Mistake(
        "Integers", programs.integers, programs.integers_fixed,
        "A gradient is the effect of a tiny change, and an integer cannot change by a tiny amount.",
        "Write `1.0` instead of `1`, or convert with `.float()` first."),
    "detached": Mistake(
        "detach()", programs.detached, programs.detached_fixed,
        "`detach()` gives the same numbers without their graph: the way back to `x` ends there.",
        "Do not detach what you train; detach what you only print or plot."),
    "half_detached": Mistake(
        "Half detached, no error", programs.half_detached, programs.half_detached_fixed,
        "One of the two factors counts as a constant, so the gradient is x and not 2x. There is no warning.",
        "Detach only what is meant to be a constant, such as a target."),
    "under_no_grad": Mistake(
        "Under no_grad()", programs.under_no_grad, programs.under_no_grad_fixed,
        "Inside `torch.no_grad()` nothing is recorded: `y` has no `grad_fn`.",
        "Use `no_grad()` only for testing and for updating weights."),
    "leaf_in_place": Mistake(
        "A leaf in place", programs.leaf_in_place, programs.leaf_in_place_fixed,
        "The graph would need both values of `x`, and `x` would no longer be a leaf.",
        "Change it under `no_grad()`, as an optimizer does, or write `y = x + 1`."),
    "view_in_place": Mistake(
        "A view in place", programs.view_in_place, programs.view_in_place_fixed,
        "`x[0]` is a view: the same memory. Writing into it changes the leaf itself.",
        "Write into a clone. The gradient of the number that was overwritten is 0."),
    "needed_later": Mistake(
        "Overwritten too early", programs.needed_later, programs.needed_later_fixed,
        "The derivative of `exp` is its own result. The graph kept a reference to it, and `+=` has overwritten it.",
        "Write `y = y + 1`, which makes a new tensor."),
    "second_backward": Mistake(
        "A second backward()", programs.second_backward, programs.second_backward_fixed,
        "The first `backward()` frees the values that the graph had saved.",
        "Compute `y` again, or set `retain_graph=True`. In both cases the gradients add up."),
    "many_numbers": Mistake(
        "From many numbers", programs.many_numbers, programs.many_numbers_fixed,
        "`backward()` needs one number to start from; with two, it would not know their weights.",
        "Reduce them to one number first, with `sum()` or `mean()`."),
    "replaced": Mistake(
        "A replaced weight", programs.replaced, programs.replaced_fixed,
        "`x = x - …` makes a new, computed tensor, which is not a leaf; the gradient goes to the old one.",
        "Update in place under `no_grad()`, or leave it to `optimizer.step()`."),
    "unused": Mistake(
        "Never used", programs.unused, programs.unused_fixed,
        "The result does not depend on `w`, so no gradient reaches it. None is not the same as zero.",
        "Check that `forward` uses every parameter."),
    "to_numpy": Mistake(
        "To NumPy", programs.to_numpy, programs.to_numpy_fixed,
        "NumPy has no graph, so torch makes you detach explicitly.",
        "Write `y.detach().numpy()`. The tutorial’s `.data.numpy()` works too, but without the check for overwriting."),
}  # fmt: skip


@dataclass(frozen=True)
class MistakeConfig(Config):
    """The mistake to run."""

    # fmt: off
    mistake: str = knob(
        "not_a_leaf", "Mistake", group="Mistake", live=True, bar=True, options=tuple(MISTAKES),
        names={name: each.label for name, each in MISTAKES.items()})
    # fmt: on


SIGNS = {"ran": " ", "raised": "✗", "not_reached": "–"}
NOTE = "**Why:** {why}\n\n**Fix:** {fix}"
BROKEN, FIXED, MESSAGE = "Broken", "Fixed", "Output"


def table_of(heading: str, lines: tuple[Line, ...]) -> Table:
    """The lines of a program beside their output."""
    rows = tuple((line.code, SIGNS[line.state], line.output) for line in lines)
    return Table((heading, " ", MESSAGE), rows, code=(heading, MESSAGE))


def draw_mistake(config: MistakeConfig) -> Sheet:
    """The program with the mistake and the fixed one, both run just now."""
    mistake = MISTAKES[config.mistake]
    wrong = run_program(mistake.wrong)
    tables = (table_of(BROKEN, wrong), table_of(FIXED, run_program(mistake.fixed)))
    last = next(line for line in reversed(wrong) if line.output)
    note = NOTE.format(why=mistake.why, fix=mistake.fix)
    return Sheet({}, note, tables, line=last.code.strip(), answer=last.output.split("\n")[-1])


LAB = Lab(
    name="autograd_mistakes",
    title="Why is my grad None?",
    sentence="Each program was run just now. ✗ marks the line that failed, – a line that was not reached.",
    config=MistakeConfig,
    draw=draw_mistake,
    charts=(),
)
