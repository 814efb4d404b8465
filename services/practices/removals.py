"""Hands over the open episodes of members who leave, by the plan that their removal stored.

It is done at once, by the request that removes; and by a timer, which finishes what a kill left and looks
for a while for an episode that was just being started. Whoever does it finds an episode already handed
over and goes on.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from services.practices.domain.episodes import OPEN, EpisodeOpen, TooManySteps
from services.practices.domain.members import Member
from services.practices.domain.removals import Removal
from services.practices.store.episodes import Episodes
from services.practices.store.people import Due, Members
from shared.clock import now
from shared.correlation import correlated
from shared.ids import new_id
from shared.store.aggregates import OutboxFull, StaleVersion
from shared.store.client import StoreUnavailable
from shared.timer import GoOn, Timer

log = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(seconds=5)
LEFT_AGAIN_AFTER = timedelta(minutes=5)


def hand_over_due(database: Any, at: datetime, go_on: GoOn) -> None:
    members = Members(database)
    for due in members.due("removal_due", at):
        if not go_on():
            return
        with correlated(new_id()):
            members.settle(due, _look_again(database, due, at))


def hand_over(database: Any, member: Member, at: datetime) -> bool:
    """Whether none of their open episodes is left."""
    removal, episodes = member.removal, Episodes(database).open_of(member.practice_id, member.id)
    left = [id for id in episodes if removal and not _transfer(database, member, removal, id, at)]
    return not left


def _look_again(database: Any, due: Due, at: datetime) -> datetime | None:
    """When, unless no episode can be left."""
    try:
        member = Members(database).get(due.practice_id, due.id)
        done, removal = hand_over(database, member, at), member.removal
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one record that cannot be read holds up no other
        log.error("Caseload not handed over", extra={"error": type(error).__name__, "member_id": due.id})
        return at + LEFT_AGAIN_AFTER
    if removal is None or not removal.is_over(at):
        return at + AGAIN_AFTER
    return None if done else at + LEFT_AGAIN_AFTER


def _transfer(database: Any, member: Member, removal: Removal, episode_id: str, at: datetime) -> bool:
    try:
        return _transferred(database, member, removal, episode_id, at)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one record that cannot be read holds up no other
        about = {"error": type(error).__name__, "episode_id": episode_id}
        log.error("Episode not handed over", extra=about)
        return False


def _transferred(database: Any, member: Member, removal: Removal, episode_id: str, at: datetime) -> bool:
    members, episodes = Members(database), Episodes(database)
    to = members.find(member.practice_id, removal.successor(episode_id) or "")
    if to is None or not to.cares:
        # The practice's warnings say so; nobody is given a client whom they were not meant to have.
        log.warning("Episode left without clinician", extra={"episode_id": episode_id})
        return False
    while True:
        episode = episodes.get(member.practice_id, episode_id)
        if episode.clinician_id != member.id or episode.status not in OPEN:
            return True
        try:
            episode.transfer(to, removal.by, at)
            episodes.save(episode)
        except StaleVersion:
            continue
        except (OutboxFull, TooManySteps, EpisodeOpen):
            # The last where the successor cares for this client already: somebody has to see to it.
            return False
        return True


handing_over = Timer("removals", lambda database, _, go_on: hand_over_due(database, now(), go_on), rest=10)
