"""The page "Activations"."""

from pages.ui import lab_page as lab
from playground.lessons.activations import lesson as activations

lab.show(activations.LESSON)
