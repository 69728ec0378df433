"""The page "Autograd"."""

from pages.ui import lab_page as lab
from playground.lessons.autograd import lesson as autograd

lab.show(autograd.LESSON)
