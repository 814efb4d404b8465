"""What an operator does on the command line."""

import base64
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from scripts.sign_in import totp
from services.practices.app import service
from services.practices.commands import load_sample, open_practice, register_app, rotate_keys
from services.practices.domain.members import MemberStatus, Role
from services.practices.sample import PRACTICE, STAFF
from services.practices.sign_in import SecondFactorRequired, SignIn
from services.practices.sign_in.codes import MailedCodes
from services.practices.store.apps import Apps
from services.practices.store.codes import Codes
from services.practices.store.episodes import Episodes
from services.practices.store.people import Members, Practices
from services.practices.tokens import key_set
from shared.clock import now
from shared.ids import derived_from
from shared.settings import Settings, refusals
from tests.practices.conftest import every

OPEN = [
    *("--name", "Harbour", "--timezone", "Europe/Lisbon", "--language", "en", "--language", "pt"),
    *("--owner-name", "Olivia", "--owner-email", "olivia@example.org"),
]
APP = ["--name", "Demo EHR", "--description", "Keeps the diary.", "--contact-email", "dev@example.org"]


def test_opening_a_practice_makes_it_and_its_first_owner_once(run):
    texts = ["--crisis-text", "en=Call 112.", "--crisis-text", "pt=Ligue 112."]

    _, first = run(open_practice, *OPEN, *texts)
    _, again = run(open_practice, *OPEN[:-1], "Olivia@Example.org", *texts)

    owner = Members(run.database).get(first["practice_id"], first["owner_id"])
    practice = Practices(run.database).get(first["practice_id"], first["practice_id"])
    assert first == again
    assert (owner.roles, owner.status, owner.version) == ({Role.OWNER}, MemberStatus.INVITED, 1)
    assert owner.invitation_due is not None
    assert (practice.locale, practice.languages) == ("en", ["en", "pt"])
    assert practice.crisis_texts == {"en": "Call 112.", "pt": "Ligue 112."}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--timezone", "Mars/Base"], "no IANA time zone"),
        (["--owner-email", "olivia"], "no e-mail address"),
        (["--crisis-text", "en="], "LANGUAGE=TEXT"),
        (["--crisis-text", "en=" + "x" * 2001], "at most 2000 characters"),
        (["--crisis-text", "de=112"], "offer the language, or leave the text out"),
        (["--language", "English"], "is no language as in en or pt-BR"),
        (["--name", " "], "a name of 1 to 200 characters"),
        (["--owner-name", "x" * 201], "a name of 1 to 200 characters"),
        (["--owner-name", "two\nlines"], "on one line"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence_and_nothing_is_opened(run, wrong, told):
    result, _ = run(open_practice, *OPEN, *wrong)

    assert result.exit_code in (1, 2)
    assert told in " ".join(result.output.split())
    assert run.database["practices"].count_documents({}) == 0


def test_the_owner_who_was_invited_joins_and_is_not_invited_again(run):
    _, opened = run(open_practice, *OPEN)
    members = Members(run.database)
    owner = members.get(opened["practice_id"], opened["owner_id"])
    owner.accept(now())
    members.save(owner)

    run(open_practice, *OPEN)

    assert members.get(opened["practice_id"], opened["owner_id"]).active


def test_an_owner_whose_invitation_ran_out_gets_another_letter(run):
    _, opened = run(open_practice, *OPEN)
    members, about = Members(run.database), (opened["practice_id"], opened["owner_id"])
    ran_out = {"invitation.expires_at": now() - timedelta(days=1), "invitation_due": None}
    ran_out["invitation.asked_at"] = [now() - timedelta(days=15)]
    run.database["members"].update_one({"_id": opened["owner_id"]}, {"$set": ran_out})

    again = [run(open_practice, *OPEN)[1] for _ in range(2)]

    owner = members.get(*about)
    assert again == [opened, opened]
    assert owner.may_sign_in(now())
    assert owner.invitation_due is not None
    assert (owner.invitation.number, owner.version) == (2, 2)


def test_a_run_that_died_between_the_two_is_finished_by_the_next(run, monkeypatch):
    with monkeypatch.context() as died:
        died.setattr(Members, "add", lambda *_: sys.exit(137))
        run(open_practice, *OPEN)
    _, opened = run(open_practice, *OPEN)

    assert run.database["practices"].count_documents({}) == 1
    assert Members(run.database).get(opened["practice_id"], opened["owner_id"]).is_owner


def test_help_tells_what_each_option_is_for(run):
    said = CliRunner().invoke(open_practice, ["--help"]).output

    assert "Open a practice and invite its first owner." in said
    assert "LANGUAGE=TEXT" in said
    for line in said.splitlines():
        assert len(line) <= 80


def test_an_app_signs_in_with_what_was_printed(run):
    _, printed = run(register_app, *APP)

    sign_in = SignIn(run.database, Settings.read("practices"))

    assert sign_in.by_client_credentials(printed["client_id"], printed["client_secret"], None, now())


def test_rotating_publishes_another_key(run):
    _, printed = run(rotate_keys)

    kids = [key["kid"] for key in key_set(run.database)["keys"]]
    assert len(kids) == 2
    assert kids[1] == printed["kid"]


def test_the_sample_is_the_same_however_often_it_is_loaded(run):
    _, first = run(load_sample)
    _, again = run(load_sample)

    assert first == again
    assert [person["role"] for person in first["people"]] == [
        "owner",
        "clinician",
        "clinician",
        "client",
        "client",
    ]
    app = Apps(run.database).named(first["app"]["id"])
    assert app.knows(first["app"]["client_secret"])
    assert run.database["episodes"].count_documents({}) == 2
    assert run.database["members"].count_documents({"version": 1}) == 3


def suspend_the_clinician(database):
    owner, clara = (Members(database).get(PRACTICE, derived_from("sample", name)) for name in list(STAFF)[:2])
    clara.suspend(by=owner)
    Members(database).save(clara)


def offer(*languages):
    def change(database):
        practice = Practices(database).get(PRACTICE, PRACTICE)
        practice.change(languages=[*languages], crisis_texts={languages[0]: "Call 112."})
        Practices(database).save(practice)

    return change


def end_care(database):
    for episode in every(Episodes(database)):
        episode.end(episode.client_id, now())
        episode.close(episode.clinician_id, now())
        Episodes(database).save(episode)


@pytest.mark.parametrize("trying", [suspend_the_clinician, offer("en", "pt"), offer("pt"), end_care])
def test_the_sample_is_loaded_again_whatever_was_tried_with_it(run, trying):
    _, first = run(load_sample)
    trying(run.database)

    result, again = run(load_sample)

    assert result.exit_code == 0
    assert again == first
    assert run.database["episodes"].count_documents({}) == 2


def test_the_samples_staff_sign_in_with_the_authenticator_that_it_tells(run):
    _, sample = run(load_sample)
    settings = Settings.read("practices")
    owner, client = sample["people"][0], sample["people"][-1]
    ticket = MailedCodes(run.database, settings).ask(owner["email"], None, now())
    ([code],) = Codes(run.database).to_send(now()).values()
    said, _ = MailedCodes(run.database, settings).letter(code)

    with pytest.raises(SecondFactorRequired) as required:
        SignIn(run.database, settings).by_code(owner["email"], said, ticket, None, None, now())
    password = totp(owner["totp_secret"], int(now().timestamp()) // 30)

    assert required.value.enrolment is None
    assert SignIn(run.database, settings).by_second_factor(required.value.ticket, password, now())
    assert "totp_secret" not in client


@pytest.fixture
def in_production(run, monkeypatch):
    for name, value in {
        "TANDEM_ENVIRONMENT": "production",
        "TANDEM_ISSUER": "https://practices.test",
        "TANDEM_AMQP_URL": "amqps://practices:b@broker",
        "TANDEM_SMTP_URL": "smtps://a:b@mail",
        "TANDEM_SECRET_KEY": base64.b64encode(bytes(range(32))).decode(),
    }.items():
        monkeypatch.setenv(name, value)
    # The database of tests has neither password nor TLS, and one user for all.
    for check in ("_unfit_database", "_not_own"):
        monkeypatch.setattr(refusals, check, lambda *_: {})


@pytest.mark.usefixtures("in_production")
def test_the_sample_is_for_development(run):
    result, _ = run(load_sample)

    assert result.exit_code == 1
    assert "The sample is for development" in result.output


def rename_the_practice(database):
    database["practices"].update_many({}, {"$set": {"name": "Real Practice"}})
    database["apps"].delete_many({})


def leave_the_app(database):
    database["practices"].delete_many({})


@pytest.mark.parametrize("change", [rename_the_practice, leave_the_app])
@pytest.mark.parametrize("part", ["prepare", "web", "worker"])
def test_no_part_starts_in_production_where_the_sample_is(run, request, monkeypatch, part, change):
    run(load_sample)
    change(run.database)
    request.getfixturevalue("in_production")
    begun = []
    parts = {name: lambda *_: begun.append(part) for name in ("web", "worker")}
    monkeypatch.setattr(sys, "argv", ["practices", part])

    with pytest.raises(SystemExit) as ended:
        replace(service, parts=parts).run()

    assert begun == []
    assert ended.value.code == (
        f"practices: The database {run.database.name} holds the sample practice, which production refuses: "
        "name databases of its own by TANDEM_DATABASE_PREFIX, or set TANDEM_ENVIRONMENT to development."
    )


@pytest.mark.parametrize("sampled", [True, False])
def test_a_part_starts_where_the_sample_is_or_in_production(run, request, monkeypatch, sampled):
    if sampled:
        run(load_sample)
    else:
        request.getfixturevalue("in_production")
        run(open_practice, *OPEN)
    begun = []
    monkeypatch.setattr(sys, "argv", ["practices", "web"])

    with pytest.raises(SystemExit) as ended:
        replace(service, parts={"web": lambda *_: begun.append("web")}).run()

    assert (begun, ended.value.code) == (["web"], 0)
