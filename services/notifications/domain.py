"""What people are told, in plain words that would not tell a stranger what it is about."""

SOMEBODY = "Somebody"

SENTENCES = {
    "client.joined": "{name} has accepted your invitation.",
    "episode.paused": "{name} takes a break for now.",
    "episode.resumed": "{name} would like to go on.",
    "episode.ended": "{name} has ended for now.",
    "episode.closed": "{name} has brought it to a close.",
    "episode.transferred": "It is you and {name} from now on.",
    "episode.resume_asked": "Is this a good time to go on with {name}?",
    "episode.readiness_rated": "{name} has said how ready they feel.",
    "episode.check_in_due": "It is time to look in on {name}.",
    "episode.another_clinician_wished": "{name} has a request for you.",
    "episode.another_clinician_wish_taken_back": "{name} has taken a request back.",
    "episode.another_clinician_wish_settled": "{name} has seen to your request.",
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
