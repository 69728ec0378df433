"""The page "Activations"."""

from pages.ui import lab_page
from playground.lessons.activations.lesson import LESSON

lab_page.show(LESSON)
