"""Taking a run away and continuing from it: checkpoints, weight files, replays, branches."""
