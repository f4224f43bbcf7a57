"""Floor 3: from scores to a decision; no filter loads a model."""
