"""The lab Sizes: how large the output of one convolution or pooling is, and which pixels no window reads."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet
from playground.lessons.convolution.figures import sizes
from playground.lessons.convolution.kernels import Axis, stride_note


@dataclass(frozen=True)
class SizesConfig(Config):
    """A square image and a square window."""

    # fmt: off
    size: int = knob(28, "Image size n", group="Image", live=True, bar=True, lo=1, hi=64, step=1)
    window: int = knob(5, "Window k", group="Window", live=True, bar=True, lo=1, hi=11, step=1)
    stride: int = knob(1, "Stride s", group="Window", live=True, bar=True, lo=1, hi=8, step=1)
    padding: int = knob(2, "Padding p", group="Window", live=True, bar=True, lo=0, hi=8, step=1)
    dilation: int = knob(1, "Dilation d", group="Window", live=True, lo=1, hi=4, step=1)
    # fmt: on


NOTE = (
    "**⌊(n + 2p − d·(k − 1) − 1) / s⌋ + 1** = ⌊({size} + 2·{padding} − {dilation}·({window} − 1) − 1) / {stride}⌋ + 1 "
    "= ⌊{room} / {stride}⌋ + 1 = **{out}**. A {size} × {size} image becomes **{out} × {out}**. torch agrees: `conv2d` "
    "gives {by_torch} × {by_torch}.{rest}{gaps}"
)
LINE = "F.conv2d(image, kernel, stride={stride}, padding={padding}, dilation={dilation}).shape"
ANSWER = "torch.Size([1, 1, {size}, {size}])"
GAPS = {
    False: "",
    True: " The windows leave gaps: {count} of the {size} pixels of each row lie in them and are not read.",
}


def size_by_torch(axis: Axis) -> int:
    """The size of conv2d's output for a square image; on the device "meta" torch computes only shapes."""
    image = torch.empty(1, 1, axis.size, axis.size, device="meta")
    kernel = torch.empty(1, 1, axis.window, axis.window, device="meta")
    out = functional.conv2d(image, kernel, stride=axis.stride, padding=axis.padding, dilation=axis.dilation)
    return int(out.shape[-1])


def draw_sizes(config: SizesConfig) -> Sheet:
    """The sheet: the windows along one axis, and the formula with its numbers."""
    axis = Axis(config.size, config.window, config.stride, config.padding, config.dilation)
    taps = [index * axis.dilation for index in range(axis.window)]
    starts, unread = axis.starts(), axis.unread()
    inside = [pixel for pixel in unread if pixel < starts[-1] + axis.span]
    numbers = {"size": axis.size, "padding": axis.padding, "dilation": axis.dilation, "window": axis.window,
               "stride": axis.stride, "room": axis.room, "out": axis.out}  # fmt: skip
    note = NOTE.format(**numbers, by_torch=size_by_torch(axis), rest=stride_note(axis),
                       gaps=GAPS[bool(inside)].format(count=len(inside), size=axis.size))  # fmt: skip
    chart = sizes.windows(axis.size, axis.padding, starts, taps, unread)
    return Sheet({"windows": chart}, note, line=LINE.format(**numbers), answer=ANSWER.format(size=size_by_torch(axis)))


LAB = Lab(
    name="convolution_sizes",
    title="Sizes",
    sentence="Each line is one window along a row of pixels, and gives one number. Dotted: where padding begins.",
    config=SizesConfig,
    draw=draw_sizes,
    charts=(Chart("windows", "Windows along one row", "A line for each window, over the pixels it reads."),),
)
