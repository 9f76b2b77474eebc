"""What trains the generators: terms of objectives, discriminators, samples made on the fly, steps of optimisation."""
