"""Runs on training threads, fairly sliced, and the frames their viewers get."""
