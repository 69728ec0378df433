"""The page "Convolution"."""

from pages.ui import kernel_table, lab, mnist
from playground.lessons import convolution

LABS = {"convolution_slide": kernel_table.below, "convolution_pooling": lambda _: mnist.show()}

lab.show(convolution.LESSON, extras=LABS)
