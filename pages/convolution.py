"""The page "Convolution"."""

from pages.ui import lab_page
from pages.ui.widgets import layer_table, mnist_panel, number_tables
from playground.lessons.convolution.lesson import LESSON
from playground.lessons.convolution.slide import SlideConfig


def kernel_and_digits(config: SlideConfig) -> None:
    """The kernel as a table to edit, and which digits the lab uses."""
    number_tables.kernel("convolution_slide", config)
    mnist_panel.show()


lab_page.show(
    LESSON,
    {
        "convolution_slide": kernel_and_digits,
        "convolution_pooling": lambda _: mnist_panel.show(),
        "convolution_chain": lambda config: layer_table.layers("convolution_chain", config),
    },
)
