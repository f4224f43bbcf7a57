"""MLflow: live curves of a training, and runs and model versions brought in from the outs."""
