"""Models from where they are published to where they are used: fetched, verified, named by jobs."""
