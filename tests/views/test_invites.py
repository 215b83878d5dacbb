"""Guests by hand: looked for before they are created, attached, expected until a day, taken out (U12)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.extensions import now
from app.jobs import echeances
from app.models import (
    Attribution,
    Compte,
    Courriel,
    Journal,
    LienMotDePasse,
    Personne,
    Rattachement,
    SessionCompte,
)
from app.operations.invites import today
from app.operations.sessions import open_session
from app.queries.noms import personne_key
from tests.views.conftest import soup

A, B = "/etablissements/0190001A", "/etablissements/0180001B"
ADD, ATTACH = f"{A}/invites/ajouter", f"{A}/invites/rattacher"
ZOE = {
    "nom": "Été-Martin", "prenom": "Zoé", "email": "zoe@exemple.fr", "date_naissance": "1980-03-12",
    "telephone_portable": "06 12 34 56 78", "code_postal": "01000", "civilite": "Mme",
}  # fmt: skip


@pytest.fixture
def local(sign_in, session, ecoles):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    client.get(f"{A}/")  # the visit of the school is noted apart
    session.rollback()
    return client


def send(client, session, page, **data):
    """Fill a page's form as a browser does, each request in its own transaction."""
    token = soup(client.get(page)).select_one("main form[method=post] input[name=csrf_token]")["value"]
    session.rollback()
    answer = client.post(page, data={"csrf_token": token, **data})
    session.rollback()
    session.expire_all()
    return answer


def text(answer):
    return soup(answer).main.get_text(" ", strip=True)


def person(session, nom, prenom, profil, school, born=None, **more):
    row = Personne(
        nom=nom, prenom=prenom, nom_recherche=personne_key(nom, prenom), date_naissance=born,
        login=f"{prenom}.{nom}{'' if profil == 'invite' else profil}".lower(),
        email=f"{prenom}@exemple.fr".lower(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(Rattachement(personne_id=row.id, etablissement_id=school, profil=profil, **more))
    session.commit()
    return row.id


def place(session, id_, school):
    return session.scalars(
        select(Rattachement).where(Rattachement.personne_id == id_, Rattachement.etablissement_id == school)
    ).one()


def lines(session, acte):
    return session.scalars(select(Journal).where(Journal.acte == acte)).all()


class TestAjouter:
    def test_who_was_naming_an_administrator_goes_back_to_it(self, sign_in, session, ecoles):
        client = sign_in("accompagnement", academie_id=ecoles.academie_a)
        client.get(f"{A}/")
        session.rollback()
        answer = send(client, session, f"{ADD}?suite=nommer", etape="confirmer", qui="nouveau", **ZOE)
        assert answer.location.startswith(f"/administrateurs/nommer?etablissement={ecoles.ecole_a}&q=")

    def test_a_guest_is_checked_confirmed_created_and_written_to(self, local, session, ecoles):
        seen = send(local, session, ADD, etape="verifier", **ZOE)
        assert "Rattacher Zoé Été-Martin à Collège A ?" in text(seen)
        assert session.scalars(select(Personne)).all() == []
        answer = send(local, session, ADD, etape="confirmer", qui="nouveau", **ZOE)
        made = session.scalars(select(Personne)).one()
        assert answer.location.endswith(f"/utilisateurs/invites/{made.id}")
        assert made.login == "zoe.etemartin"
        assert made.telephone_portable == "0612345678"
        assert (made.source, made.civilite, made.code_postal) == ("manuel", "Mme", "01000")
        assert place(session, made.id, ecoles.ecole_a).debut == today()
        mail = session.scalars(select(Courriel)).one()
        assert mail.destinataire == "zoe@exemple.fr"
        assert "zoe.etemartin" in mail.texte
        assert session.scalars(select(LienMotDePasse)).one().personne_id == made.id
        assert [line.apres["email"] for line in lines(session, "invite.creer")] == ["zoe@exemple.fr"]

    def test_each_wrong_field_is_said_and_what_was_typed_stays(self, local, session):
        wrong = {
            **ZOE, "nom": "", "email": "zoe@gmail,com", "date_naissance": "2030-01-01",
            "telephone_portable": "abc", "dernier_jour": "2020-01-01",
            "prenom": "<img src=x onerror=alert(1)>",
        }  # fmt: skip
        page = send(local, session, ADD, etape="confirmer", qui="nouveau", **wrong)
        said = text(page)
        for sentence in (
            "Le nom manque.", "Peut-être : zoe@gmail.com", "est à venir", "n’est pas un numéro de téléphone",
            "Le 01/01/2020 est passé",
        ):  # fmt: skip
            assert sentence in said
        assert soup(page).select_one("#f-prenom")["value"] == wrong["prenom"]
        assert not soup(page).select("main img")
        assert session.scalars(select(Personne)).all() == []
        for bad in ("A\u202eB", "A\0B", "x" * 290):
            page = send(local, session, ADD, etape="confirmer", qui="nouveau", **{**ZOE, "nom": bad})
            assert page.status_code == 200
            assert session.scalars(select(Personne)).all() == []

    def test_who_looks_alike_in_the_perimeter_is_shown_and_nobody_else(self, local, session, ecoles):
        born = date(1980, 3, 12)
        person(session, "Été-Martin", "Zoé", "enseignant", ecoles.ecole_a, born)
        alike = person(session, "Ete Martyn", "Zoe", "responsable", ecoles.ecole_a, date(1975, 1, 1))
        pupil = person(session, "Été-Martin", "Zoé", "eleve", ecoles.ecole_b, born)
        page = send(local, session, ADD, etape="verifier", **ZOE)
        said = text(page)
        assert "Même nom, même naissance" in said
        assert "Déjà dans l’établissement : enseignant" in said
        assert "ETE MARTYN Zoe – 01/01/1975" in said
        assert soup(page).select_one(f"#qui-{alike}").has_attr("disabled")
        assert not soup(page).select_one("#qui-ailleurs"), "a pupil of another school is told to nobody"
        assert "Collège B" not in said
        forged = send(local, session, ADD, etape="confirmer", qui=str(pupil), **ZOE)
        assert "Choisissez une personne de la liste" in text(forged)
        assert "est déjà dans cet établissement" in text(
            send(local, session, ADD, etape="confirmer", qui=str(alike), **ZOE)
        )

    def test_the_guest_of_another_school_is_attached_with_the_same_account(self, local, session, ecoles):
        known = person(session, "Été-Martin", "Zoé", "invite", ecoles.ecole_b, date(1980, 3, 12))
        page = send(local, session, ADD, etape="verifier", **ZOE)
        assert "invité d’un autre établissement" in text(page)
        assert "Collège B" not in text(page)
        send(local, session, ADD, etape="confirmer", qui="ailleurs", **ZOE)
        assert len(session.scalars(select(Personne)).all()) == 1
        assert place(session, known, ecoles.ecole_a).profil == "invite"
        assert len(lines(session, "invite.rattacher")) == 1


class TestRattacher:
    def test_by_login_or_by_name_and_birth_after_a_confirmation(self, local, session, ecoles):
        known = person(session, "Martin", "Zoé", "invite", ecoles.ecole_b, date(1980, 3, 12))
        person(session, "Prof", "Luc", "enseignant", ecoles.ecole_b, date(1970, 1, 1))
        unknown = "Aucun invité d’un autre établissement ne correspond"
        for typed in ({"login": "luc.profenseignant"}, {"login": "personne.ici"}, {"login": "zoé.marti%"}):
            assert unknown in text(send(local, session, ATTACH, etape="confirmer", **typed))
        assert "Écrivez l’identifiant" in text(send(local, session, ATTACH, nom="Martin"))
        page = send(local, session, ATTACH, login="ZOÉ.Martin")
        assert "Rattacher Zoé Martin à Collège A ?" in text(page)
        assert "@" not in text(page), "nothing of them is shown before they are attached"
        by_name = {"nom": "MARTIN", "prenom": "zoe", "date_naissance": "1980-03-12"}
        answer = send(local, session, ATTACH, etape="confirmer", **by_name)
        assert answer.status_code == 302
        assert place(session, known, ecoles.ecole_a).fin is None
        assert session.scalars(select(Courriel)).one().destinataire == "zoé@exemple.fr"
        again = send(local, session, ATTACH, etape="confirmer", login="zoé.martin")
        assert "est déjà dans cet établissement" in text(again)


class TestFin:
    def account(self, session, id_, school):
        row = session.get(Personne, id_)
        made = Compte(
            username=row.login, first_name="Zoé", last_name="M", email="z@exemple.fr", active=True,
            password="", personne_id=id_,
        )  # fmt: skip
        session.add(made)
        session.flush()
        session.add_all(
            [
                Attribution(compte_id=made.id, role="invite"),
                Attribution(compte_id=made.id, role="correspondant", etablissement_id=school),
            ]
        )
        token = open_session(session, made)
        session.commit()
        return made.id, token

    def test_the_day_after_access_is_lost_at_once_and_home_warned_before(self, app, local, session, ecoles):
        guest = person(session, "Martin", "Zoé", "invite", ecoles.ecole_a)
        account, token = self.account(session, guest, ecoles.ecole_a)
        page = f"{A}/invites/{guest}/dernier-jour"
        yesterday, soon = today() - timedelta(1), today() + timedelta(3)
        assert "est passé" in text(send(local, session, page, dernier_jour=yesterday.isoformat()))
        assert "n’existe pas" in text(send(local, session, page, dernier_jour="2027-02-31"))
        assert send(local, session, page, dernier_jour=soon.isoformat()).status_code == 302
        line = lines(session, "invite.dernier_jour")[0]
        assert (line.avant, line.apres) == ({"dernier_jour": None}, {"dernier_jour": soon.isoformat()})
        assert f"L’accès de Zoé Martin s’arrête le {soon:%d/%m/%Y}" in text(local.get("/"))
        sheet = text(local.get(f"{A}/utilisateurs/invites/{guest}"))
        assert f"Attendu jusqu’au {soon:%d/%m/%Y}" in sheet
        session.rollback()
        assert echeances.end_due(app) == 0
        place(session, guest, ecoles.ecole_a).dernier_jour = yesterday
        session.commit()
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["jeton"] = token
        assert browser.get("/mon-espace/").status_code == 200
        session.rollback()
        assert echeances.end_due(app) == 1
        assert echeances.end_due(app) == 0
        session.expire_all()
        assert browser.get("/mon-espace/").status_code == 302
        session.rollback()
        session.expire_all()
        held = place(session, guest, ecoles.ecole_a)
        assert (held.motif_fin, held.fin is None) == ("echeance", False)
        assert session.get(Personne, guest).supprime_le is not None
        assert session.get(Compte, account).supprime_le is not None
        left = session.scalars(select(Attribution.role).where(Attribution.compte_id == account)).all()
        assert left == ["invite"]
        ended = session.scalars(select(SessionCompte).where(SessionCompte.compte_id == account)).all()
        assert all(row.fin is not None for row in ended)
        assert lines(session, "invite.terminer")[0].acteur == "Système"
        self.back(local, session, guest, account, ecoles)

    def back(self, local, session, guest, account, ecoles):
        """Attached again, they find their account as it was."""
        session.rollback()
        send(local, session, ATTACH, etape="confirmer", login="zoé.martin")
        assert session.get(Personne, guest).supprime_le is None
        found = session.get(Compte, account)
        assert (found.supprime_le, found.active) == (None, True)
        assert place(session, guest, ecoles.ecole_a).fin is None
        assert "de nouveau" in session.scalars(select(Courriel).order_by(Courriel.id.desc())).first().texte

    def test_detaching_asks_then_closes_here_and_leaves_other_schools(self, local, session, ecoles):
        guest = person(session, "Martin", "Zoé", "invite", ecoles.ecole_a)
        session.add(Rattachement(personne_id=guest, etablissement_id=ecoles.ecole_b, profil="invite"))
        session.commit()
        page = f"{A}/invites/{guest}/detacher"
        assert "Détacher Zoé Martin de Collège A ?" in text(local.get(page))
        session.rollback()
        assert place(session, guest, ecoles.ecole_a).fin is None
        session.rollback()
        send(local, session, page)
        assert place(session, guest, ecoles.ecole_a).motif_fin == "manuel"
        assert place(session, guest, ecoles.ecole_b).fin is None
        assert session.get(Personne, guest).supprime_le is None
        session.rollback()
        assert local.get(page).status_code == 404, "no longer a guest of the school"


def test_another_school_answers_as_an_unknown_one(sign_in, session, ecoles):
    guest = person(session, "Martin", "Zoé", "invite", ecoles.ecole_a, fin=None)
    other = sign_in("correspondant", etablissement_id=ecoles.ecole_b)
    head = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
    assert now()
    for page in (ADD, ATTACH, f"{A}/invites/{guest}/detacher", f"{A}/invites/{guest}/dernier-jour"):
        assert other.get(page).status_code == 404
        assert head.get(page).status_code == 403
    assert other.get(f"{B}/invites/{guest}/detacher").status_code == 404
    assert "Ajouter un invité" not in text(head.get(f"{A}/utilisateurs/invites/"))
