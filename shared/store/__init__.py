"""MongoDB: aggregates that carry their own outbox, and read models fed by events."""
