"""Mistakes in what practices itself knows of relations, and in what its lists and answers show."""

from scripts.mistakes.trying import Mistake, routes

OWN_ACCESS = "services/practices/access.py"
CLIENTS = "services/practices/api/clients.py"
EPISODES = "services/practices/api/episodes.py"
CONSENTS = "services/practices/api/consents.py"
LOOKS = "services/practices/api/looks.py"
SHOWING = "services/practices/api/showing.py"
WISHES = "services/practices/api/wishes.py"
A_CLIENT = "services/practices/domain/clients.py"
MEMBERS = "services/practices/domain/members.py"
PEOPLE = "services/practices/domain/people.py"
TOKENS = "services/practices/sign_in/tokens.py"
COVERS_KEPT = "services/practices/store/covers.py"
EPISODES_KEPT = "services/practices/store/episodes.py"
LOOKS_KEPT = "services/practices/store/looks.py"
SIGN_INS_KEPT = "services/practices/store/sign_in.py"
OF_CLIENT = routes("practices", "GET /v1/clients/<client_id>/ep")
RELATIONS = "tests/practices/test_access.py"
INVITING = "tests/practices/test_members_api.py"
DECIDING = "tests/practices/test_members.py"
LINKING = "tests/practices/test_clients_api.py"
CALLING_OFF = "tests/practices/test_calling_off.py"
PLANNING = "tests/practices/test_sessions_api.py"
REFRESHING = "tests/practices/test_refresh_tokens.py"
CODES = "tests/practices/test_sign_in.py"

MISTAKES = (
    Mistake(
        "practices ignores a suspension",
        OWN_ACCESS,
        "if member is None or not member.active:",
        "if member is None:",
        routes("practices", "GET /v1/clients/"),
    ),
    Mistake(
        "who enrolled a client keeps access",
        OWN_ACCESS,
        "return {about.enrolled_by} if untreated and about.enrolled_by else clinicians",
        "return clinicians | {about.enrolled_by}",
        routes("practices", "GET /v1/clients/"),
    ),
    Mistake(
        "an owner lists what is of another practice's client",
        OWN_ACCESS,
        "return set() if past or (named and about is None) else found",
        "return set() if past else found",
        routes("practices", "/episodes"),
    ),
    Mistake(
        "practices gives apps what no client consented to",
        OWN_ACCESS,
        "if granted and consented else set()",
        "if granted else set()",
        RELATIONS,
    ),
    Mistake(
        "a clinician lists every client",
        CLIENTS,
        "    elif not me.in_office:\n",
        "    elif not me.active:\n",
        routes("practices", "GET /v1/clients"),
    ),
    Mistake(
        "a clinician's id in a body is trusted",
        EPISODES,
        'clinician = members().get(me.practice_id, body["clinician_id"] or me.id)',
        'whose = members().collection.find_one({"_id": body["clinician_id"] or me.id}) or {}\n'
        '    clinician = members().get(whose.get("practice_id", ""), body["clinician_id"] or me.id)',
        routes("practices", "POST /v1/clients/"),
    ),
    Mistake(
        "colleagues see each other's addresses",
        MEMBERS,
        'return self if other.in_office or other.id == self.id else replace(self, email="")',
        "return self",
        routes("practices", "GET /v1/members"),
    ),
    Mistake(
        "an admin invites an owner",
        MEMBERS,
        'an owner to give."""\n        self._require_owner_for(roles)\n',
        'an owner to give."""\n',
        INVITING,
    ),
    Mistake(
        "an admin says whom an owner supervises",
        MEMBERS,
        "if (roles, supervises) != (self.roles, self.supervises):",
        "if roles != self.roles:",
        DECIDING,
    ),
    Mistake(
        "an admin makes themselves supervisor of everybody",
        MEMBERS,
        "if by.id == self.id and not (by.is_owner or",
        "if by.id == self.id and not (by.in_office or",
        DECIDING,
    ),
    Mistake(
        "a suspended member stays signed in",
        PEOPLE,
        "return self.active and sign_in_id not in self.ended",
        "return sign_in_id not in self.ended",
        REFRESHING,
    ),
    Mistake(
        "a revoked grant still gives tokens",
        TOKENS,
        "if grant is None or not grant.stands:",
        "if grant is None:",
        CODES,
    ),
    Mistake(
        "to whom a wish goes past is not asked",
        OWN_ACCESS,
        "return set() if past or (named and about is None) else found",
        "return set() if (named and about is None) else found",
        RELATIONS,
    ),
    Mistake(
        "practices takes any consent for everything",
        OWN_ACCESS,
        'client.consents_to(caller.id, action.partition(".")[0])',
        "client.consents_to(caller.id)",
        routes("practices", "GET /v1/clients/<client_id>/sess"),
    ),
    Mistake(
        "practices takes a consent that was withdrawn",
        A_CLIENT,
        "return consent is not None and consent.stands and (kind",
        "return consent is not None and (kind",
        routes("practices", "GET /v1/clients/<client_id>/sess"),
    ),
    Mistake(
        "practices lets in who signed out",
        OWN_ACCESS,
        "    _refuse_ended(member, caller)\n",
        "",
        OF_CLIENT,
    ),
    Mistake(
        "practices lets in a client who signed out",
        OWN_ACCESS,
        "    _refuse_ended(client, caller)\n",
        "",
        OF_CLIENT,
    ),
    Mistake(
        "what is one person's is everybody's",
        OWN_ACCESS,
        'return {("person", "self")} if about.person_id in (None, caller.id) else set()',
        'return {("person", "self")}',
        routes("practices", "/covers"),
    ),
    Mistake(
        "in practices a cover that is over counts",
        COVERS_KEPT,
        'where = {"until": {"$gt": at}, "since"',
        'where = {"since"',
        OF_CLIENT,
    ),
    Mistake(
        "in practices a cover counts before it begins",
        COVERS_KEPT,
        '"since": {"$lte": at}, ',
        "",
        OF_CLIENT,
    ),
    Mistake(
        "in practices a cancelled cover counts",
        COVERS_KEPT,
        ', "cancelled_at": None}',
        "}",
        OF_CLIENT,
    ),
    Mistake(
        "in practices a supervisor supervises everybody",
        OWN_ACCESS,
        "and clinicians & member.supervises:",
        "and clinicians:",
        OF_CLIENT,
    ),
    Mistake(
        "in practices the glass is broken for every client",
        LOOKS_KEPT,
        'pair = {"member_id": member_id, "client_id": client_id}',
        'pair = {"member_id": member_id}',
        OF_CLIENT,
    ),
    Mistake(
        "in practices a broken glass stays broken",
        LOOKS_KEPT,
        ', ends_at={"$gt": at}) is not None',
        ") is not None",
        OF_CLIENT,
    ),
    Mistake(
        "in practices an owner breaks the glass",
        OWN_ACCESS,
        "if glass and member.roles & {Role.CLINICIAN, Role.SUPERVISOR}:",
        "if glass:",
        routes("practices", "GET /v1/episodes/<episode_id>/readiness"),
    ),
    Mistake(
        "that a client was treated shows in what it costs",
        EPISODES_KEPT,
        "return self.look_by(practice_id, client_id=client_id) is not None",
        "return self.find_by(practice_id, client_id=client_id) is not None",
        OF_CLIENT,
    ),
    Mistake(
        "a supervisor lists every client",
        CLIENTS,
        "    elif not me.in_office:\n",
        "    elif not me.in_office and Role.SUPERVISOR not in me.roles:\n",
        routes("practices", "GET /v1/clients"),
    ),
    Mistake(
        "a clinician lists the clients of whom they name",
        CLIENTS,
        "seen = asked if me.in_office else asked & _seen_by(me)",
        "seen = asked",
        routes("practices", "GET /v1/clients"),
    ),
    Mistake(
        "a clinician finds out by trying addresses who is a client",
        CLIENTS,
        "@counted\n@creates(clients",
        "@creates(clients",
        f"{LINKING} -k trying",
    ),
    Mistake(
        "who enrolled a client sees them for good, by repeating it",
        CLIENTS,
        ', read="client.read")',
        ")",
        f"{LINKING} -k repeats",
    ),
    Mistake(
        "whoever supervises a client's next clinician settles a wish about the last",
        OWN_ACCESS,
        "    if about.clinician_id:\n",
        "    if False:\n",
        "tests/practices/test_wishes.py -k by_a_transfer",
    ),
    Mistake(
        "an app writes another's ids",
        CONSENTS,
        'if caller().kind == "app" and app_id != caller().id:',
        'if caller().kind == "app" and not app_id:',
        LINKING,
    ),
    Mistake(
        "an app sees what others call a client",
        CONSENTS,
        'return client.as_seen_by_app(caller().id) if caller().kind == "app" else client',
        "return client",
        routes("practices", "GET /v1/clients/<client_id>/ext"),
    ),
    Mistake(
        "the office reads why somebody paused",
        EPISODES,
        'reads = permits("episode.read_reasons", standings())',
        'reads = permits("episode.read", standings())',
        routes("practices", "GET /v1/episodes/"),
    ),
    Mistake(
        "the office repeats a start and reads why somebody paused",
        EPISODES,
        "@_as_seen\n",
        "",
        "tests/practices/test_episodes_api.py",
    ),
    Mistake(
        "the office and apps read why a session was cancelled",
        SHOWING,
        'reads = permits("session.read_reason", standings())',
        'reads = permits("session.read", standings())',
        routes("practices", "GET /v1/sessions/"),
    ),
    Mistake(
        "clients and apps hear of others' sessions",
        SHOWING,
        'if caller().kind != "member" or not permits("session.move", standings()):',
        "if not standings():",
        PLANNING,
    ),
    Mistake(
        "who has ended care keeps what was to come",
        EPISODES,
        "        call_off(database(), saved)\n",
        "        pass\n",
        CALLING_OFF,
    ),
    Mistake(
        "the client reads why somebody looked",
        LOOKS,
        'hidden = {"reason": None} if by.kind == "client" else {}',
        "hidden: dict[str, None] = {}",
        routes("practices", "/looks"),
    ),
    Mistake(
        "a colleague's look is ended by anybody",
        LOOKS_KEPT,
        "return self.look_by(practice_id, _id=id, member_id=self._member_id)",
        "return self.look_by(practice_id, _id=id)",
        routes("practices", "/looks/"),
    ),
    Mistake(
        "the glass is broken for another practice's client",
        LOOKS,
        "found = clients().find_by(mine, address=address_of(email))",
        "found = next(iter(clients().with_address(address_of(email))), None)",
        routes("practices", "POST /v1/looks"),
    ),
    Mistake(
        "a supervisor lists all wishes",
        WISHES,
        '{"$in": sorted(me.supervises - {me.id})}',
        '{"$ne": me.id}',
        routes("practices", "GET /v1/wishes"),
    ),
    Mistake(
        "sign-ins are everybody's",
        SIGN_INS_KEPT,
        'of_person = {"practice_id": practice_id, "person_id": person_id}\n        lives',
        'of_person = {"practice_id": practice_id}\n        lives',
        routes("practices", "GET /v1/me/sign-ins"),
    ),
)
