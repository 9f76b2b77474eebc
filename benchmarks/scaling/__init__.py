"""The real flow with timed sleeps for operators, on logical GPUs: throughput against ideal, and what limits it."""
