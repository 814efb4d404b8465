"""Practices listens to nothing."""

from shared.messaging.subscriber import Subscriber

subscriber = Subscriber("practices")
