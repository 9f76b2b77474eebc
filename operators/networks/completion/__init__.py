"""Face completion with attributes: Chen, Nie, Wu, Healey, arXiv 1801.07632 (2018). The layout is this house's own.

The authors published neither weights nor code. `generator` and `discriminator` are what is trained, `folded` is what an
engine executes, `packing` makes the one tensor that goes in, `growth` says which stage of the growth comes when.
"""
