"""What the rules of practices refuse."""


class PracticeNotFound(Exception):
    """There is no such practice."""


class MemberNotFound(Exception):
    """There is no such member."""


class ClientNotFound(Exception):
    """There is no such client."""


class EpisodeNotFound(Exception):
    """There is no such episode."""


class AppNotFound(Exception):
    """There is no such app."""


class GrantNotFound(Exception):
    """There is no such grant."""


class ConsentNotFound(Exception):
    """The client has not consented to this app."""


class AddressTaken(Exception):
    """Somebody here already has this e-mail address."""


class CrisisTextMissing(Exception):
    """A practice without a crisis text in each of its languages cannot enrol clients."""


class LanguageNotOffered(Exception):
    """The practice does not offer this language."""


class AdulthoodNotDeclared(Exception):
    """Clients are adults, declared when they are enrolled."""


class OnlyOwners(Exception):
    """Only an owner invites or suspends an owner."""


class NotYourself(Exception):
    """Nobody suspends themselves, so that a practice always keeps an owner."""


class NotAClinician(Exception):
    """Only an active clinician of the practice can have an episode."""


class NotYourEpisode(Exception):
    """A clinician starts episodes of their own; owners and admins start them for others."""


class GrantStands(Exception):
    """The app has a grant of this practice already."""
