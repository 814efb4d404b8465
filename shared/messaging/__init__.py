"""Events out through the relay, events in through the subscriber."""
