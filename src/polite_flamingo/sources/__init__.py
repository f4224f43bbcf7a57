"""Floor 2: the source data sets, from their official files to samples."""
