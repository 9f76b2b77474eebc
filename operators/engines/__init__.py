"""What executes a network: one contract, one module a backend, and the choice between them."""
