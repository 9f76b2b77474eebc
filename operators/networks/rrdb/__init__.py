"""RRDBNet: Wang et al., "ESRGAN" (ECCV workshops 2018); Wang et al., "Real-ESRGAN" (ICCV workshops 2021)."""
