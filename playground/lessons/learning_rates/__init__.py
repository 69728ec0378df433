"""The lesson Learning rates: sweeps of many trainings at once, schedules, rate and momentum."""
