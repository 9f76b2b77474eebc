"""`job: train`: from a job file to a trained network, its checkpoints, its curves and its report."""
