"""GFPGAN: Wang et al., "Towards Real-World Blind Face Restoration with Generative Facial Prior" (CVPR 2021)."""
