"""What is behind each path variable: one function for each, which stores a record of one scene.

A route with a variable that has no function here fails with a sentence that says to add one. The words of a
record are planted: whoever may not take the action `<noun>.read` on it must never see one of them, anywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.feedback import domain as feedback
from services.feedback.store import Feedbacks
from services.goals.domain import Goal
from services.goals.store import Goals
from services.partners import signing
from services.partners.domain import Delivery, Endpoint
from services.partners.store import Deliveries, Endpoints
from services.practices.domain.apps import Grant
from services.practices.domain.covers import Cover
from services.practices.domain.episodes import Episode, Reason, Turn
from services.practices.domain.looks import Look
from services.practices.domain.readiness import Readiness
from services.practices.domain.sessions import Series, Session
from services.practices.domain.wishes import Wish, WishStatus
from services.practices.sign_in import grant_id
from services.practices.store.apps import Grants
from services.practices.store.covers import Covers
from services.practices.store.episodes import Episodes, Ratings, Wishes
from services.practices.store.looks import Looks
from services.practices.store.sessions import AllSeries
from services.practices.store.sign_in import SignedIn, SignIns
from shared.clock import now
from shared.ids import PLATFORM
from tests.access.cast import CLARA, EHR, MALLORY, MAYA, OTHER_APP, OURS, THEIRS, ZOE
from tests.access.expected import About
from tests.access.filled import filled


@dataclass(frozen=True)
class Scene:
    """One practice's client and clinician, with an app; `tag` tells their records apart."""

    practice: str
    client: str
    clinician: str
    app: str
    tag: str

    @property
    def colleague(self) -> str:
        """Another clinician, to whom something is handed and who never calls."""
        return f"colleague-{self.tag}"

    @property
    def ids(self) -> dict[str, str]:
        """What a path variable or a field of this name is."""
        people = {"client_id": self.client, "member_id": self.clinician, "clinician_id": self.colleague}
        return people | {"app_id": self.app, "colleague_id": self.colleague}

    @property
    def of_client(self) -> About:
        return About(self.practice, client=self.client)


SCENES = (
    Scene(OURS, MAYA, CLARA, EHR, "ours"),
    Scene(THEIRS, ZOE, MALLORY, OTHER_APP, "theirs"),
)


@dataclass(frozen=True)
class Record:
    id: str
    collection: str
    about: About
    words: tuple[str, ...] = ()
    read: str = ""
    """The action that shows it, with its words."""
    version: int = 1
    within: "tuple[Record, ...]" = ()
    """Words of it that another action shows."""


Make = Callable[[Any, Any, Scene, int], Record]
MAKERS: dict[str, tuple[str, Make]] = {}
"""By path variable: the service, and the function; it gets database, settings, scene and a number."""


def makes(variable: str, service: str) -> Callable[[Make], Make]:
    def decorate(make: Make) -> Make:
        MAKERS[variable] = (service, make)
        return make

    return decorate


def of_scene(variable: str, scene: Scene) -> Record | None:
    """Those who are in the scene itself."""
    about = {
        "client_id": scene.of_client,
        "member_id": About(scene.practice, person=scene.clinician),
        "app_id": About(),
    }
    return Record(scene.ids[variable], "", about[variable]) if variable in about else None


@makes("episode_id", "practices")
def episode(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    # The first is why the clinician is the client's own.
    clinician = scene.clinician if number == 1 else f"earlier-{scene.clinician}"
    about = {"practice_id": scene.practice, "client_id": scene.client, "clinician_id": clinician}
    written = Reason("resumed", now(), f"planted-reason-{scene.tag}-{number}")
    steps = {"started_at": now(), "clinicians": [Turn(clinician, now())], "reasons": [written]}
    made = filled(Episode, id=f"episode-{scene.tag}-{number}", **about, **steps)
    Episodes(database).add(made)
    reason = Record(made.id, "", scene.of_client, (written.text,), "episode.read_reasons")
    return Record(made.id, "episodes", scene.of_client, read="episode.read", within=(reason,))


@makes("rating_id", "practices")
def rating(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    id, about = f"rating-{scene.tag}-{number}", {"practice_id": scene.practice, "client_id": scene.client}
    Ratings(database).add(filled(Readiness, id=id, episode_id=f"episode-{scene.tag}-1", **about))
    return Record(id, "readiness", scene.of_client, (id,), "episode.read_readiness")


@makes("wish_id", "practices")
def wish(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    made = filled(
        Wish,
        id=f"wish-{scene.tag}-{number}",
        practice_id=scene.practice,
        episode_id=f"episode-{scene.tag}-{number}",
        client_id=scene.client,
        clinician_id=scene.clinician,
        text=f"planted-wish-{scene.tag}-{number}",
        # So that another can be said about the first episode, and the second is open.
        status=WishStatus.TAKEN_BACK if number == 1 else WishStatus.OPEN,
    )
    Wishes(database).add(made)
    return Record(made.id, "wishes", scene.of_client, (made.id, str(made.text)), "wish.text")


@makes("series_id", "practices")
def series(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    at, session_id = now() + timedelta(days=number), f"session-{scene.tag}-{number}"
    made = filled(
        Series,
        id=f"series-{scene.tag}-{number}",
        practice_id=scene.practice,
        episode_id=f"episode-{scene.tag}-1",
        client_id=scene.client,
        timezone="Europe/Lisbon",
        sessions=[Session(session_id, scene.clinician, at, at + timedelta(hours=1))],
        reasons={session_id: f"planted-absence-{scene.tag}-{number}"},
    )
    AllSeries(database).add(made)
    reason = Record(made.id, "", scene.of_client, tuple(made.reasons.values()), "session.read_reason")
    return Record(made.id, "series", scene.of_client, (made.id,), "session.read", within=(reason,))


@makes("session_id", "practices")
def session(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    """In the series of the same number."""
    id = f"session-{scene.tag}-{number}"
    return Record(id, "", scene.of_client, (id,), "session.read")


@makes("cover_id", "practices")
def cover(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    """Some day, not today."""
    since = now() + timedelta(days=10 * number)
    made = filled(
        Cover,
        id=f"cover-{scene.tag}-{number}",
        practice_id=scene.practice,
        member_id=scene.clinician,
        covered_by=scene.colleague,
        since=since,
        until=since + timedelta(days=1),
    )
    Covers(database).add(made)
    about = About(scene.practice, person=scene.clinician)
    return Record(made.id, "covers", about, (made.id,), "cover.list")


@makes("look_id", "practices")
def look(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    """By the clinician, who may see the client anyway."""
    made = filled(
        Look,
        id=f"look-{scene.tag}-{number}",
        practice_id=scene.practice,
        client_id=scene.client,
        member_id=scene.clinician,
        reason=f"planted-emergency-{scene.tag}-{number}",
        ends_at=now() + timedelta(minutes=30),
    )
    Looks(database).add(made)
    about = About(scene.practice, client=scene.client, person=scene.clinician)
    reason = Record(made.id, "", about, (made.reason,), "look.reason")
    return Record(made.id, "looks", about, (made.id,), "look.read", within=(reason,))


@makes("sign_in_id", "practices")
def sign_in(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    person, kind = ((scene.client, "client"), (scene.clinician, "member"))[number - 1]
    made = filled(
        SignedIn,
        id=f"sign-in-{scene.tag}-{number}",
        practice_id=scene.practice,
        person_id=person,
        kind=kind,
        expires_at=now() + timedelta(days=1),
    )
    SignIns(database).add(made, 10)
    return Record(made.id, "sign_ins", About(scene.practice, person=person), (made.id,), "sign_in.list")


@makes("grant_id", "practices")
def grant(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    app_id, word = f"app-of-{scene.tag}-{number}", f"planted.{scene.tag}"
    made = filled(
        Grant,
        id=grant_id(scene.practice, app_id),
        practice_id=scene.practice,
        app_id=app_id,
        scopes=[word],
        givings={f"giving-{number}": None},
    )
    Grants(database).add(made)
    return Record(made.id, "grants", About(scene.practice), (word,), "grant.read")


@makes("goal_id", "goals")
def goal(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    words = f"planted-goal-{scene.tag}-{number}", f"planted-why-{scene.tag}-{number}"
    made = Goal.propose(
        f"goal-{scene.tag}-{number}",
        scene.practice,
        scene.client,
        scene.clinician,
        # The second waits for the clinician, the first for the client.
        scene.clinician if number == 1 else scene.client,
        now(),
        *words,
    )
    Goals(database).add(made)
    return Record(made.id, "goals", scene.of_client, (made.id, *words), "goal.read")


@makes("feedback_id", "feedback")
def given_feedback(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    words = f"planted-helped-{scene.tag}-{number}", f"planted-hindered-{scene.tag}-{number}"
    made = feedback.Feedback.give(
        f"feedback-{scene.tag}-{number}",
        scene.practice,
        scene.client,
        scene.clinician,
        now(),
        date(2026, 1, 20),
        feedback.Ratings(9, 8, 7, 6, 5),
        *words,
    )
    Feedbacks(database).add(made)
    return Record(made.id, "feedback", scene.of_client, (made.id, *words), "feedback.read")


@makes("notification_id", "notifications")
def notification(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    person, by = (scene.client, scene.clinician)[:: 1 if number == 1 else -1]
    made = {
        "_id": f"notification-{scene.tag}-{number}",
        "practice_id": scene.practice,
        "person_id": person,
        "kind": "goal.proposed",
        "about_id": f"planted-about-{scene.tag}-{number}",
        "by": by,
        "at": now(),
        "read_at": None,
    }
    database["notifications"].insert_one(made)
    about = About(scene.practice, person=person)
    words = made["_id"], made["about_id"]
    return Record(made["_id"], "notifications", about, words, "notification.read")


@makes("endpoint_id", "partners")
def endpoint(database: Any, settings: Any, scene: Scene, number: int) -> Record:
    id, host = f"endpoint-{scene.tag}-{number}", f"planted-{scene.tag}-{number}.example"
    sealed = signing.seal(signing.new_secret(), settings.key("webhooks"))
    Endpoints(database).add(Endpoint(id, PLATFORM, scene.app, f"https://{host}/hook", sealed, now()))
    event = f"planted-event-{scene.tag}-{number}"
    due = now() + timedelta(days=1)
    Deliveries(database).add(
        [Delivery(f"delivery-{id}", scene.practice, id, event, "goal.agreed", now(), due)]
    )
    about = About(PLATFORM, app=scene.app)
    return Record(id, "endpoints", about, (id, host, event), "endpoint.read")
