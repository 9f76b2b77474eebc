"""The demo archive: pictures made from one public-domain portrait, in the kinds of file that museums keep."""
