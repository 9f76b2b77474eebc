"""How units of work travel and are never lost: source, plan, flow, ledger, sink. Knows nothing of faces."""
