"""The sender: `fanout` decides who is told of an event, `attempt` calls one endpoint, `process` runs both."""
