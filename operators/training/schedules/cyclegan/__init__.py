"""Training of CycleGAN: Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Networks" (2017)."""
