"""What models learn from: points on curves, and surfaces to descend."""
