"""What was taken out of a picture, kept so that a passcode gives it back to the bit."""
