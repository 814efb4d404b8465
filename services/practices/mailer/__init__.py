"""Sends one-time codes by mail, invitations, and word to an address that it was changed, at least once each.

Codes to sign in go only to addresses that are known; it works apart from the request that asked, so that no
answer takes longer for a known one. No mail says what it is about: others may see a person's mailbox.
"""

from services.practices.mailer.rounds import send_due, send_letters

__all__ = ["send_due", "send_letters"]
