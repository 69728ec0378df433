"""The page "Activations"."""

from pages.ui import lab
from playground.lessons import activations

lab.show(activations.LESSON)
