"""Charts that lessons around one training have in common."""

from __future__ import annotations

from playground.lesson import Chart, Toggle

LOSS = Chart(
    "loss",
    "Loss",
    "Training and test loss over steps.",
    toggles=(Toggle("log", "Log scale"),),
    pins=True,
    strip=True,
)
GRADIENTS = Chart("gradients", "Gradients", "Norm of each layer's gradient and update over steps.", every=4)
