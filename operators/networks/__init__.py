"""The generators and the networks beside them, in the layouts in which their authors published the weights."""
