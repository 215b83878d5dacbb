"""«Référentiel», catalogue of services: a service is rows, what is withdrawn comes back, the past is kept."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import (
    PROFILS,
    CelluleService,
    Collectivite,
    Etablissement,
    Journal,
    RoleService,
    Service,
    ServiceCollectivite,
)
from app.operations.catalogue import charger
from app.queries.droits import services_of
from tests.views.conftest import post, rows, soup

PAGES = ("services", "roles-service", "cellules-service", "composants-service", "disponibilites-service")
RADIO = {"nom": "Webradio", "code": "webradio", "categorie": "communication", "nature": "optionnel",
         "forme": "roles", "ordre": "90", "reglages": "[]"}  # fmt: skip


def one(session, model, **values):
    found = session.scalars(select(model).filter_by(**values)).one()
    session.rollback()
    return found


class TestService:
    def test_a_new_service_is_rows_and_schools_find_it_once_offered(self, admin, session, ecoles, catalogue):
        post(admin, "/referentiel/services/add", RADIO)
        made = one(session, Service, code="webradio")
        roles = [role.code for role in session.scalars(select(RoleService).filter_by(service_id=made.id))]
        assert roles == ["gestionnaire", "lecteur"]
        assert "webradio" not in {it.code for it in services_of(session, ecoles.ecole_a)}
        session.rollback()
        post(admin, "/referentiel/disponibilites-service/add", {"service": made.id, "collectivite": ""})
        acts = session.scalars(select(Journal.acte).where(Journal.objet_type == "service_collectivite"))
        assert acts.all() == ["service_collectivite.creer"]
        (found,) = services_of(session, ecoles.ecole_a, service="webradio")
        assert not found.role("lecteur").case("eleve").fixe
        charger(session)
        assert session.scalars(select(Service.nom).filter_by(code="webradio")).one() == "Webradio"

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"code": "Web Radio"}, "code"),
            ({"code": "droits"}, "code"),
            ({"code": "forum"}, "code"),
            ({"forme": "annuaire"}, "forme"),
            ({"reglages": "{"}, "reglages"),
            ({"reglages": '[{"code": "a"}]'}, "reglages"),
        ],
    )
    def test_what_cannot_be_is_told_on_its_field(self, admin, session, catalogue, changed, field):
        page = soup(post(admin, "/referentiel/services/add", {**RADIO, **changed}))
        assert page.select_one(f"#{field}")["aria-invalid"] == "true"
        assert session.scalars(select(Service).filter_by(nom="Webradio")).all() == []

    def test_edited_by_hand_it_is_left_alone_by_the_next_loading(self, admin, session, catalogue):
        forum = one(session, Service, code="forum")
        schema = json.dumps([{"code": "lien", "libelle": "Lien", "type": "url"}])
        data = {"nom": "Forum du collège", "categorie": "communication", "ordre": "5", "reglages": schema}
        post(admin, f"/referentiel/services/edit/{forum.id}", data)
        session.rollback()
        charger(session)
        session.refresh(forum)
        assert (forum.nom, forum.reglages[0]["code"]) == ("Forum du collège", "lien")

    def test_withdrawn_then_put_back_with_its_rights(self, admin, session, ecoles, catalogue):
        forum = one(session, Service, code="forum")
        post(admin, f"/referentiel/services/delete/{forum.id}")
        assert services_of(session, ecoles.ecole_a, service="forum") == []
        session.rollback()
        data = {"action": "remettre", "rowid": [forum.id], "confirme": "1"}
        post(admin, "/referentiel/services/list/", data, "/referentiel/services/action_post")
        session.rollback()
        (found,) = services_of(session, ecoles.ecole_a, service="forum")
        assert found.role("lecteur").case("eleve").coche


class TestRole:
    def test_a_role_more_has_its_cells_and_its_column(self, admin, session, ecoles, catalogue):
        forum, chat = (one(session, Service, code=code).id for code in ("forum", "chat"))
        data = {"service": forum, "code": "moderateur", "nom": "Modérateur", "ordre": "15"}
        post(admin, "/referentiel/roles-service/add", data)
        (found,) = services_of(session, ecoles.ecole_a, service="forum")
        assert [role.code for role in found.roles] == ["gestionnaire", "moderateur", "lecteur"]
        assert not any(found.role("moderateur").case(profil).fixe for profil in PROFILS)
        session.rollback()
        refused = post(admin, "/referentiel/roles-service/add", {**data, "service": chat})
        assert "n’a pas de grille de rôles" in refused.get_data(as_text=True)


class TestCells:
    def test_changed_from_now_on_and_told_as_it_was(self, admin, session, ecoles, catalogue):
        before = now()
        role = session.scalars(
            select(RoleService).join(Service).where(Service.code == "blog", RoleService.code == "lecteur")
        ).one()
        cell = one(session, CelluleService, role_id=role.id, profil="eleve", fin=None)
        post(admin, f"/referentiel/cellules-service/edit/{cell.id}", {"fixe": "y", "raison": "Charte."})
        (then,) = services_of(session, ecoles.ecole_a, service="blog", at=before)
        (today,) = services_of(session, ecoles.ecole_a, service="blog")
        assert (then.role("lecteur").case("eleve").coche, then.role("lecteur").case("eleve").fixe) == (
            True,
            False,
        )
        assert (today.role("lecteur").case("eleve").coche, today.role("lecteur").case("eleve").raison) == (
            False,
            "Charte.",
        )


class TestOffer:
    def test_to_one_collectivite_then_no_longer(self, admin, session, ecoles, catalogue):
        owner = Collectivite(code="D19", nom="Département")
        session.add(owner)
        session.flush()
        session.get_one(Etablissement, ecoles.ecole_a).collectivite_id = owner.id
        session.commit()
        boticely = one(session, Service, code="boticely")
        add = "/referentiel/disponibilites-service/add"
        post(admin, add, {"service": boticely.id, "collectivite": owner.id})
        offered = [
            bool(services_of(session, s, service="boticely")) for s in (ecoles.ecole_a, ecoles.ecole_b)
        ]
        assert offered == [True, False]
        session.rollback()
        assert "déjà proposé" in post(
            admin, add, {"service": boticely.id, "collectivite": owner.id}
        ).get_data(as_text=True)
        row = one(session, ServiceCollectivite, service_id=boticely.id)
        post(admin, f"/referentiel/disponibilites-service/delete/{row.id}")
        assert services_of(session, ecoles.ecole_a, service="boticely") == []
        assert (
            session.scalars(select(ServiceCollectivite).filter_by(service_id=boticely.id)).one().fin
            is not None
        )


@pytest.mark.parametrize("page", PAGES)
class TestRights:
    def test_lists_in_french_within_budget(self, admin, catalogue, statements, page):
        admin.get(f"/referentiel/{page}/list/")
        statements.clear()
        answer = admin.get(f"/referentiel/{page}/list/")
        assert len(statements) <= 9, "\n".join(statements)
        assert not any("_" in cell.text for cell in soup(answer).select("thead th"))
        assert rows(answer)

    def test_only_the_highest_role_writes(self, sign_in, ecoles, catalogue, page):
        client = sign_in("assistant_plateforme", academie_id=ecoles.academie_a)
        assert client.get(f"/referentiel/{page}/list/").status_code == 200
        assert client.get(f"/referentiel/{page}/add").status_code in {403, 404}
        assert client.get(f"/referentiel/{page}/edit/1").status_code in {403, 404}
        local = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        assert local.get(f"/referentiel/{page}/list/").status_code == 403
