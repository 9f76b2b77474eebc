"""The blocks of a train job: data, output, run, and model, objective and schedule of each kind of model."""
