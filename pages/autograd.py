"""The page "Autograd"."""

from pages.ui import lab
from playground.lessons import autograd

lab.show(autograd.LESSON)
