"""MobileStyleGAN: Belousov 2021, arXiv 2104.04767, a StyleGAN2 distilled into wavelets and separable convolutions."""
