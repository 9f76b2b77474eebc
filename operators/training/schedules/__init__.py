"""How each model of the house is trained: networks, objective and the order of steps, with its paper's settings."""
