"""The training behind PyTorch Playground: plain Python and torch, and no web framework."""
