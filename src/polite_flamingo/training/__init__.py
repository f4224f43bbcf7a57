"""Floor 3: one training loop for everything, and the batches it eats."""
