"""The programs that the lesson Autograd runs and shows line by line; mistakes.py and tutorial.py explain them."""

# ruff: noqa: D103
# mypy: disable-error-code="no-untyped-call, operator"

from __future__ import annotations

import torch
from torch.autograd import Variable

from playground.lessons.run_line_by_line import Print

Numbers = tuple[tuple[float, float], tuple[float, float]]


def tutorial(print: Print, numbers: Numbers) -> None:
    tensor = torch.FloatTensor(numbers)
    variable = Variable(tensor, requires_grad=True)
    print(variable)
    print(tensor)
    t_out = torch.mean(tensor * tensor)
    v_out = torch.mean(variable * variable)
    print(t_out)
    print(v_out)
    v_out.backward()
    print(variable.grad)
    print(variable.data)
    print(variable.data.numpy())
    print(t_out.grad_fn, tensor.grad)
    print(type(variable), isinstance(tensor, Variable))


def today(print: Print, numbers: Numbers) -> None:
    tensor = torch.tensor(numbers)
    v = torch.tensor(numbers, requires_grad=True)
    print(v)
    out = (v * v).mean()
    print(out)
    out.backward()
    print(v.grad)
    print(v.detach())
    print(v.detach().numpy())
    print(out.item())
    print((tensor * tensor).mean().requires_grad)


def not_a_leaf(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = 3 * x
    y.sum().backward()
    print(y.grad)


def not_a_leaf_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = 3 * x
    y.retain_grad()
    y.sum().backward()
    print(y.grad)


def not_asked(print: Print) -> None:
    x = torch.tensor([1.0, 2.0])
    y = (x**2).sum()
    y.backward()
    print(x.grad)


def not_asked_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x**2).sum()
    y.backward()
    print(x.grad)


def integers(print: Print) -> None:
    x = torch.tensor([1, 2], requires_grad=True)
    y = (x**2).sum()
    y.backward()
    print(x.grad)


def integers_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x**2).sum()
    y.backward()
    print(x.grad)


def detached(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x.detach() ** 2).sum()
    y.backward()
    print(x.grad)


def detached_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x**2).sum()
    y.backward()
    print(x.grad)


def half_detached(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x.detach() * x).sum()
    y.backward()
    print(x.grad)


def half_detached_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    print(x.grad)


def under_no_grad(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.no_grad():
        y = (x**2).sum()
    y.backward()
    print(x.grad)


def under_no_grad_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x**2).sum()
    y.backward()
    print(x.grad)


def leaf_in_place(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x += 1
    x.sum().backward()
    print(x.grad)


def leaf_in_place_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.no_grad():
        x += 1
    x.sum().backward()
    print(x.grad)


def view_in_place(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x[0] = 5.0
    (x**2).sum().backward()
    print(x.grad)


def view_in_place_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.clone()
    y[0] = 5.0
    (y**2).sum().backward()
    print(x.grad)


def needed_later(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.exp(x)
    y += 1
    y.sum().backward()
    print(x.grad)


def needed_later_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.exp(x)
    y = y + 1
    y.sum().backward()
    print(x.grad)


def second_backward(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x**2).sum()
    y.backward()
    y.backward()
    print(x.grad)


def second_backward_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x**2).sum()
    y.backward(retain_graph=True)
    y.backward()
    print(x.grad)


def many_numbers(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x**2
    y.backward()
    print(x.grad)


def many_numbers_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x**2
    y.sum().backward()
    print(x.grad)


def replaced(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x**2).sum().backward()
    x = x - 0.1 * x.grad
    (x**2).sum().backward()
    print(x.grad)


def replaced_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x**2).sum().backward()
    with torch.no_grad():
        x -= 0.1 * x.grad
    x.grad = None
    (x**2).sum().backward()
    print(x.grad)


def unused(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    (x**2).sum().backward()
    print(w.grad)


def unused_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    (w * x**2).sum().backward()
    print(w.grad)


def to_numpy(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x**2
    print(y.numpy())


def to_numpy_fixed(print: Print) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x**2
    print(y.detach().numpy())
