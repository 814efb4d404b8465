"""What people are told, in plain words that would not tell a stranger what it is about."""

SOMEBODY = "Somebody"

SENTENCES = {
    "goal.proposed": "{name} proposed a goal.",
    "goal.agreed": "{name} agreed to a goal.",
    "goal.declined": "{name} declined a goal.",
    "feedback.given": "{name} gave feedback on a session.",
    "feedback.answered": "{name} answered your feedback.",
    "client.glass_broken": "{name} used emergency access for an hour.",
}


def sentence(kind: str, name: str | None) -> str:
    """What one notification says, with the display name of the person whose doing it was."""
    return SENTENCES[kind].format(name=name or SOMEBODY)


def the_other_one(by: str, client_id: str, clinician_id: str) -> str:
    """Of the two whom a goal is between, the one who did not act."""
    return clinician_id if by == client_id else client_id
