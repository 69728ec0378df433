"""Taking a run away and going on from it: checkpoints, weight files, replays, branches."""
