"""What feedback hears: who may see which client, and what a client in distress is told."""

from shared import safety
from shared.messaging.subscriber import Subscriber
from shared.security import access

subscriber = Subscriber("feedback")
access.follow(subscriber)
safety.follow(subscriber)
