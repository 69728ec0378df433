"""Runs on worker threads, fairly sliced, and the frames their viewers get."""
