"""Steps in bfloat16, also on processors that cannot compute in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

ROUNDED: frozenset[Any] = frozenset({torch.conv2d, functional.linear})  # what autocast computes in bfloat16
EXACT: frozenset[Any] = frozenset({functional.cross_entropy})  # and in float32


def rounding(precision: str, device: str) -> AbstractContextManager[Any]:
    """The context in which a step is taken with a precision, "float32" or "bfloat16", on "cpu" or "cuda"."""
    if precision != "bfloat16":
        return nullcontext()
    if device == "cpu" and not has_bfloat16():
        return RoundedToBfloat16()
    return torch.autocast(device, torch.bfloat16)


@cache
def has_bfloat16() -> bool:
    """Whether torch has fast bfloat16 convolutions on this processor."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):  # a torch without oneDNN
        return False


class RoundedToBfloat16(TorchFunctionMode):
    """What torch.autocast does for a CNN, with float32 multiplications of numbers that are rounded to bfloat16.

    A processor without bfloat16 needs ten times as long for torch's own. Processors that have it add up the products in
    float32, too, so the results agree to about the last digit of bfloat16.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, with its arguments and its result rounded if it is one of ROUNDED."""
        kwargs = kwargs or {}
        if func in ROUNDED:
            return func(*map(_rounded, args), **kwargs).to(torch.bfloat16)
        if func in EXACT:
            args = (args[0].float(), *args[1:])
        return func(*args, **kwargs)


def _rounded(value: Any) -> Any:
    return value.to(torch.bfloat16).float() if isinstance(value, Tensor) else value
