"""Curves and surfaces for a ball to roll down: their torch functions, their ranges, and their minima."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import torch
from torch import Tensor

from playground.parsing.expressions import Expression, parse

Point = tuple[float, ...]
Span = tuple[float, float]
COORDINATES = ("x", "y")
OWN_LABEL = "Your own"
OWN_SPAN: Span = (-4.0, 4.0)

# The minima of x² + 10 - 10 cos(2πx), one coordinate of Rastrigin's function: the zeros of its derivative.
_RASTRIGIN = (0.0, 0.994958637652, 1.989912233709, 2.984855701039, 3.979783860301, 4.974691390895)
# The zeros of the derivatives of x⁴ - 4x² + x, of x⁴ - 2x² + 0.3x, and of x²/10 + sin(3x), by Newton's method.
_VALLEYS_1D = ((-1.472997601114,), (1.346997408528,))
_VALLEYS_2D = ((-1.035578714089, 0.0), (0.960149555519, 0.0))
_WAVES = ((-0.512214028356,), (1.536589880148,), (-2.560806938074,), (3.584751817304,), (-4.608298882423,),
          (5.631303162965,))  # fmt: skip


@dataclass(frozen=True)
class Landscape:
    """Heights over a line or a plane, and known facts about them.

    `function` maps positions (..., dims) to heights (...), in their dtype and recorded by autograd. `formula` is the
    same function as a visitor would type it. `minima` are all minima within the `spans`. `curvatures` are those of a
    quadratic, which are the same everywhere; they are empty for other landscapes. A `bottomless` landscape has no
    lowest place.
    """

    label: str
    formula: str
    function: Callable[[Tensor], Tensor]
    spans: tuple[Span, ...]
    start: Point
    lr: float  # a good learning rate from the start
    minima: tuple[Point, ...] = ()
    curvatures: tuple[float, ...] = ()
    bottomless: bool = False

    @property
    def dims(self) -> int:
        """1 for a curve, 2 for a surface."""
        return len(self.spans)

    @property
    def largest_curvature(self) -> float | None:
        """The largest curvature of a quadratic; gradient descent diverges at rates above 2 divided by it."""
        return max(self.curvatures, default=None)

    @property
    def lowest(self) -> float | None:
        """The height of the lowest known minimum."""
        if not self.minima or self.bottomless:
            return None
        return self.function(torch.tensor(self.minima, dtype=torch.float64)).min().item()


def heights(landscape: Landscape, side: int) -> tuple[Tensor, ...]:
    """Evenly spaced coordinates (side,), one tensor for each axis, and the heights: (side,) or (side of y, side of x).

    All float64; a height that is not defined is NaN.
    """
    axes = [torch.linspace(lo, hi, side, dtype=torch.float64) for lo, hi in landscape.spans]
    if landscape.dims == 1:
        return axes[0], landscape.function(axes[0].unsqueeze(1))
    y, x = torch.meshgrid(axes[1], axes[0], indexing="ij")
    return axes[0], axes[1], landscape.function(torch.stack([x, y], dim=-1))


def gradient(landscape: Landscape, at: Tensor) -> tuple[Tensor, Tensor]:
    """Heights (...) and gradients (..., dims) at positions (..., dims), by autograd; positions are independent."""
    point = at.detach().requires_grad_()
    height = landscape.function(point)
    if not height.requires_grad:  # a formula without x and y
        return height, torch.zeros_like(at)
    (slope,) = torch.autograd.grad(height.sum(), point, allow_unused=True)
    return height.detach(), torch.zeros_like(at) if slope is None else slope


def curvatures(landscape: Landscape, at: Sequence[float]) -> tuple[float, ...]:
    """The eigenvalues of the Hessian at one position, smallest first, by autograd twice; NaN if it is not finite."""
    point = torch.tensor(at, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(  # type: ignore[no-untyped-call]
        lambda position: landscape.function(position.unsqueeze(0)).sum() + 0 * position.sum(), point
    )
    if not hessian.isfinite().all():
        return (math.nan,) * landscape.dims
    return tuple(torch.linalg.eigvalsh(hessian).tolist())


def own_landscape(text: str, dims: int) -> Landscape:
    """The landscape of a visitor's formula in x, or in x and y. Raises ExpressionError with a sentence."""
    formula = parse(text, COORDINATES[:dims])
    formula.refuse_mixing()
    landscape = Landscape(OWN_LABEL, text, partial(_of_formula, formula), (OWN_SPAN,) * dims, (2.0, 1.5)[:dims], 0.05)
    heights(landscape, 2)  # raises ExpressionError now if the formula cannot be computed
    return landscape


def _of_formula(formula: Expression, at: Tensor) -> Tensor:
    height = formula.evaluate(dict(zip(COORDINATES, at.unbind(dim=-1), strict=False)))
    return height.to(at.dtype).expand(at.shape[:-1])


def parabola(at: Tensor) -> Tensor:
    """The parabola x², with the slope 2x."""
    return at[..., 0] ** 2


def two_valleys(at: Tensor) -> Tensor:
    """The curve x⁴ - 4x² + x: the left valley is deeper."""
    x = at[..., 0]
    return x**4 - 4 * x**2 + x


def waves(at: Tensor) -> Tensor:
    """Waves on a wide parabola: many minima, one of them the lowest."""
    x = at[..., 0]
    return x**2 / 10 + torch.sin(3 * x)


def plateau(at: Tensor) -> Tensor:
    """A dip in flat ground, on a line or a plane: far away the gradient is almost 0."""
    return 1 - torch.exp(-(at**2).sum(dim=-1) / 2)


def shelf(at: Tensor) -> Tensor:
    """The curve x³: flat at 0, but without a minimum there."""
    return at[..., 0] ** 3


def flat_bottom(at: Tensor) -> Tensor:
    """The curve x⁴: the curvature at the minimum is 0."""
    return at[..., 0] ** 4


def corner(at: Tensor) -> Tensor:
    """The curve |x|: the slope is 1 or -1 everywhere but at the minimum."""
    return at[..., 0].abs()


def bowl(at: Tensor) -> Tensor:
    """The surface x² + y²: equally steep in all directions."""
    return (at**2).sum(dim=-1)


def ellipse(at: Tensor) -> Tensor:
    """A long valley: the curvature across is ten times the curvature along."""
    x, y = at.unbind(dim=-1)
    return (x**2 + 10 * y**2) / 2


def saddle(at: Tensor) -> Tensor:
    """A pass between two hills: flat in the middle, but without a minimum."""
    x, y = at.unbind(dim=-1)
    return x**2 - y**2


def rosenbrock(at: Tensor) -> Tensor:
    """Rosenbrock (1960), An automatic method for finding the greatest or least value of a function: a curved valley."""
    x, y = at.unbind(dim=-1)
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def himmelblau(at: Tensor) -> Tensor:
    """Himmelblau (1972), Applied nonlinear programming: four minima, all of height 0."""
    x, y = at.unbind(dim=-1)
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def rastrigin(at: Tensor) -> Tensor:
    """Rastrigin (1974): a bowl full of dips, the deepest in the middle."""
    return (at**2 + 10 - 10 * torch.cos(2 * math.pi * at)).sum(dim=-1)


def unequal_valleys(at: Tensor) -> Tensor:
    """A local minimum beside the global one, with a pass between them."""
    x, y = at.unbind(dim=-1)
    return x**4 - 2 * x**2 + 0.3 * x + y**2


_EGG_CUPS = sorted({sign * each for each in _RASTRIGIN for sign in (-1.0, 1.0)}, key=abs)
CURVES: dict[str, Landscape] = {
    "parabola": Landscape("Parabola", "x**2", parabola, ((-3.0, 3.0),), (2.5,), 0.1, ((0.0,),), (2.0,)),
    "valleys": Landscape("Two valleys", "x**4 - 4*x**2 + x", two_valleys, ((-2.4, 2.4),), (2.1,), 0.02, _VALLEYS_1D),
    "waves": Landscape("Waves", "x**2/10 + sin(3*x)", waves, ((-6.0, 6.0),), (5.2,), 0.05, _WAVES),
    "plateau": Landscape("Plateau with a dip", "1 - exp(-x**2/2)", plateau, ((-5.0, 5.0),), (3.0,), 0.5, ((0.0,),)),
    "shelf": Landscape("Shelf", "x**3", shelf, ((-1.5, 1.5),), (0.9,), 0.3, bottomless=True),
    "flat_bottom": Landscape("Flat bottom", "x**4", flat_bottom, ((-1.5, 1.5),), (1.3,), 0.1, ((0.0,),)),
    "corner": Landscape("Corner", "abs(x)", corner, ((-3.0, 3.0),), (2.5,), 0.3, ((0.0,),)),
}
SURFACES: dict[str, Landscape] = {
    "bowl": Landscape(
        "Bowl", "x**2 + y**2", bowl, ((-3.0, 3.0),) * 2, (2.5, 1.5), 0.1, ((0.0, 0.0),), (2.0, 2.0)
    ),
    "ellipse": Landscape(
        "Ellipse", "(x**2 + 10*y**2)/2", ellipse, ((-4.0, 4.0),) * 2, (3.5, 2.0), 0.1, ((0.0, 0.0),),
        (1.0, 10.0),
    ),
    "saddle": Landscape(
        "Saddle", "x**2 - y**2", saddle, ((-3.0, 3.0),) * 2, (2.5, 0.01), 0.1, (), (-2.0, 2.0), bottomless=True
    ),
    "rosenbrock": Landscape(
        "Rosenbrock’s valley", "(1 - x)**2 + 100*(y - x**2)**2", rosenbrock, ((-2.0, 2.0), (-1.0, 3.0)), (-1.5, 1.0),
        0.001, ((1.0, 1.0),),
    ),
    "himmelblau": Landscape(
        "Himmelblau’s valleys", "(x**2 + y - 11)**2 + (x + y**2 - 7)**2", himmelblau, ((-6.0, 6.0),) * 2,
        (-0.5, -1.5), 0.01,
        ((3.0, 2.0), (-2.805118086953, 3.131312518251), (-3.779310253378, -3.283185991286),
         (3.584428340330, -1.848126526964)),
    ),
    "rastrigin": Landscape(
        "Rastrigin’s dips", "x**2 + 10 - 10*cos(2*pi*x) + y**2 + 10 - 10*cos(2*pi*y)", rastrigin,
        ((-5.12, 5.12),) * 2, (2.4, -1.7), 0.002, tuple(product(_EGG_CUPS, repeat=2)),
    ),
    "plateau": Landscape(
        "Plateau with a dip", "1 - exp(-(x**2 + y**2)/2)", plateau, ((-4.0, 4.0),) * 2, (2.0, 1.5), 0.5, ((0.0, 0.0),)
    ),
    "valleys": Landscape(
        "Local and global", "x**4 - 2*x**2 + 0.3*x + y**2", unequal_valleys, ((-1.8, 1.8),) * 2, (1.6, 1.4), 0.05,
        _VALLEYS_2D,
    ),
}  # fmt: skip
