"""Requests about clients: enrolled, invited, changed, listed; consents and what apps call them."""

import pytest

from services.practices.domain.addresses import look_up
from services.practices.domain.clients import ClientStatus, EmergencyContact
from services.practices.domain.invitations import LETTERS
from services.practices.domain.looks import TRIES
from services.practices.domain.members import Role
from services.practices.store.people import Clients
from shared.clock import now
from shared.ids import new_id
from tests.practices.asking import problem

CONTACT = {"name": "Rui", "relation": "brother", "phone": "+351 912 345 678"}
GOALS = {"covers": ["goal"]}


def body(**about):
    return {
        "display_name": "Maya",
        "email": "maya@example.org",
        "language": "en",
        "timezone": "Europe/Lisbon",
        "adult": True,
    } | about


def test_a_clinician_enrols_a_client_and_starts_with_them(world, as_, clara):
    by = as_(clara)

    client = by.post("/clients", body()).json
    path = f"/clients/{client['id']}"
    episode = by.post(f"{path}/episodes")

    assert episode.status_code == 201
    assert (client["status"], client["invitation"], client["warning"]) == ("enrolled", None, None)
    assert episode.json["clinician_id"] == clara.id
    assert by.get(path).json["email"] == "maya@example.org"
    assert by.get(f"{path}/episodes").json["items"] == [episode.json]
    assert by.get(f"/episodes/{episode.json['id']}").json == episode.json
    assert [item["id"] for item in by.get("/clients").json["items"]] == [client["id"]]
    assert world.told("episodes") == ["episode.started"]


def test_all_that_is_known_of_how_to_reach_a_client_is_kept_and_may_be_left_out(as_, clara):
    reach = {"pronouns": "she/her", "phone": "+351 912345678", "usual_place": "At home,\nRua do Sol 1"}

    full = as_(clara).post("/clients", body(**reach, emergency_contact=CONTACT)).json
    bare = as_(clara).post("/clients", body(email="noah@example.org")).json

    assert {name: full[name] for name in reach} == reach
    assert full["emergency_contact"] == CONTACT
    assert {bare[name] for name in (*reach, "emergency_contact")} == {None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"adult": False},
        {"adult": None},
        {"adult": "true"},
        {"adult": 1},
        {"phone": "call me"},
        {"phone": "+351 1\n2345"},
        {"timezone": "Mars/Olympus"},
        {"emergency_contact": {"name": "Rui"}},
        {"emergency_contact": {**CONTACT, "email": "rui@example.org"}},
        {"pronouns": "x" * 51},
        {"status": "active"},
        {"practice_id": "another"},
        {"invite": "yes"},
    ],
)
def test_what_is_no_client_is_refused(as_, clara, wrong):
    assert problem(as_(clara).post("/clients", body(**wrong))) == (422, "invalid")


def test_an_address_is_one_clients(as_, clara):
    as_(clara).post("/clients", body())

    assert problem(as_(clara).post("/clients", body(email="MAYA@example.org"))) == (409, "address-taken")


def test_an_address_that_was_written_down_wrong_is_corrected_and_lets_nobody_in(world, as_, clara):
    wrong = world.invited_client("wrong@example.org")
    world.episode(wrong, clara)
    by = as_(clara)

    corrected = by.patch(f"/clients/{wrong.id}", {"email": "right@example.org"}, match=1)
    kept = Clients(world.database).get(world.practice.id, wrong.id)
    invited = by.post(f"/clients/{wrong.id}/invitation", match=2)

    assert (corrected.json["email"], corrected.json["status"]) == ("right@example.org", "enrolled")
    assert not kept.may_sign_in(now())
    assert kept.invitation_due is None
    assert kept.address == look_up("right@example.org", world.settings.key("email"))
    assert kept.contact != wrong.contact
    assert (invited.json["status"], invited.json["invitation"]["number"]) == ("invited", 2)


def test_the_same_address_again_leaves_the_invitation_good(world, as_, clara):
    maya = world.invited_client("maya@example.org")
    world.episode(maya, clara)

    same = as_(clara).patch(f"/clients/{maya.id}", {"email": "Maya@example.org"}, match=1)

    assert (same.json["email"], same.json["status"]) == ("Maya@example.org", "invited")
    assert Clients(world.database).get(world.practice.id, maya.id).may_sign_in(now())


def test_who_got_many_letters_today_holds_up_no_others_invitation(world, as_, olivia):
    first, second = sorted((world.enrolled(), world.enrolled()), key=lambda one: one.id)
    for number in range(1, LETTERS + 1):
        as_(olivia).post(f"/clients/{first.id}/invitation", match=number)
    as_(olivia).patch(f"/clients/{first.id}", {"email": "right@example.org"}, match=LETTERS + 1)

    all_of_them = as_(olivia).post("/client-invitations", {"who": "all"})

    assert all_of_them.json == {"invited": 1, "remaining": 1}
    assert Clients(world.database).get(world.practice.id, second.id).invitation_due is not None


def test_who_is_a_client_is_not_found_out_by_trying(world, as_, clara, olivia):
    taken = {world.client().email for _ in range(TRIES)}
    others = world.client(), world.app()
    as_(olivia).put(link(*others), {"external_id": "x-1"}, match=1)
    own = world.client()
    world.episode(own, clara)

    enrolled = as_(clara).post("/clients", body(), key="k")
    answers = [as_(clara).post("/clients", body(email=email)) for email in taken]
    free, path = {"email": "free@example.org"}, f"/clients/{enrolled.json['id']}"
    more = [
        as_(clara).post("/clients", body(email=taken.pop())),
        as_(clara).post("/clients", body(**free)),
        as_(clara).patch(path, free, match=1),
        as_(clara).put(link(own, others[1]), {"external_id": "x-1"}, match=1),
        as_(clara).put(link(own, others[1]), {"external_id": "free"}, match=1),
    ]
    office = as_(olivia).post("/clients", body(email=taken.pop()))
    usual = [
        as_(clara).patch(path, {"pronouns": "she"}, match=1),
        as_(clara).post("/clients", body(), key="k"),
    ]

    assert {problem(answer) for answer in answers} == {(409, "address-taken")}
    assert {problem(answer) for answer in more} == {(429, "too-many-looks")}
    assert problem(office) == (409, "address-taken")
    assert [answer.status_code for answer in usual] == [200, 200]


def test_who_repeats_an_enrolment_is_shown_the_client_only_while_they_may_see_them(world, as_, clara, daniel):
    enrolled = as_(clara).post("/clients", body(), key="k")
    repeated = as_(clara).post("/clients", body(), key="k")
    world.episode(Clients(world.database).get(world.practice.id, enrolled.json["id"]), daniel)

    later = as_(clara).post("/clients", body(), key="k")

    assert (repeated.status_code, repeated.json["id"]) == (200, enrolled.json["id"])
    assert problem(later) == (404, "not-here")


def test_who_enrols_finds_the_client_in_the_list_until_somebody_else_cares_for_them(
    world, as_, clara, daniel, olivia
):
    supervisor = world.supervisor(clara)
    mine, treated = (world.enrolled(enrolled_by=clara.id) for _ in range(2))
    world.enrolled(enrolled_by=daniel.id)
    world.episode(treated, daniel)

    def ids(who):
        return [item["id"] for item in as_(who).get("/clients").json["items"]]

    assert ids(clara) == ids(supervisor) == [mine.id]
    assert len(ids(olivia)) == 3


def test_without_a_crisis_text_clients_are_enrolled_with_a_warning_and_never_invited(world, as_, clara):
    world.change_practice(crisis_texts={})
    by = as_(clara)

    enrolled = by.post("/clients", body(), key="k")
    again = by.post("/clients", body(), key="k")
    invited = by.post("/clients", body(email="noah@example.org", invite=True))
    later = by.post(f"/clients/{enrolled.json['id']}/invitation", match=1)

    assert [answer.status_code for answer in (enrolled, again)] == [201, 200]
    assert enrolled.json["warning"] == again.json["warning"]
    assert "crisis text in en" in enrolled.json["warning"]
    assert problem(invited) == problem(later) == (409, "crisis-text-missing")
    assert "en" in later.json["detail"]


@pytest.mark.parametrize(
    ("policy", "invite", "status"),
    [
        ({}, None, "enrolled"),
        ({}, True, "invited"),
        ({"invite_at_enrolment": True}, None, "invited"),
        ({"invite_at_enrolment": True}, False, "enrolled"),
    ],
)
def test_who_is_enrolled_is_invited_at_once_where_the_practice_or_the_request_says_so(
    world, as_, clara, policy, invite, status
):
    world.change_practice(policy=policy)

    enrolled = as_(clara).post("/clients", body() if invite is None else body(invite=invite))

    assert enrolled.json["status"] == status
    kept = Clients(world.database).get(world.practice.id, enrolled.json["id"])
    assert (kept.invitation_due is not None) == (status == "invited")


def test_an_invitation_is_sent_again_within_bounds(world, as_, clara):
    maya = world.enrolled(enrolled_by=clara.id)

    answers = [as_(clara).post(f"/clients/{maya.id}/invitation", match=n) for n in range(1, 7)]
    repeated = as_(clara).post(f"/clients/{maya.id}/invitation", match=5)

    assert [answer.status_code for answer in answers] == [200] * 5 + [409]
    assert repeated.status_code == 412
    assert [answer.json["invitation"]["number"] for answer in answers[:5]] == [1, 2, 3, 4, 5]
    assert problem(answers[5]) == (409, "invited-too-often")


def test_who_has_joined_is_not_invited(world, as_, olivia):
    answer = as_(olivia).post(f"/clients/{world.client().id}/invitation", match=1)

    assert problem(answer) == (409, "joined-already")


def test_only_who_is_invited_can_sign_in(world):
    maya, clients = world.enrolled(), Clients(world.database)

    before = clients.with_address(maya.address)
    maya.invite(world.practice, now())
    clients.save(maya)

    assert (before, [one.id for one in clients.with_address(maya.address)]) == ([], [maya.id])


def test_everybody_is_invited_in_bounded_steps(world, as_, olivia):
    joined, there = world.client(), world.another_practice().enrolled()
    for _ in range(101):
        world.enrolled()

    answers = [as_(olivia).post("/client-invitations", {"who": "all"}).json for _ in range(3)]

    assert answers == [
        {"invited": 100, "remaining": 1},
        {"invited": 1, "remaining": 0},
        {"invited": 0, "remaining": 0},
    ]
    kept = Clients(world.database)
    assert kept.get(joined.practice_id, joined.id).invitation.number == 1
    assert kept.get(there.practice_id, there.id).status is ClientStatus.ENROLLED


def test_some_are_invited_and_the_others_left(world, as_, olivia):
    enrolled, other, joined = world.enrolled(), world.enrolled(), world.client()
    there = world.another_practice().enrolled()
    ids = [enrolled.id, joined.id, there.id, new_id()]

    answer = as_(olivia).post("/client-invitations", {"clients": ids})

    assert answer.json == {"invited": 1, "remaining": 1}
    kept = Clients(world.database)
    assert kept.get(world.practice.id, enrolled.id).status is ClientStatus.INVITED
    assert kept.get(world.practice.id, other.id).status is ClientStatus.ENROLLED
    assert kept.get(there.practice_id, there.id).status is ClientStatus.ENROLLED


@pytest.mark.parametrize("wrong", [{"who": "some"}, {"clients": "all"}, {"clients": ["x"] * 101}, {"x": 1}])
def test_whom_to_invite_is_said_clearly(as_, olivia, wrong):
    assert problem(as_(olivia).post("/client-invitations", wrong)) == (422, "invalid")


def test_clinicians_do_not_invite_everybody(as_, clara):
    assert as_(clara).post("/client-invitations", {"who": "all"}).status_code == 404


def test_a_client_changes_how_they_are_reached(world, as_):
    maya = world.client()
    given = {"pronouns": "she/her", "emergency_contact": CONTACT, "timezone": "UTC"}

    answer = as_(maya).patch(f"/clients/{maya.id}", given, match=1)

    assert {name: answer.json[name] for name in given} == given
    assert answer.json["display_name"] == maya.display_name
    kept = Clients(world.database).get(world.practice.id, maya.id)
    assert kept.emergency_contact == EmergencyContact(**CONTACT)
    assert (
        as_(maya).patch(f"/clients/{maya.id}", {"emergency_contact": None}, match=2).json["emergency_contact"]
        is None
    )
    assert world.told("clients").count("client.changed") == 1


def test_a_client_does_not_change_who_they_are_to_the_practice(world, as_, olivia):
    maya, path = world.client(), "/clients/{}"

    own = as_(maya).patch(path.format(maya.id), {"display_name": "Somebody"}, match=1)
    office = as_(olivia).patch(path.format(maya.id), {"display_name": "Maya M"}, match=1)

    assert problem(own) == (403, "for-the-practice")
    assert office.json["display_name"] == "Maya M"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"email": "new@example.org"}, 409),
        ({"email": "nobody"}, 422),
        ({"status": "active"}, 422),
        ({"display_name": None}, 422),
        ({"language": "de"}, 409),
        ({"phone": ""}, 422),
        ({"usual_place": "x" * 501}, 422),
    ],
)
def test_what_cannot_be_changed_so_is_refused(world, as_, olivia, wrong, status):
    maya = world.client()

    assert as_(olivia).patch(f"/clients/{maya.id}", wrong, match=1).status_code == status
    assert Clients(world.database).get(world.practice.id, maya.id).version == 1


def test_a_change_names_the_version_seen(world, as_, olivia):
    maya = world.client()

    unseen = as_(olivia).patch(f"/clients/{maya.id}", {"phone": None})
    stale = as_(olivia).patch(f"/clients/{maya.id}", {"phone": None}, match=7)

    assert (unseen.status_code, stale.status_code) == (428, 412)


def test_whoever_is_not_entitled_finds_nobody_to_change(world, as_, clara):
    maya = world.client()
    there = world.another_practice().member(Role.OWNER)

    for who in (clara, world.client(), there, world.app()):
        assert as_(who).patch(f"/clients/{maya.id}", {"nonsense": 1}).status_code == 404
        assert as_(who).post(f"/clients/{maya.id}/invitation").status_code == 404


def test_clients_are_listed_by_status_and_clinician(world, as_, clara, olivia):
    enrolled, maya, noah = world.enrolled(), world.client(), world.client()
    world.episode(maya, clara)
    world.episode(noah, world.member(Role.CLINICIAN))

    def ids(who, query=""):
        return {item["id"] for item in as_(who).get(f"/clients{query}").json["items"]}

    assert ids(olivia) == {enrolled.id, maya.id, noah.id}
    assert ids(olivia, "?status=enrolled") == {enrolled.id}
    assert ids(olivia, "?status=active") == {maya.id, noah.id}
    assert ids(olivia, f"?clinician_id={clara.id}&status=active") == {maya.id}
    assert ids(clara) == ids(clara, f"?clinician_id={clara.id}") == {maya.id}
    assert ids(clara, "?status=enrolled") == ids(clara, f"?clinician_id={olivia.id}") == set()
    assert as_(olivia).get("/clients?status=gone").status_code == 422


def test_a_page_of_clients_is_followed_by_the_next(world, as_, olivia):
    ids = sorted(world.enrolled().id for _ in range(3))

    first = as_(olivia).get("/clients?status=enrolled&limit=2").json
    second = as_(olivia).get(f"/clients?status=enrolled&limit=2&cursor={first['next']}").json
    other = as_(olivia).get(f"/clients?status=active&limit=2&cursor={first['next']}")

    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert (second["next"], other.status_code) == (None, 422)


def test_a_client_consents_and_withdraws_seeing_what_they_change(world, as_):
    maya, app = world.client(), world.app()
    path, by = f"/clients/{maya.id}/consents/{app.id}", as_(maya)

    unseen = by.put(path, GOALS)
    given = by.put(path, GOALS, match=1)
    stale = by.delete(path, match=1)
    withdrawn = by.delete(path, match=2)
    again = by.put(path, {"covers": ["episode"]}, match=3)

    answers = (unseen, given, stale, withdrawn, again)
    assert [answer.status_code for answer in answers] == [428, 200, 412, 200, 200]
    assert [one["covers"] for one in given.json["consents"]] == [["goal"]]
    assert given.json["consents"][0]["withdrawn_at"] is None
    assert withdrawn.json["consents"][0]["withdrawn_at"]
    assert [one["covers"] for one in again.json["consents"]] == [["episode"]]
    history = by.get(f"/clients/{maya.id}/consents").json["items"]
    assert history == [withdrawn.json["consents"][0], again.json["consents"][0]]
    assert world.told("clients")[2:] == [
        "client.consented",
        "client.consent_withdrawn",
        "client.consented",
    ]


@pytest.mark.parametrize("wrong", [{}, {"covers": []}, {"covers": ["feelings"]}, {"covers": "goal"}])
def test_a_consent_says_what_it_covers(world, as_, wrong):
    maya = world.client()

    answer = as_(maya).put(f"/clients/{maya.id}/consents/{world.app().id}", wrong, match=1)

    assert problem(answer) == (422, "invalid")


def test_nobody_consents_for_a_client(world, as_):
    maya, app, clara = world.client(), world.app(), world.member(Role.OWNER, Role.CLINICIAN)
    world.episode(maya, clara)

    for someone in (clara, world.client()):
        answer = as_(someone).put(f"/clients/{maya.id}/consents/{app.id}", GOALS, match=1)
        assert answer.status_code == 404


def test_a_consent_is_to_an_app_that_there_is(world, as_):
    maya = world.client()

    assert as_(maya).put(f"/clients/{maya.id}/consents/{new_id()}", GOALS, match=1).status_code == 404


def link(maya, app):
    return f"/clients/{maya.id}/external-ids/{app.id}"


def test_an_external_id_is_one_clients_for_each_app_and_practice(world, as_, olivia):
    maya, noah, app, other = world.client(), world.client(), world.app(), world.app()
    there = world.another_practice()
    by, x = as_(olivia), {"external_id": "x-1"}

    given = by.put(link(maya, app), x, match=1)
    taken = by.put(link(noah, app), x, match=1)
    others = by.put(link(noah, other), x, match=1)
    elsewhere = as_(there.member(Role.OWNER)).put(link(one := there.client(), app), x, match=1)
    removed = by.delete(link(maya, app), match=2)
    free = by.put(link(noah, app), x, match=2)

    assert given.json["items"] == [{"app_id": app.id, "external_id": "x-1"}]
    assert problem(taken) == (409, "external-id-taken")
    assert [answer.status_code for answer in (others, elsewhere, removed, free)] == [200] * 4
    assert (one.practice_id, removed.json["items"], len(free.json["items"])) == (there.practice.id, [], 2)


def test_an_app_links_its_own_id_and_sees_no_other(world, as_, olivia):
    maya, app, other = world.client(), world.app(), world.app()
    as_(olivia).put(link(maya, other), {"external_id": "secret"}, match=1)
    as_(maya).put(f"/clients/{maya.id}/consents/{app.id}", {"covers": ["client"]}, match=2)
    world.grant(app, "client.link")
    by = as_(world.in_practice(app))

    listed = by.get(f"/clients/{maya.id}/external-ids")
    given = by.put(link(maya, app), {"external_id": "x-1"}, match=3)

    assert (listed.json["items"], listed.headers["ETag"]) == ([], '"3"')
    assert given.json["items"] == [{"app_id": app.id, "external_id": "x-1"}]
    assert problem(by.put(link(maya, other), {"external_id": "x-1"}, match=4)) == (403, "not-your-app")
    assert problem(by.delete(link(maya, other), match=4)) == (403, "not-your-app")
    assert len(as_(olivia).get(f"/clients/{maya.id}/external-ids").json["items"]) == 2


def test_a_consent_that_does_not_cover_clients_links_none(world, as_):
    maya, app = world.client(), world.app()
    as_(maya).put(f"/clients/{maya.id}/consents/{app.id}", GOALS, match=1)
    world.grant(app, "client.link")

    answer = as_(world.in_practice(app)).put(link(maya, app), {"external_id": "x-1"}, match=2)

    assert answer.status_code == 404
