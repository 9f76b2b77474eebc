"""Networks as they are executed: frozen, with every constant computed once.

The leaky ReLU is positively homogeneous, so its gain sqrt(2) moves into whatever stands before it; learning-rate
factors and filter gains move into weights. What is left is the same for all layouts of a family.
"""
