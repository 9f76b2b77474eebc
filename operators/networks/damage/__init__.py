"""A small U-Net that sees damage on photographs."""
