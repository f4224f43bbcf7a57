"""Evaluation: text metrics, win rates, checks of rewrites, and the figures of the report."""
