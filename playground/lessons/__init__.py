"""The lessons, in the order they are taught."""

from playground.lesson import Lesson
from playground.lessons import regression

LESSONS: dict[str, Lesson] = {lesson.name: lesson for lesson in (regression.LESSON,)}
