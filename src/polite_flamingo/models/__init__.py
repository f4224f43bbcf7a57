"""Floor 1: Flamingo, its parts, its prompt, its generation and its checkpoints."""
