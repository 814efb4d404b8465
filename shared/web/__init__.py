"""HTTP: application, problems, conditions, idempotency, cursors, bounds, health, metrics, server."""
