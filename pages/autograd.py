"""The page "Autograd"."""

from pages.ui import lab_page
from playground.lessons.autograd.lesson import LESSON

lab_page.show(LESSON)
