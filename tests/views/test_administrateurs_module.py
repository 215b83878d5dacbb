"""«Administrateurs»: who is listed to whom, who may be named, the last one, rights promised (M1, M2)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import Attribution, Compte, Courriel, Nomination, Personne, Rattachement, SecondFacteur
from tests.views.conftest import post, rows, soup


@pytest.fixture
def gens(session, ecoles):
    """Make somebody of a school, with an account and a role there when asked."""

    def make(nom, lettre="a", *, profil="enseignant", role="", compte=True, **more):
        school = getattr(ecoles, f"ecole_{lettre}")
        person = Personne(
            nom=nom, prenom="Zoé", nom_recherche=f"{nom} zoe".lower(), login=f"zoe.{nom.lower()}",
            email=more.pop("email", None),
        )  # fmt: skip
        session.add(person)
        session.flush()
        session.add(Rattachement(personne_id=person.id, etablissement_id=school, profil=profil))
        if compte:
            row = Compte(
                username=person.login, first_name="Zoé", last_name=nom, email=f"{nom}@x.fr", active=True,
                password="", personne_id=person.id,
            )  # fmt: skip
            session.add(row)
            session.flush()
            person.compte_essai = row.id
            if role:
                session.add(Attribution(compte_id=row.id, role=role, etablissement_id=school, **more))
        session.commit()
        return person

    return make


@pytest.fixture
def academique(sign_in, ecoles):
    """Somebody of the académie of school A."""
    return sign_in("accompagnement", academie_id=ecoles.academie_a)


def held(session, person):
    session.expire_all()
    return session.scalars(
        select(Attribution).join(Compte).where(Compte.personne_id == person.id).order_by(Attribution.id)
    ).all()


class TestListe:
    def test_shows_the_administrators_of_the_perimeter_and_no_other(self, academique, gens):
        gens("BLANC", role="correspondant")
        gens("NOIR", "b", role="correspondant")
        gens("ROUX")
        found = rows(academique.get("/administrateurs/"))
        assert [(row["Nom"], row["Sur quoi"]) for row in found if row["Rôle"].startswith("Admin")] == [
            ("BLANC Zoé", "Collège A 0190001A · Été-sur-Mer")
        ]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("etat=expire", ["VIEUX Zoé"]),
            ("etat=bientot", ["PRESSE Zoé"]),
            ("etat=suspendu", ["PUNI Zoé"]),
            ("etat=actif&role=correspondant", ["BLANC Zoé"]),
            ("facteur=pose", ["BLANC Zoé"]),
            ("facteur=facultatif&role=correspondant", ["PRESSE Zoé", "PUNI Zoé", "VIEUX Zoé"]),
            ("connexion=longtemps", ["PRESSE Zoé"]),
            ("q=zoe+bla", ["BLANC Zoé"]),
            ("q=0190001a&tri=nom&ordre=desc", ["VIEUX Zoé", "PUNI Zoé", "PRESSE Zoé", "BLANC Zoé"]),
            (
                "role=correspondant&tri=echeance&taille=25",
                ["VIEUX Zoé", "PRESSE Zoé", "BLANC Zoé", "PUNI Zoé"],
            ),
        ],
    )
    def test_each_facet_keeps_its_rows(self, session, academique, gens, query, expected):
        moment = now()
        blanc = gens("BLANC", role="correspondant")
        session.add(SecondFacteur(compte_id=blanc.compte_essai, secret="x", confirme_le=moment))
        gens("VIEUX", role="correspondant", jusqua=moment - timedelta(days=2))
        presse = gens("PRESSE", role="correspondant", jusqua=moment + timedelta(days=9))
        session.get(Compte, presse.compte_essai).last_login = (moment - timedelta(days=300)).replace(
            tzinfo=None
        )
        puni = gens("PUNI", role="correspondant")
        puni.suspendu_le = moment
        session.commit()
        assert [row["Nom"] for row in rows(academique.get(f"/administrateurs/?{query}"))] == expected

    def test_pages_follow_one_another_in_every_order(self, academique, gens, ecoles):
        for rank in range(30):
            gens(f"NOM{rank:02}", role="correspondant")
        for tri in ("nom", "role", "portee", "connexion", "echeance", "depuis"):
            seen, url = [], f"/administrateurs/?role=correspondant&tri={tri}"
            while url:
                page = academique.get(url)
                seen += [row["Nom"] for row in rows(page)]
                after = soup(page).select_one("nav.pr-pager a[rel=next]")
                url = after["href"] if after else ""
            assert sorted(seen) == [f"NOM{rank:02} Zoé" for rank in range(30)], tri

    def test_the_file_says_what_the_list_says(self, academique, gens):
        gens("BLANC", role="correspondant", jusqua=now() + timedelta(days=9))
        text = academique.get("/administrateurs/export?role=correspondant").get_data(as_text=True)
        assert "BLANC;Zoé;zoe.blanc;Administrateur local / Correspondant ENT;Collège A;0190001A" in text
        assert "Prend fin bientôt" in text

    def test_a_local_administrator_has_no_such_module(self, sign_in, ecoles):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        assert client.get("/administrateurs/").status_code == 403
        assert "Tous les administrateurs" not in client.get("/").get_data(as_text=True)

    def test_costs_the_same_for_3_and_30(self, academique, gens, statements):
        for rank in range(3):
            gens(f"NOM{rank:02}", role="correspondant")
        statements.clear()
        academique.get("/administrateurs/")
        few = len(statements)
        for rank in range(3, 25):
            gens(f"NOM{rank:02}", role="correspondant")
        statements.clear()
        academique.get("/administrateurs/")
        assert len(statements) == few


class TestFiche:
    def test_tells_roles_and_their_history(self, session, academique, gens, ecoles):
        person = gens("BLANC")
        page = f"/administrateurs/nommer?etablissement={ecoles.ecole_a}"
        post(academique, page, {"personne": person.id}, page)
        answer = academique.get(f"/administrateurs/{person.compte_essai}")
        text = soup(answer).get_text(" ", strip=True)
        assert "Collège A" in text
        assert "Autorisé par Claire Montagné" in text
        assert "Rôle attribué" in text

    def test_out_of_perimeter_is_404(self, academique, gens):
        other = gens("NOIR", "b", role="correspondant")
        assert academique.get(f"/administrateurs/{other.compte_essai}").status_code == 404
        assert academique.get(f"/administrateurs/{gens('SANS').compte_essai}").status_code == 404


class TestNommer:
    def test_works_until_a_day(self, session, academique, gens, ecoles):
        person = gens("BLANC")
        page = f"/administrateurs/nommer?etablissement={ecoles.ecole_a}&q=bla"
        answer = post(academique, page, {"personne": person.id, "dernier_jour": "2090-07-14"}, page)
        assert answer.status_code == 302
        (row,) = held(session, person)
        assert (row.role, row.accordee_par) == ("correspondant", "Claire Montagné")
        assert row.jusqua.date() == date(2090, 7, 14)

    def test_who_never_activated_gets_it_that_day_and_a_link_now(self, session, academique, gens, ecoles):
        person = gens("BLANC", compte=False, email="zoe@exemple.fr")
        page = f"/administrateurs/nommer?etablissement={ecoles.ecole_a}"
        post(academique, page, {"personne": person.id}, page)
        session.expire_all()
        assert session.scalars(select(Nomination)).one().accordee_par == "Claire Montagné"
        assert session.scalars(select(Courriel)).one().destinataire == "zoe@exemple.fr"
        assert "BLANC Zoé" in academique.get("/administrateurs/en-attente").get_data(as_text=True)
        again = post(academique, page, {"personne": person.id}, page)
        assert "déjà ces droits en attente" in again.get_data(as_text=True)

    def test_refuses_somebody_of_elsewhere_and_a_pupil(self, session, academique, gens, ecoles):
        page = f"/administrateurs/nommer?etablissement={ecoles.ecole_a}"
        gens("BLANC")
        for other in (gens("NOIR", "b"), gens("VERT", profil="eleve")):
            answer = post(academique, page, {"personne": other.id}, page)
            assert answer.status_code == 200
            assert held(session, other) == []

    def test_a_school_out_of_the_perimeter_offers_nobody(self, academique, gens, ecoles):
        gens("NOIR", "b")
        page = academique.get(f"/administrateurs/nommer?etablissement={ecoles.ecole_b}").get_data(
            as_text=True
        )
        assert "NOIR" not in page

    def test_roles_above_a_school_are_not_offered_to_the_academie(self, academique):
        offered = soup(academique.get("/administrateurs/nommer?role=accompagnement"))
        assert {one["value"] for one in offered.select("select[name=role] option")} == {
            "correspondant",
            "chef_etablissement",
        }

    def test_roles_above_a_school_are_given_by_who_holds_everything(self, session, admin, gens, ecoles):
        person = gens("BLANC")
        page = f"/administrateurs/nommer?role=accompagnement&academie={ecoles.academie_a}&q=bla"
        assert post(admin, page, {"personne": person.compte_essai}, page).status_code == 302
        (row,) = held(session, person)
        assert (row.role, row.academie_id) == ("accompagnement", ecoles.academie_a)

    def test_nobody_names_themselves(self, session, admin, ecoles):
        me = session.scalars(select(Compte).where(Compte.username == "assistant_n20")).one()
        page = f"/administrateurs/nommer?role=accompagnement&academie={ecoles.academie_a}&q=montagn"
        answer = post(admin, page, {"personne": me.id}, page)
        assert "sont les vôtres" in answer.get_data(as_text=True)


class TestRetirer:
    def test_the_last_one_goes_when_another_comes(self, session, academique, gens):
        blanc, roux = gens("BLANC", role="correspondant"), gens("ROUX")
        (row,) = held(session, blanc)
        page = f"/administrateurs/roles/{row.id}/retirer"
        refused = post(academique, page)
        assert "le seul administrateur" in refused.get_data(as_text=True)
        assert post(academique, page, {"remplacant": roux.id}).status_code == 302
        assert held(session, blanc) == []
        assert [one.role for one in held(session, roux)] == ["correspondant"]

    def test_out_of_perimeter_is_404(self, session, academique, gens):
        (row,) = held(session, gens("NOIR", "b", role="correspondant"))
        assert academique.get(f"/administrateurs/roles/{row.id}/retirer").status_code == 404
        assert academique.get(f"/administrateurs/roles/{row.id}/echeance").status_code == 404

    def test_a_peer_is_out_of_reach(self, session, academique, gens, ecoles):
        person = gens("PAIR")
        session.add(
            Attribution(compte_id=person.compte_essai, role="accompagnement", academie_id=ecoles.academie_a)
        )
        session.commit()
        (row,) = held(session, person)
        answer = post(academique, f"/administrateurs/roles/{row.id}/retirer")
        assert "assistance de niveau 2" in answer.get_data(as_text=True)
        assert len(held(session, person)) == 1

    def test_the_last_assistant_stays(self, session, admin):
        (row,) = session.scalars(select(Attribution).where(Attribution.role == "assistant_n2")).all()
        answer = post(admin, f"/administrateurs/roles/{row.id}/retirer", {"soi": "1"})
        assert "dernier assistant de niveau 2" in answer.get_data(as_text=True)


class TestEcheance:
    def test_is_set_taken_away_and_refused_when_past(self, session, academique, gens):
        person = gens("BLANC", role="correspondant")
        (row,) = held(session, person)
        page = f"/administrateurs/roles/{row.id}/echeance"
        assert "est passé" in post(academique, page, {"dernier_jour": "2020-01-01"}).get_data(as_text=True)
        post(academique, page, {"dernier_jour": "2090-07-14"})
        assert held(session, person)[0].jusqua.isoformat() == "2090-07-14T22:00:00+00:00"
        post(academique, page, {"dernier_jour": ""})
        assert held(session, person)[0].jusqua is None

    def test_an_ended_role_is_not_given_back_to_who_left(self, session, academique, gens):
        person = gens("BLANC", role="correspondant", jusqua=now() - timedelta(days=2))
        session.scalars(select(Rattachement).where(Rattachement.personne_id == person.id)).one().fin = now()
        session.commit()
        (row,) = held(session, person)
        answer = post(academique, f"/administrateurs/roles/{row.id}/echeance", {"dernier_jour": "2090-07-14"})
        assert "n’a plus de place" in answer.get_data(as_text=True)


class TestEnNombre:
    def test_says_how_each_one_ended(self, session, academique, gens):
        blanc, roux = (gens(nom, role="correspondant") for nom in ("BLANC", "ROUX"))
        ids = [held(session, one)[0].id for one in (blanc, roux)]
        token = soup(academique.get("/administrateurs/")).select_one("[name=csrf_token]")["value"]
        sent = {"csrf_token": token, "acte": "retirer", "rowid": ids}
        asked = academique.post("/administrateurs/roles/en-nombre", data=sent)
        assert "Retirer 2 rôles ?" in asked.get_data(as_text=True)
        assert len(held(session, blanc)) == 1
        done = academique.post("/administrateurs/roles/en-nombre", data={**sent, "confirme": "1"})
        text = soup(done).get_text(" ", strip=True)
        assert "1 rôle retiré, 1 refus" in text
        assert held(session, blanc) == []
        assert len(held(session, roux)) == 1

    def test_lengthens_those_ticked_and_leaves_foreign_ones(self, session, academique, gens):
        blanc, noir = gens("BLANC", role="correspondant"), gens("NOIR", "b", role="correspondant")
        ids = [held(session, one)[0].id for one in (blanc, noir)]
        token = soup(academique.get("/administrateurs/")).select_one("[name=csrf_token]")["value"]
        sent = {"csrf_token": token, "acte": "prolonger", "rowid": ids, "confirme": "1"}
        academique.post("/administrateurs/roles/en-nombre", data={**sent, "dernier_jour": "2090-07-14"})
        assert held(session, blanc)[0].jusqua.date() == date(2090, 7, 14)
        assert held(session, noir)[0].jusqua is None


class TestPromesses:
    @pytest.fixture
    def promesse(self, session, gens, ecoles):
        person = gens("BLANC", compte=False)
        row = Nomination(personne_id=person.id, role="correspondant", etablissement_id=ecoles.ecole_a)
        session.add(row)
        session.commit()
        return row

    def test_is_taken_back(self, session, academique, promesse):
        post(academique, f"/administrateurs/en-attente/{promesse.id}/reprendre")
        session.expire_all()
        assert session.scalars(select(Nomination)).all() == []

    def test_out_of_perimeter_is_404_and_not_listed(self, sign_in, ecoles, promesse):
        other = sign_in("accompagnement", academie_id=ecoles.academie_b)
        assert other.get(f"/administrateurs/en-attente/{promesse.id}/reprendre").status_code == 404
        assert "BLANC" not in other.get("/administrateurs/en-attente").get_data(as_text=True)
