"""«Services» of a school: the grid saved cell by cell, services switched, who takes over contents."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import (
    DroitService,
    EtatService,
    GestionnaireService,
    Journal,
    Personne,
    Rattachement,
    RoleService,
    Service,
    ServiceCollectivite,
)
from app.operations.droits_services import Changement, enregistrer_droits
from app.operations.saisies import Actor
from app.queries.droits import services_of
from tests.views.conftest import post, rows, soup

UAI, AUTRE = "0190001A", "0180001B"
BUDGET = 10  # session and roles, school, services, cells, people, last changes, tree, choices of look


@pytest.fixture
def enter(sign_in, session, catalogue):
    """Sign in and visit the school once, so that its visit is noted before anything is written."""

    def make(role, **perimetre):
        client = sign_in(role, **perimetre)
        client.get(page_of(""))
        session.rollback()
        return client

    return make


@pytest.fixture
def local(enter, ecoles):
    return enter("correspondant", etablissement_id=ecoles.ecole_a)


@pytest.fixture
def gens(session, ecoles):
    """Three parents, one of whom teaches too, and a suspended one."""
    made = []
    for number, profils in enumerate((("responsable",), ("responsable",), ("responsable", "enseignant"))):
        person = Personne(nom=f"NOM{number}", prenom="Éva", nom_recherche=f"nom{number} eva")
        session.add(person)
        session.flush()
        session.add_all(
            Rattachement(personne_id=person.id, etablissement_id=ecoles.ecole_a, profil=profil)
            for profil in profils
        )
        made.append(person)
    gone = Personne(nom="NOM9", prenom="Éva", nom_recherche="nom9 eva", suspendu_le=now())
    session.add(gone)
    session.flush()
    session.add(Rattachement(personne_id=gone.id, etablissement_id=ecoles.ecole_a, profil="responsable"))
    session.commit()
    return made


def page_of(code):
    return f"/etablissements/{UAI}/services/{code}"


def key(session, service, role, profil):
    statement = select(RoleService.id).join(Service).where(Service.code == service, RoleService.code == role)
    role_id = session.scalars(statement).one()
    session.rollback()  # requests write too
    return f"{role_id}.{profil}"


def sent(client, page, **changed):
    """Return what a browser would send from a grid, some boxes changed: cell → ticked."""
    form = soup(client.get(page)).select_one("form#droits")
    ticked = {
        box["value"]
        for box in form.select("input[name=c]")
        if box.has_attr("checked") and not box.has_attr("disabled")
    }
    for name, value in changed.items():
        (ticked.add if value else ticked.discard)(name)
    hidden = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
    return {**hidden, "c": sorted(ticked)}


def holds(session, school, service, role, profil):
    session.rollback()
    said = services_of(session, school, service=service)[0].role(role).case(profil).coche
    session.rollback()
    return said


def somebody_else(session, school, cell):
    """Tick a cell as another editor does meanwhile."""
    session.rollback()
    role_id, _, profil = cell.partition(".")
    change = Changement(int(role_id), profil, accorde=True)
    enregistrer_droits(session, school, [change], acteur=Actor("Nadia Petit"))
    session.commit()


class TestList:
    def test_services_with_state_people_and_export(self, local, session, ecoles, gens):
        lines = {line["Service"]: line for line in rows(local.get(page_of("")))}
        assert lines["Forum"]["État"] == "Actif"
        assert lines["Chat"]["État"] == "Inactif"
        assert lines["Blog"]["Personnes"] == "3"  # parents read it; the suspended one does not count
        assert "Boticely" not in lines
        text = local.get(page_of("export?etat=inactif")).get_data(as_text=True).lstrip("\ufeff")
        table = list(csv.reader(io.StringIO(text), delimiter=";"))
        assert {row[3] for row in table[1:]} == {"Inactif"}

    @pytest.mark.parametrize(
        ("asked", "first"), [("q=blo", "Blog"), ("etat=inactif", "Chat"), ("tri=-nom", "Visionneur")]
    )
    def test_filtered_and_sorted(self, local, asked, first):
        assert rows(local.get(page_of(f"?{asked}")))[0]["Service"] == first

    def test_nothing_found_says_how_to_go_on(self, local):
        assert "Effacer les filtres" in local.get(page_of("?q=zzz")).get_data(as_text=True)

    def test_the_tree_counts_and_shows_states(self, local):
        tree = soup(local.get(f"/etablissements/{UAI}/")).select_one("#menu").get_text(" ", strip=True)
        assert "Services 11 actifs sur 17" in tree
        assert "Forum (actif)" in tree
        assert "Chat (inactif)" in tree


class TestGrid:
    def test_a_category_in_one_grid_within_budget(self, local, session, ecoles, gens, statements):
        local.get(page_of("categorie/communication"))
        statements.clear()
        answer = local.get(page_of("categorie/communication"))
        assert len(statements) <= BUDGET, "\n".join(statements)
        page = soup(answer)
        assert [cell.text for cell in page.select("table.pr-grid")[0].select("thead tr:first-child th")][
            1
        ] == "Forum"
        fixed = page.select_one(f"input[value='{key(session, 'forum', 'lecteur', 'enseignant')}']")
        assert (fixed.has_attr("checked"), fixed.has_attr("disabled")) == (True, True)
        assert "autre parent" in page.select_one("main").text  # why a cell is greyed is written

    def test_people_are_counted_by_the_profiles_they_add_up(self, local, gens):
        said = soup(local.get(page_of("forum"))).select_one("form#droits")["data-combinaisons"]
        assert json.loads(said) == {"responsable": 2, "enseignant+responsable": 1}

    def test_saved_journalled_and_shown(self, local, session, ecoles):
        cell = key(session, "forum", "lecteur", "responsable")
        answer = local.post(page_of("forum"), data=sent(local, page_of("forum"), **{cell: True}))
        assert answer.status_code == 302
        assert holds(session, ecoles.ecole_a, "forum", "lecteur", "responsable")
        line = session.scalars(select(Journal).where(Journal.acte == "service.droits")).one()
        assert (line.objet, line.avant, line.apres) == (
            "Forum", {"Parents, lecteur": False}, {"Parents, lecteur": True},
        )  # fmt: skip
        assert line.etablissement_id == ecoles.ecole_a
        session.rollback()
        shown = local.get(page_of("forum")).get_data(as_text=True)
        assert "1 droit enregistré." in shown
        assert "Forum, Parents, lecteur" in shown
        local.post(page_of("forum"), data=sent(local, page_of("forum"), **{cell: False}))
        history = session.scalars(select(DroitService).order_by(DroitService.id)).all()
        assert [(row.accorde, row.fin is None) for row in history] == [(True, False), (False, True)]

    def test_nothing_changed_writes_nothing(self, local, session):
        local.post(page_of("forum"), data=sent(local, page_of("forum")))
        assert session.scalars(select(DroitService)).all() == []

    @pytest.mark.parametrize("forged", ["fixe", "autre page", "illisible"])
    def test_a_cell_the_page_does_not_let_change_stays(self, local, session, ecoles, forged):
        cell = {
            "fixe": key(session, "forum", "gestionnaire", "eleve"),
            "autre page": key(session, "chat", "acces", "eleve"),
            "illisible": "9" * 30 + ".eleve",
        }[forged]
        data = sent(local, page_of("forum"))
        local.post(page_of("forum"), data={**data, "vu": f"{data['vu']},{cell}:0", "c": [*data["c"], cell]})
        assert session.scalars(select(DroitService)).all() == []


class TestTwoEditors:
    def test_each_cell_in_conflict_is_shown_and_nothing_is_lost(self, local, session, ecoles):
        mine, theirs = (key(session, "forum", "lecteur", p) for p in ("responsable", "invite"))
        late = sent(local, page_of("forum"), **{mine: True})
        somebody_else(session, ecoles.ecole_a, theirs)
        answer = local.post(page_of("forum"), data=late)
        page = soup(answer)
        assert answer.status_code == 409
        (line,) = rows(answer)
        assert line["Droit"] == "Forum, Autres (invités), lecteur"
        assert line["Votre écran"] == "Non"
        assert line["Valeur enregistrée"].startswith("Oui Nadia Petit, ")  # who, and when
        assert not holds(session, ecoles.ecole_a, "forum", "lecteur", "responsable")
        form = page.select_one("main form[aria-labelledby=conflit-titre]")
        kept: dict[str, list[str]] = {}
        for field in form.select("input[type=hidden], input[checked]"):
            kept.setdefault(field["name"], []).append(field["value"])
        assert local.post(page_of("forum"), data=kept).status_code == 302
        assert holds(session, ecoles.ecole_a, "forum", "lecteur", "responsable")
        assert holds(session, ecoles.ecole_a, "forum", "lecteur", "invite")

    def test_the_same_change_by_both_is_no_conflict(self, local, session, ecoles):
        cell = key(session, "forum", "lecteur", "responsable")
        late = sent(local, page_of("forum"), **{cell: True})
        somebody_else(session, ecoles.ecole_a, cell)
        assert local.post(page_of("forum"), data=late).status_code == 302
        assert len(session.scalars(select(DroitService)).all()) == 1


class TestSwitching:
    def test_says_how_many_then_switches(self, local, session, ecoles, gens):
        page = page_of("notes_absences/basculer")
        assert "3 personnes y accèdent" in soup(local.get(page)).select_one("main").text
        post(local, page)
        assert session.scalars(select(EtatService)).one().actif
        session.rollback()
        assert "3 personnes perdent l’accès" in soup(local.get(page)).select_one("main").text
        post(local, page)
        session.rollback()
        states = session.scalars(select(EtatService).order_by(EtatService.id)).all()
        assert [(one.actif, one.fin is None) for one in states] == [(True, False), (False, True)]
        acts = session.scalars(select(Journal.acte).where(Journal.acte.startswith("service."))).all()
        assert acts == ["service.activer", "service.desactiver"]

    def test_an_initial_service_is_never_switched(self, local):
        assert local.get(page_of("forum/basculer")).status_code == 404

    def test_settings_come_first(self, local, session):
        post(local, page_of("bcdi/basculer"))
        assert "Renseignez d’abord ses réglages : URL." in local.get(page_of("bcdi")).get_data(as_text=True)
        assert session.scalars(select(EtatService)).all() == []

    def test_already_so_is_told(self, local, session):
        page = page_of("chat/basculer")
        form = {f["name"]: f["value"] for f in soup(local.get(page)).select("main form input[type=hidden]")}
        local.post(page, data=form)
        local.post(page, data=form)
        assert "« Chat » est déjà actif." in local.get(page_of("chat")).get_data(as_text=True)
        assert len(session.scalars(select(EtatService)).all()) == 1

    def test_a_service_of_another_collectivite_does_not_exist(self, local, session):
        assert local.get(page_of("boticely")).status_code == 404
        session.add(
            ServiceCollectivite(
                service_id=session.scalars(select(Service.id).filter_by(code="boticely")).one()
            )
        )
        session.commit()
        assert local.get(page_of("boticely")).status_code == 200


class TestTakeover:
    def test_a_profile_that_manages_then_a_person(self, local, session, ecoles, gens):
        page = page_of("forum/gestionnaire")
        shown = soup(local.get(f"{page}?profil=enseignant&nom=nom"))
        assert [one["value"] for one in shown.select("#profil option")] == ["enseignant", "personnel"]
        assert [one.text for one in shown.select("fieldset label")][-1] == "NOM2 Éva"
        token = shown.select_one("input[name=csrf_token]")["value"]
        data = {"csrf_token": token, "profil": "enseignant", "personne": gens[2].id}
        assert local.post(page, data=data).status_code == 302
        assert "NOM2 Éva" in soup(local.get(page_of("forum"))).select_one("main").text
        again = local.post(page, data=data)
        assert "déjà désigné" in again.get_data(as_text=True)
        local.post(f"{page}/retirer", data={"csrf_token": token})
        session.rollback()
        row = session.scalars(select(GestionnaireService)).one()
        assert row.fin is not None
        assert rows(local.get(page))[0]["Personne"] == "NOM2 Éva"  # the history keeps it
        lines = session.scalars(
            select(Journal)
            .where(Journal.acte.like("service.%gestionnaire") | (Journal.acte == "service.designer"))
            .order_by(Journal.id)
        ).all()
        assert [line.apres for line in lines] == [{"gestionnaire": "NOM2 Éva"}, {"gestionnaire": None}]

    def test_nobody_of_another_profile_or_school(self, local, session, gens, ecoles):
        page = page_of("forum/gestionnaire")
        token = soup(local.get(page)).select_one("input[name=csrf_token]")["value"]
        for person, profil in (
            (gens[0].id, "enseignant"),
            (gens[0].id, "responsable"),
            (987654, "enseignant"),
        ):
            answer = local.post(page, data={"csrf_token": token, "profil": profil, "personne": person})
            assert soup(answer).select_one("[role=alert]")
        assert session.scalars(select(GestionnaireService)).all() == []

    def test_contents_nobody_takes_over(self, local):
        assert local.get(page_of("chat/gestionnaire")).status_code == 404


class TestEffectiveRights:
    def test_of_a_profile_with_the_rule(self, local, session):
        cell = key(session, "forum", "lecteur", "responsable")
        local.post(page_of("forum"), data=sent(local, page_of("forum"), **{cell: True}))
        lines = {
            (one["Service"], one["Droit"]): one
            for one in rows(local.get(page_of("droits/profil?profil=responsable")))
        }
        assert lines["Forum", "Lecteur"]["Règle"] == "Réglé par l’établissement"
        assert lines["Chat", "Accès"]["Règle"] == "Service inactif dans l’établissement"
        assert lines["Annuaire", "Consulter Parents"]["En vigueur"] == "Non"
        only = rows(local.get(page_of("droits/profil?profil=responsable&seulement=accordes")))
        assert {one["En vigueur"] for one in only} == {"Oui"}

    def test_of_a_person_by_the_profile_that_gives(self, local, gens):
        page = page_of(f"droits/personnes/{gens[2].id}")
        lines = {(one["Service"], one["Droit"]): one["Règle"] for one in rows(local.get(page))}
        assert lines["Actualités", "Gestionnaire"] == "Enseignants : valeur du catalogue"
        text = local.get(f"{page}?format=csv").get_data(as_text=True)
        assert "Actualités;Gestionnaire;Oui" in text

    def test_who_is_suspended_has_none_and_a_stranger_does_not_exist(self, local, session, ecoles):
        gone = Personne(nom="S", prenom="A", nom_recherche="s a", suspendu_le=now())
        session.add(gone)
        session.flush()
        session.add(Rattachement(personne_id=gone.id, etablissement_id=ecoles.ecole_a, profil="eleve"))
        session.commit()
        assert "Aucun droit" in local.get(page_of(f"droits/personnes/{gone.id}")).get_data(as_text=True)
        assert local.get(page_of("droits/personnes/987654")).status_code == 404

    def test_two_schools_compared(self, enter, session, ecoles):
        admin = enter("assistant_n2")
        cell = key(session, "forum", "lecteur", "responsable")
        admin.post(page_of("forum"), data=sent(admin, page_of("forum"), **{cell: True}))
        today = now().date().isoformat()
        page = page_of(f"droits/comparer?avant={today}&apres={today}&avec={AUTRE}")
        (line,) = rows(admin.get(page))
        assert (line["Service"], line["Profil"]) == ("Forum", "Parents")
        assert "Forum;Lecteur;Parents;Oui;Non" in admin.get(f"{page}&format=csv").get_data(as_text=True)

    def test_a_school_out_of_the_perimeter_is_not_compared(self, local):
        answer = local.get(page_of(f"droits/comparer?avec={AUTRE}"))
        assert "Aucun établissement de votre périmètre" in answer.get_data(as_text=True)


class TestRights:
    def test_the_head_reads_and_does_not_write(self, sign_in, session, ecoles, catalogue):
        head = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
        page = soup(head.get(page_of("forum")))
        assert all(box.has_attr("disabled") for box in page.select("input[name=c]"))
        assert page.select("[data-droits-barre]") == []
        token = page.select_one("input[name=csrf_token]")["value"]
        assert head.post(page_of("forum"), data={"csrf_token": token}).status_code == 403
        assert head.get(page_of("chat/basculer")).status_code == 403

    def test_another_school_does_not_exist(self, sign_in, ecoles, catalogue):
        there = sign_in("correspondant", etablissement_id=ecoles.ecole_b)
        for page in (
            "",
            "export",
            "forum",
            "categorie/communication",
            "chat/basculer",
            "forum/gestionnaire",
            "droits/profil",
            "droits/comparer",
        ):
            assert there.get(page_of(page)).status_code == 404

    def test_an_academic_role_writes_in_its_academie(self, enter, session, ecoles):
        client = enter("assistant_plateforme", academie_id=ecoles.academie_a)
        cell = key(session, "forum", "lecteur", "responsable")
        client.post(page_of("forum"), data=sent(client, page_of("forum"), **{cell: True}))
        assert holds(session, ecoles.ecole_a, "forum", "lecteur", "responsable")
        assert client.get(f"/etablissements/{AUTRE}/services/").status_code == 404
