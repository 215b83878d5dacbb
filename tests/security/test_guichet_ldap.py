"""Signing in against a real LDAP server (A6): only a right password opens, and a silent server is said so."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import func, select

from app.models import Attribution, Compte, Journal, SessionCompte
from app.operations.comptes import supprimer, suspendre
from app.security.connexion import ANNUAIRE_MUET, REFUS, PreuveAbsenteError
from tests.security.conftest import MOT_DE_PASSE, compte, connecte, entrer, refus
from tests.support import annuaire as ldap

pytestmark = pytest.mark.ldap
SAPIN = "le sapin du col"
MUET = ANNUAIRE_MUET.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def annuaire(tmp_path_factory):
    server = ldap.start(tmp_path_factory.mktemp("annuaire"))
    yield server
    ldap.stop(server)


@pytest.fixture
def ouvrir(ouvrir_guichet, annuaire):
    """Open the console on a directory; ``values`` replace the keys of its file."""
    usual = {
        "serveur": f"ldaps://127.0.0.1:{annuaire.port_tls}",
        "recherche": ldap.BASE,
        "compte": ldap.COMPTE,
        "mot_de_passe": ldap.SECRET,
        "certificats": str(annuaire.autorite),
    }
    return lambda **values: ouvrir_guichet("ldap", **{**usual, **values})


@pytest.fixture
def app(ouvrir):
    return ouvrir()


@pytest.fixture
def claire(session, cast):
    """An account of the console without any password of its own."""
    row = compte(session, "claire.montagne")
    row.password = None
    session.commit()
    return row


def opened(session) -> int:
    return session.scalar(select(func.count(SessionCompte.id))) or 0


def said(answer) -> str:
    return refus(answer).replace("\u00a0", " ").replace("&nbsp;", " ")


class TestRight:
    def test_the_password_of_the_directory_opens_the_console(self, client, claire, session):
        answer = entrer(client, "claire.montagne", SAPIN, next="/mon-espace/mot-de-passe")
        assert (answer.status_code, answer.location) == (302, "/mon-espace/mot-de-passe")
        assert connecte(client)
        assert opened(session) == 1

    @pytest.mark.parametrize("login", ["Claire.MONTAGNE", "  claire.montagne "])
    def test_the_login_is_read_whatever_its_case(self, client, claire, login):
        entrer(client, login, SAPIN)
        assert connecte(client)

    def test_starttls_protects_the_plain_port(self, ouvrir, annuaire, claire):
        client = ouvrir(serveur=f"ldap://127.0.0.1:{annuaire.port}", starttls=True).test_client()
        entrer(client, "claire.montagne", SAPIN)
        assert connecte(client)

    def test_accents_pass_in_logins_and_passwords(self, app, annuaire):
        from app.security.guichet_ldap import proves

        with app.app_context():
            assert proves("élodie.çà", "mot de passe accentué é€")

    def test_the_directory_s_password_is_stored_nowhere(self, app, client, claire, session):
        """Neither in place of none, nor in place of an old digest that wants renewing."""
        entrer(client, "claire.montagne", SAPIN)
        session.expire_all()
        assert session.get(Compte, claire.id).password is None
        old = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzYWx0$3nYWTwXyo9xKwwyDuEwGLW9ZQLyeNNcVWYGMEyHlUhA"
        session.get(Compte, claire.id).password = old
        session.commit()
        again = app.test_client()
        entrer(again, "claire.montagne", SAPIN)
        assert connecte(again)
        session.expire_all()
        assert session.get(Compte, claire.id).password == old

    def test_a_password_of_the_console_still_opens(self, client, session, cast):
        compte(session, "agent.secours")
        session.commit()
        entrer(client, "agent.secours", MOT_DE_PASSE)
        assert connecte(client)


class TestWrong:
    @pytest.mark.parametrize("mdp", ["le sapin du cor", " ", "", "x" * 5000, "\ud800", SAPIN.upper()])
    def test_another_password_does_not(self, app, claire, session, mdp):
        from app.security.guichet_ldap import proves

        with app.app_context():
            assert not proves("claire.montagne", mdp)
        client = app.test_client()
        if mdp != "\ud800":  # no browser can send half a character
            answer = entrer(client, "claire.montagne", mdp)
            assert (answer.status_code, refus(answer)) == (200, REFUS)
        assert opened(session) == 0

    def test_the_server_takes_a_name_without_password_for_a_success(self, annuaire):
        """Why an empty password must never reach it."""
        import ldap3

        server = ldap3.Server("127.0.0.1", port=annuaire.port)
        connection = ldap3.Connection(server, authentication=ldap3.ANONYMOUS)
        assert connection.bind()
        connection.unbind()

    @pytest.mark.parametrize(
        "login",
        [
            "*",
            "claire*",
            "claire.montagne)(uid=*",
            "*)(uid=claire.montagne",
            "claire.montagne)(|(uid=*))",
            "claire.montagne\0",
            "claire\\2emontagne",
            "uid=claire.montagne,ou=agents,dc=exemple,dc=fr",
            "\ud800",
            "",
            "a" * 10_000,
        ],
    )
    def test_a_login_never_changes_the_search(self, app, login):
        from app.security.guichet_ldap import proves

        with app.app_context():
            assert proves(login, SAPIN) is False

    def test_an_account_named_after_a_pattern_proves_nothing(self, client, session, cast):
        compte(session, "claire*")
        session.commit()
        assert refus(entrer(client, "claire*", SAPIN)) == REFUS
        assert not connecte(client)

    def test_two_people_under_one_login_open_nothing(self, app, client, session, cast):
        compte(session, "homonyme")
        session.commit()
        assert refus(entrer(client, "homonyme", SAPIN)) == REFUS

    def test_a_filter_leaves_out_the_others(self, ouvrir, claire):
        client = ouvrir(filtre="(sn=personne)").test_client()
        assert refus(entrer(client, "claire.montagne", SAPIN)) == REFUS

    def test_wrong_passwords_are_slowed_down(self, client, claire):
        codes = [entrer(client, "claire.montagne", "faux").status_code for _ in range(6)]
        assert codes[:4] == [200] * 4
        assert 429 in codes
        answer = entrer(client, "claire.montagne", SAPIN)
        assert answer.status_code == 429
        assert not connecte(client)


class TestAccounts:
    def test_nobody_is_created_and_no_role_given(self, client, session, cast):
        assert refus(entrer(client, "inconnue.ici", SAPIN)) == REFUS
        assert session.scalar(select(func.count(Compte.id))) == 0
        assert session.scalar(select(func.count(Attribution.id))) == 0

    def test_a_suspended_account_reads_why_once_proven(self, client, session, cast):
        row = compte(session, "marc.suspendu")
        suspendre(session, row, "départ en congé")
        session.commit()
        assert refus(entrer(client, "marc.suspendu", "faux")) == REFUS
        assert "départ en congé" in refus(entrer(client, "marc.suspendu", SAPIN))
        assert not connecte(client)

    def test_a_deleted_or_closed_account_looks_unknown(self, client, session, claire):
        claire.active = False
        session.commit()
        assert refus(entrer(client, "claire.montagne", SAPIN)) == REFUS
        supprimer(session, claire)
        session.commit()
        assert refus(entrer(client, "claire.montagne", SAPIN)) == REFUS

    def test_what_happened_is_journalled_without_the_password(self, client, claire, session):
        entrer(client, "claire.montagne", "faux")
        entrer(client, "claire.montagne", SAPIN)
        lines = session.scalars(select(Journal).order_by(Journal.id)).all()
        assert [line.acte for line in lines] == ["connexion.refuser", "connexion.ouvrir"]
        assert SAPIN not in "".join(str(vars(line)) for line in lines)


class TestSilence:
    @pytest.mark.parametrize(
        "values",
        [
            pytest.param({"certificats": "autre"}, id="another authority"),
            pytest.param({"serveur": "ldaps://localhost:{tls}"}, id="another name"),
            pytest.param(
                {"serveur": "ldap://127.0.0.1:{plain}", "starttls": True, "certificats": "autre"},
                id="another authority after StartTLS",
            ),
            pytest.param(
                {"serveur": "ldap://localhost:{plain}", "starttls": True}, id="another name after StartTLS"
            ),
            pytest.param({"serveur": "ldaps://127.0.0.1:{plain}"}, id="no TLS where TLS is expected"),
            pytest.param({"serveur": "ldaps://127.0.0.1:1"}, id="nobody listens"),
            pytest.param({"mot_de_passe": "faux"}, id="service account refused"),
            pytest.param({"recherche": "dc=ailleurs"}, id="nowhere to search"),
            pytest.param({"filtre": "(sn=)(()"}, id="unreadable filter"),
        ],
    )
    def test_a_directory_that_cannot_be_believed_is_said_silent(
        self, ouvrir, annuaire, claire, session, values
    ):
        ports = {"tls": annuaire.port_tls, "plain": annuaire.port}
        values = {key: v.format(**ports) if isinstance(v, str) else v for key, v in values.items()}
        if values.get("certificats") == "autre":
            values["certificats"] = str(annuaire.autre_autorite)
        client = ouvrir(**values).test_client()
        answer = entrer(client, "claire.montagne", SAPIN)
        assert (answer.status_code, said(answer)) == (503, MUET)
        assert opened(session) == 0

    def test_a_server_that_never_answers_is_not_waited_for(self, ouvrir, claire, monkeypatch):
        from app.security import guichet_ldap

        monkeypatch.setattr(guichet_ldap, "SECONDS", 1)
        with socket.create_server(("127.0.0.1", 0)) as mute:
            client = ouvrir(serveur=f"ldaps://127.0.0.1:{mute.getsockname()[1]}").test_client()
            assert entrer(client, "claire.montagne", SAPIN).status_code == 503

    def test_a_server_that_talks_nonsense_is_said_silent(self, ouvrir, annuaire):
        """Right up to the protocol itself: bytes that are no LDAP message."""
        from app.security.guichet_ldap import proves

        app = ouvrir(serveur=f"ldap://127.0.0.1:{_nonsense()}", starttls=True)
        with app.app_context(), pytest.raises(PreuveAbsenteError):
            proves("claire.montagne", SAPIN)

    def test_it_counts_against_nobody(self, ouvrir, claire):
        client = ouvrir(serveur="ldaps://127.0.0.1:1").test_client()
        assert {entrer(client, "claire.montagne", SAPIN).status_code for _ in range(6)} == {503}

    def test_a_password_of_the_console_still_opens(self, ouvrir, session, cast):
        compte(session, "agent.secours")
        session.commit()
        client = ouvrir(serveur="ldaps://127.0.0.1:1").test_client()
        entrer(client, "agent.secours", MOT_DE_PASSE)
        assert connecte(client)


def _nonsense() -> int:
    """Answer one connection with bytes that mean nothing, and return the port."""
    import threading

    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with server, server.accept()[0] as peer:
            peer.recv(1024)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    threading.Thread(target=answer, daemon=True).start()
    return int(server.getsockname()[1])
