"""Seeing a run from its ledger alone while it goes on: snapshots, a live terminal view and a page on this machine."""
