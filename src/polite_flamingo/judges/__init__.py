"""Floor 2: models that score rewrites; a judge knows no thresholds."""
