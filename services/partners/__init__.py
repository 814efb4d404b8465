"""partners: what apps are told.

Owns: an app's endpoints, and the deliveries of public events to them as Standard Webhooks.
Says: nothing yet.
Listens to: every public event, and to practices for the grants and consents that let an app hear of one.

An app hears of an event only where the practice granted it the event's type and, for an event that concerns
a client, that client consented; both when it happened and still when it is sent.

Three rooms more than other services have:
- `addresses`: which URLs and which network addresses may be called at all;
- `signing`: an endpoint's secret, made, sealed, and used to sign;
- `sender`: the process that decides who is told and calls the endpoints.
"""
