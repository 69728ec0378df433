"""Digits of a student's own: drawn on the pad or uploaded, and made into images like MNIST's."""
