"""«Qui peut quoi»: each right with the rule it comes from, and why one is not open (A7, A2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.extensions import now
from app.models import Attribution, Compte, EditeurPage, Nomination, Personne, Rattachement
from tests.views.conftest import soup


@pytest.fixture
def claire(session, ecoles):
    """A teacher in both schools, correspondent of both, once head of the first; editor of its page."""
    row = Personne(nom="BLANC", prenom="Zoé", nom_recherche="blanc zoe", login="zoe.blanc")
    session.add(row)
    session.flush()
    account = Compte(
        username="zoe.blanc", first_name="Zoé", last_name="BLANC", email="z@x.fr", active=True, password="",
        personne_id=row.id,
    )  # fmt: skip
    session.add(account)
    session.flush()
    for letter in "ab":
        school = getattr(ecoles, f"ecole_{letter}")
        session.add(Rattachement(personne_id=row.id, etablissement_id=school, profil="enseignant"))
        session.add(
            Attribution(
                compte_id=account.id, role="correspondant", etablissement_id=school, accordee_par="Marc"
            )
        )
    session.add(
        Attribution(
            compte_id=account.id,
            role="chef_etablissement",
            etablissement_id=ecoles.ecole_a,
            jusqua=now() - timedelta(days=3),
        )
    )
    session.add(EditeurPage(personne_id=row.id, etablissement_id=ecoles.ecole_a, accorde_par="Marc"))
    session.commit()
    return row


def rights(client, address):
    """Return the rights a page explains, each in one line."""
    page = soup(client.get(address))
    return [
        item.get_text(" ", strip=True) for item in page.select("section[aria-labelledby=droits] > ul > li")
    ]


class TestPersonne:
    def test_rights_over_services_come_with_their_rule(self, admin, claire, catalogue):
        page = soup(admin.get(f"/personnes/{claire.id}/droits"))
        told = [
            item
            for item in page.select("section[aria-labelledby=droits] > ul > li")
            if "Services" in item.text
        ]
        assert len(told) == 2  # one for each school
        lines = [line.text for line in told[0].select("details li")]
        assert "Forum, gestionnaire – Enseignants : valeur du catalogue" in lines
        assert not any(line.startswith("Chat") for line in lines)

    def test_several_roles_each_with_its_rule(self, admin, claire):
        found = rights(admin, f"/personnes/{claire.id}/droits")
        assert len([one for one in found if one.startswith("Administrateur local")]) == 2
        assert any("Collège B" in one and "Autorisé par Marc" in one for one in found)
        assert any(one.startswith("Profil enseignant Collège A") for one in found)
        assert any(one.startswith("Éditeur de la page publique Collège A") for one in found)
        ended = next(one for one in found if one.startswith("Chef d’établissement"))
        assert "Fermé" in ended
        assert "L’échéance est passée." in ended

    def test_says_what_a_role_allows_and_which_modules_it_opens(self, admin, claire):
        page = soup(admin.get(f"/personnes/{claire.id}/droits"))
        assert "Ajouter, rattacher et détacher des invités" in page.get_text()
        opened = page.select_one("section[aria-labelledby=modules]").get_text(" ", strip=True)
        assert "Administration" in opened
        assert "Administrateurs" not in opened

    def test_a_suspension_closes_everything_and_says_why(self, session, admin, claire):
        claire.suspendu_le, claire.motif_suspension = now(), "Téléphone perdu"
        session.commit()
        page = admin.get(f"/personnes/{claire.id}/droits").get_data(as_text=True)
        assert "Rien n’est ouvert en ce moment." in page
        assert "Téléphone perdu" in page
        assert "Aucun pour le moment." in page

    def test_a_promise_waits_for_the_account(self, session, admin, ecoles):
        row = Personne(nom="VERT", prenom="Ida", nom_recherche="vert ida")
        session.add(row)
        session.flush()
        session.add(Rattachement(personne_id=row.id, etablissement_id=ecoles.ecole_a, profil="enseignant"))
        session.add(Nomination(personne_id=row.id, role="correspondant", etablissement_id=ecoles.ecole_a))
        session.commit()
        found = rights(admin, f"/personnes/{row.id}/droits")
        assert "n’a pas encore été activé" in admin.get(f"/personnes/{row.id}/droits").get_data(as_text=True)
        assert any(one.startswith("Administrateur local / Correspondant ENT En attente") for one in found)

    def test_a_reader_sees_the_rights_of_their_perimeter_alone(self, sign_in, ecoles, claire):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        page = client.get(f"/personnes/{claire.id}/droits").get_data(as_text=True)
        assert "Collège A" in page
        assert "Collège B" not in page
        assert "peut en tenir ailleurs" in page

    def test_out_of_perimeter_is_404(self, sign_in, session, ecoles):
        row = Personne(nom="NOIR", prenom="Max", nom_recherche="noir max")
        session.add(row)
        session.flush()
        session.add(Rattachement(personne_id=row.id, etablissement_id=ecoles.ecole_b, profil="eleve"))
        session.commit()
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        assert client.get(f"/personnes/{row.id}/droits").status_code == 404


class TestCompte:
    def test_an_account_of_the_academie_suspended_elsewhere_is_told_closed(self, session, sign_in, ecoles):
        row = Personne(nom="GRIS", prenom="Léo", nom_recherche="gris leo", suspendu_le=now())
        session.add(row)
        session.flush()
        account = Compte(
            username="leo.gris", first_name="Léo", last_name="GRIS", email="l@x.fr", active=True, password="",
            personne_id=row.id,
        )  # fmt: skip
        session.add(account)
        session.flush()
        session.add(Attribution(compte_id=account.id, role="accompagnement", academie_id=ecoles.academie_a))
        session.commit()
        client = sign_in("assistant_plateforme", academie_id=ecoles.academie_a)
        page = client.get(f"/administrateurs/{account.id}/droits").get_data(as_text=True)
        assert "Le compte est suspendu." in page
        listed = client.get("/administrateurs/?etat=suspendu").get_data(as_text=True)
        assert "GRIS Léo" in listed

    def test_out_of_perimeter_is_404(self, sign_in, ecoles, session):
        client = sign_in("accompagnement", academie_id=ecoles.academie_a)
        other = Compte(
            username="x.y", first_name="X", last_name="Y", email="y@x.fr", active=True, password=""
        )
        session.add(other)
        session.flush()
        session.add(Attribution(compte_id=other.id, role="correspondant", etablissement_id=ecoles.ecole_b))
        session.commit()
        assert client.get(f"/administrateurs/{other.id}/droits").status_code == 404
