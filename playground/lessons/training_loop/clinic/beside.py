"""What stands beside a line of a script: the shapes and values that it made, gradients, and how far weights moved."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from playground.lessons.numbers import number

Weights = list[Tensor]
MAX_TARGETS = 2  # of an assignment that are described

MESSAGES = {
    "tensor": "{shape}, {low} to {high}",
    "tensor of dtype": "{shape} {dtype}, {low} to {high}",
    "tensor with nan": "{shape}, {share} NaN",
    "shape": "{shape} {dtype}",
    "on device": "{shape} on {device}",
    "model": "{count} numbers to learn",
    "optimizer": "{count} numbers, rate {rate}",
    "loader": "{count} batches of {size}",
    "gradient": "gradient {norm}",
    "gradient of some": "gradient {norm}, {without} of {count} tensors have none",
    "no gradient": "no gradient",
    "gradient of 0": "gradients deleted",
    "moved": "weights moved by {distance}",
    "moved not": "no weight moved",
    "training": "training mode",
    "testing": "eval mode",
}


def weights_before(node: ast.stmt, names: Mapping[str, Any]) -> Weights | None:
    """Copies of the model's weights where a statement is about `.step`; else None."""
    model = names.get("model")
    if not isinstance(model, nn.Module) or _method_of(node) != "step":
        return None
    return [each.detach().clone() for each in model.parameters()]


def after(node: ast.stmt, names: Mapping[str, Any], before: Weights | None) -> str:
    """What a statement has made, in a few words; "" where there is nothing to say."""
    model = names.get("model")
    if isinstance(node, ast.Assign):
        return "; ".join(filter(None, (_described(names.get(each)) for each in _names_of(node)[:MAX_TARGETS])))
    if isinstance(node, (ast.With, ast.If)) and len(node.body) == 1 and isinstance(node.body[0], ast.Assign):
        return after(node.body[0], names, None)
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return _described(names.get(node.target.id))
    if not isinstance(model, nn.Module):
        return ""
    method = _method_of(node)
    if method == "backward":
        return _gradient(model)
    if method == "zero_grad":
        return MESSAGES["gradient of 0"]
    if method == "step" and before is not None:
        return _moved(model, before)
    if method in ("train", "eval"):
        return MESSAGES["training" if model.training else "testing"]
    return ""


def _method_of(node: ast.stmt) -> str:
    """The name of the method that a statement calls or names, as in `optimizer.step()`."""
    if not isinstance(node, ast.Expr):
        return ""
    value = node.value.func if isinstance(node.value, ast.Call) else node.value
    return value.attr if isinstance(value, ast.Attribute) else ""


def _names_of(node: ast.Assign) -> list[str]:
    """The names that an assignment sets, the first of several targets."""
    target = node.targets[0]
    items = target.elts if isinstance(target, ast.Tuple) else [target]
    return [each.id for each in items if isinstance(each, ast.Name)]


def _described(value: Any) -> str:
    if isinstance(value, Tensor):
        return _tensor(value)
    if isinstance(value, (bool, str)) or value is None:
        return ""
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, nn.Module) and any(True for _ in value.parameters()):
        count = sum(each.numel() for each in value.parameters() if each.requires_grad)
        return MESSAGES["model"].format(count=f"{count:,}")
    if isinstance(value, torch.optim.Optimizer):
        groups = value.param_groups
        count = sum(each.numel() for group in groups for each in group["params"])
        return MESSAGES["optimizer"].format(count=f"{count:,}", rate=number(groups[0]["lr"]))
    if isinstance(value, DataLoader):
        return MESSAGES["loader"].format(count=len(value), size=value.batch_size)
    return ""


def _tensor(value: Tensor) -> str:
    shape = "×".join(map(str, value.shape))
    if value.device.type != "cpu":
        return MESSAGES["on device"].format(shape=shape, device=value.device.type)
    dtype = str(value.dtype).removeprefix("torch.")
    if value.numel() == 1:
        return number(value.item())
    if value.dtype == torch.bool or not value.numel():
        return MESSAGES["shape"].format(shape=shape, dtype=dtype)
    values = value.detach()
    if missing := int(values.isnan().sum()) if values.is_floating_point() else 0:
        share = f"{100 * missing / values.numel():.0f} %"
        return MESSAGES["tensor with nan"].format(shape=shape, share=share)
    low, high = (number(each.item()) for each in values.aminmax())
    kind = "tensor" if value.dtype == torch.float32 else "tensor of dtype"
    return MESSAGES[kind].format(shape=shape, dtype=dtype, low=low, high=high)


def _gradient(model: nn.Module) -> str:
    """The norm of the gradient of all parameters that may learn."""
    parameters = [each for each in model.parameters() if each.requires_grad]
    gradients = [each.grad for each in parameters if each.grad is not None]
    if not gradients:
        return MESSAGES["no gradient"]
    norm = number(torch.stack([each.norm() for each in gradients]).norm().item())
    without = len(parameters) - len(gradients)
    kind = "gradient of some" if without else "gradient"
    return MESSAGES[kind].format(norm=norm, without=without, count=len(parameters))


def _moved(model: nn.Module, before: Weights) -> str:
    """How far a step has moved the weights: the norm of the difference."""
    with torch.no_grad():
        distances = [(now - old).norm() for now, old in zip(model.parameters(), before, strict=False)]
    distance = torch.stack(distances).norm().item() if distances else 0.0
    return MESSAGES["moved" if distance else "moved not"].format(distance=number(distance))
