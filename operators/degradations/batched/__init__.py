"""Many images degraded at once in torch: `applying.apply_batch`. Only this subpackage of degradations loads torch."""
