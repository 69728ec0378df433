"""The lesson Activations: nonlinear functions between layers, their slopes, and what they do to depth."""
