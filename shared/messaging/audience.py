"""Who may hear of an event: `PUBLIC` ones may leave the platform, `INTERNAL` ones never do."""

PUBLIC = "public"
INTERNAL = "internal"
