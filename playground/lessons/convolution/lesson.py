"""The lesson Convolution: what a convolutional layer computes, number by number, before one is trained (3.1)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.convolution import chain, pooling, sizes, slide

LESSON = LabLesson(
    name="convolution",
    title="Convolution",
    sentence="A small window of weights slides over an image: what comes out, and how large it is.",
    minutes=30,
    labs=(slide.LAB, pooling.LAB, sizes.LAB, chain.LAB),
    code=(slide.convolve, pooling.pool, chain.passes),
)
