"""Floor 5: what is made of a finished run: versions, promotion, the account of its data."""
