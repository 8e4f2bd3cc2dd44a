"""Figures of the app, as ratios within one run or as counts: `python -m benchmarks.<name>`."""
