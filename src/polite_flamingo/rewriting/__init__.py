"""Floor 4: systems that turn a draft into a polite response, and the run over a whole data set."""
