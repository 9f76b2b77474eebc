"""GFPGAN and GPEN: restorers that run a generator with published weights."""
