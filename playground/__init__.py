"""PyTorch Playground's engine room: real training, with no web framework in sight."""
