"""The lesson "Training loop": one step line by line, the shapes on the way, and a clinic of faults that say nothing."""
