"""The page "Convolution"."""

from pages.ui import lab_page as lab
from pages.ui import mnist_panel as mnist
from pages.ui import number_tables as kernel_table
from playground.lessons.convolution import lesson as convolution

LABS = {"convolution_slide": kernel_table.below, "convolution_pooling": lambda _: mnist.show()}

lab.show(convolution.LESSON, extras=LABS)
