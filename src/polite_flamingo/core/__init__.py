"""Floor 0: the records, files and seeds every other room is built on."""
