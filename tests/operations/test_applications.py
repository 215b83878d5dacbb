"""Models put on schools: what is shown before, what is written, what is left alone, the way back."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import event, func, select

from app.errors import RuleViolationError
from app.extensions import db, now
from app.models import (
    Abonnement,
    ApplicationModele,
    CelluleService,
    ComposantEtablissement,
    ComposantService,
    DroitService,
    EssaiService,
    EtablissementApplication,
    EtatService,
    Journal,
    ReglageService,
    RoleService,
    Service,
    ServiceCollectivite,
)
from app.operations import applications as acts
from app.operations import journal
from app.operations.obstacles import ABONNEMENT, ESSAI, PROTEGE
from app.operations.services import basculer, basculer_composant
from app.queries.droits import roles_of_profile, services_of
from app.security.mur import TOUT, Perimetre
from app.security.perimetres import perimetre
from tests.operations.modeles import CELL, WHO, case, do, make, many, prepare, set_cell
from tests.security.conftest import cast

__all__ = ["cast"]
pytestmark = pytest.mark.usefixtures("catalogue")


def row(session, application, school):
    return session.scalars(
        select(EtablissementApplication).filter_by(application_id=application.id, etablissement_id=school)
    ).one()


def refusals(session, application, school):
    found = row(session, application, school)
    return {one["cle"]: one["refus"] for one in found.changements if "refus" in one}


def snapshot(session, school):
    """Return everything a school says by itself of its services."""
    found = []
    for table, *names in (
        (EtatService, "service_id", "actif"),
        (DroitService, "role_id", "profil", "accorde"),
        (ComposantEtablissement, "composant_id", "place"),
    ):
        rows = session.execute(
            select(*(getattr(table, name) for name in names))
            .where(table.etablissement_id == school, table.fin.is_(None))
            .order_by(*(getattr(table, name) for name in names))
        )
        found.append([tuple(one) for one in rows])
    settings = select(ReglageService.service_id, ReglageService.composant_id, ReglageService.valeurs)
    found.append([tuple(one) for one in session.execute(settings.filter_by(etablissement_id=school))])
    return found


class TestPreview:
    def test_each_change_is_told_before_and_after_with_who_gains_by_it(self, session, cast):
        application = prepare(session, make(session), [cast.ecole_a])
        told = {
            one["cle"]: (one["etait"], one["sera"])
            for one in row(session, application, cast.ecole_a).changements
        }
        assert told["etat:chat"] == ("inactif", "actif")
        assert told["droit:forum.lecteur:responsable"] == ("non", "oui")
        assert told["droit:blog.lecteur:eleve"] == ("oui", "non")
        found = row(session, application, cast.ecole_a)
        assert (found.nombre, found.gagnent, found.perdent) == (
            4,
            2,
            1,
        )  # the parent and the pupil; the pupil
        effects = {one["cle"]: one for one in application.effets}
        assert (effects["etat:chat"]["gagnent"], effects["droit:blog.lecteur:eleve"]["perdent"]) == (1, 1)
        assert services_of(session, cast.ecole_a, service="chat")[0].actif is False

    def test_schools_that_are_like_it_are_counted_and_left_out(self, session, cast):
        modele = make(session, {"droit:forum.lecteur:responsable": True})
        set_cell(session, cast.ecole_a, CELL, True)
        application = prepare(session, modele, [cast.ecole_a, cast.ecole_b])
        assert (application.nombre, application.conformes) == (1, 1)

    def test_fixed_cells_and_services_not_offered_are_told_not_forced(self, session, cast):
        modele = make(
            session, {"droit:forum.lecteur:enseignant": False, "etat:boticely": True, "etat:chat": True}
        )
        application = prepare(session, modele, [cast.ecole_a])
        assert refusals(session, application, cast.ecole_a) == {
            "service:boticely": "Ce service n’est pas proposé à cet établissement."
        }
        fixed = [one for one in application.effets if one["cle"] == "droit:forum.lecteur:enseignant"]
        assert "fixé par la plate-forme" in fixed[0]["refus"]
        do(session, application)
        assert case(session, cast.ecole_a, ("forum", "lecteur", "enseignant")).coche is True
        assert services_of(session, cast.ecole_a, service="boticely") == []
        assert services_of(session, cast.ecole_a, service="chat")[0].actif is True

    def test_a_service_whose_settings_are_missing_is_not_switched_on(self, session, cast):
        application = prepare(session, make(session, {"etat:bcdi": True}), [cast.ecole_a])
        assert refusals(session, application, cast.ecole_a) == {
            "etat:bcdi": "Réglages à renseigner d’abord : URL."
        }
        with pytest.raises(RuleViolationError):
            acts.confirmer(session, application, acteur=WHO)

    def test_nothing_is_chosen_or_too_much_is(self, session, cast, monkeypatch):
        with pytest.raises(RuleViolationError, match="au moins un"):
            prepare(session, make(session), [])
        monkeypatch.setattr(acts, "AU_PLUS", 1)
        with pytest.raises(RuleViolationError, match="au plus"):
            prepare(session, make(session), [cast.ecole_a, cast.ecole_b])


class TestApplying:
    def test_it_is_done_in_each_school_and_journalled_as_the_single_acts_are(self, session, cast):
        application = prepare(session, make(session), [cast.ecole_a, cast.ecole_b])
        do(session, application)
        for school in (cast.ecole_a, cast.ecole_b):
            assert roles_of_profile(session, school, "eleve")["chat"] == {"acces"}
            assert "lecteur" in roles_of_profile(session, school, "responsable")["forum"]
            assert "blog" not in roles_of_profile(session, school, "eleve")
            lines = session.scalars(select(Journal).filter_by(etablissement_id=school)).all()
            told = {(one.acte, one.objet): (one.avant, one.apres, one.acteur) for one in lines}
            assert told["service.activer", "Chat"] == ({"actif": False}, {"actif": True}, WHO.nom)
            assert told["service.droits", "Forum"][:2] == (
                {"Parents, lecteur": False},
                {"Parents, lecteur": True},
            )
            assert len(lines) == 4
            assert journal.verify(session, school) is None
        assert acts.comptes(session, application.id) == {"attente": 0, "fait": 2, "refus": 0}

    def test_an_address_no_try_reached_is_written_but_switches_nothing_on(self, session, cast):
        service = session.scalars(select(Service).filter_by(code="bcdi")).one()
        values = {"adresse": "https://bcdi.example.fr"}
        session.add(
            EssaiService(
                etablissement_id=cast.ecole_b,
                service_id=service.id,
                cible="x",
                valeurs=values,
                reussi=True,
                fini_le=now(),
            )
        )
        session.flush()
        lines = {
            "etat:bcdi": True,
            "reglage:bcdi:adresse": values["adresse"],
            "composant:notes_absences.interne": True,
        }
        application = prepare(session, make(session, lines), [cast.ecole_a, cast.ecole_b])
        do(session, application)
        assert refusals(session, application, cast.ecole_a) == {"etat:bcdi": ESSAI}
        assert refusals(session, application, cast.ecole_b) == {}
        assert [one.valeurs for one in session.scalars(select(ReglageService))] == [values, values]
        on = [services_of(session, pk, service="bcdi")[0].actif for pk in (cast.ecole_a, cast.ecole_b)]
        assert on == [False, True]
        assert session.scalar(select(func.count()).select_from(ComposantEtablissement)) == 2

    def test_a_secret_is_never_sent_to_the_address_of_a_model(self, session, cast):
        service = session.scalars(select(Service).filter_by(code="bcdi")).one()
        mine = {"adresse": "https://ici.example.fr"}
        session.add(
            ReglageService(
                etablissement_id=cast.ecole_a, service_id=service.id, valeurs=mine, secrets="scellé"
            )
        )
        session.flush()
        lines = {"reglage:bcdi:adresse": "https://ailleurs.example.fr"}
        application = prepare(session, make(session, lines), [cast.ecole_a])
        assert refusals(session, application, cast.ecole_a) == {"reglage:bcdi:adresse": PROTEGE}

    def test_a_resource_one_subscribes_to_is_for_its_subscribers(self, session, cast):
        manuels = session.scalars(select(ComposantService).filter_by(code="manuels")).one()
        session.add(Abonnement(composant_id=manuels.id, collectivite_id=cast.collectivite_b))
        session.flush()
        lines = {"composant:ressources_numeriques.manuels": True}
        application = prepare(session, make(session, lines), [cast.ecole_a, cast.ecole_b])
        do(session, application)
        assert list(refusals(session, application, cast.ecole_a).values()) == [ABONNEMENT]
        held = session.scalars(select(ComposantEtablissement.etablissement_id)).all()
        assert held == [cast.ecole_b]

    def test_what_somebody_changed_since_the_preview_is_theirs(self, session, cast):
        application = prepare(session, make(session), [cast.ecole_a, cast.ecole_b])
        basculer(session, cast.ecole_a, "chat", True, acteur=WHO)
        basculer(session, cast.ecole_a, "chat", False, acteur=WHO)
        set_cell(session, cast.ecole_a, CELL, True)
        do(session, application)
        assert refusals(session, application, cast.ecole_a) == {
            "etat:chat": acts.MODIFIE,
            "droit:forum.lecteur:responsable": acts.DEJA,
        }
        assert services_of(session, cast.ecole_a, service="chat")[0].actif is False
        assert refusals(session, application, cast.ecole_b) == {}

    def test_a_second_software_of_one_place_waits_for_the_first_to_leave(self, session, cast):
        parts = {one.code: one for one in session.scalars(select(ComposantService))}
        for part in ("pronote_2009", "pronote_2010"):
            session.add(
                ReglageService(
                    etablissement_id=cast.ecole_a,
                    service_id=parts[part].service_id,
                    composant_id=parts[part].id,
                    valeurs={"adresse": "https://x.fr"},
                )
            )
        session.flush()
        basculer_composant(session, cast.ecole_a, parts["pronote_2009"], True, acteur=WHO)
        alone = make(session, {"composant:notes_absences.pronote_2010": True})
        application = prepare(session, alone, [cast.ecole_a])
        assert refusals(session, application, cast.ecole_a) == {
            "composant:notes_absences.pronote_2010": "Un autre logiciel externe est déjà actif."
        }
        both = {"composant:notes_absences.pronote_2010": True, "composant:notes_absences.pronote_2009": False}
        do(session, prepare(session, make(session, both), [cast.ecole_a]))
        held = session.scalars(select(ComposantEtablissement.composant_id).filter_by(fin=None)).all()
        assert held == [parts["pronote_2010"].id]

    def test_a_school_one_no_longer_reaches_is_left_alone(self, session, cast):
        application = prepare(session, make(session), [cast.ecole_a, cast.ecole_b])
        acts.confirmer(session, application, acteur=WHO)
        session.commit()
        before = snapshot(session, cast.ecole_b)
        with perimetre(session, Perimetre(etablissements=frozenset({cast.ecole_a}), compte_id=WHO.compte_id)):
            session.info["perimetre"] = Perimetre(etablissements=frozenset({cast.ecole_a}))
            while acts.lot(session, application, acteur=WHO):
                pass
        assert snapshot(session, cast.ecole_b) == before
        left = row(session, application, cast.ecole_b)
        assert (left.etat, left.raison) == ("refus", acts.HORS_PERIMETRE)

    def test_two_at_once_on_one_school_do_it_once(self, app, session, cast):
        ids = [prepare(session, make(session), [cast.ecole_a]).id for _ in range(2)]
        for pk in ids:
            acts.confirmer(session, session.get_one(ApplicationModele, pk), acteur=WHO)
        session.commit()
        together = threading.Barrier(2)

        def work(pk):
            with app.app_context(), perimetre(db.session(), TOUT):
                own = db.session()
                application = own.get_one(ApplicationModele, pk)
                own.rollback()
                together.wait()
                while acts.lot(own, application, acteur=WHO):
                    own.commit()
                own.commit()
                db.session.remove()

        threads = [threading.Thread(target=work, args=[pk]) for pk in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        session.expire_all()
        states = sorted(row(session, session.get_one(ApplicationModele, pk), cast.ecole_a).etat for pk in ids)
        assert states == ["fait", "refus"]
        assert session.scalar(select(func.count()).where(Journal.acte == "service.activer")) == 1
        assert len(snapshot(session, cast.ecole_a)[0]) == 1


class TestUndoing:
    def test_each_school_finds_exactly_what_it_had(self, session, cast):
        set_cell(session, cast.ecole_a, ("blog", "lecteur", "eleve"), False)
        set_cell(
            session, cast.ecole_a, ("blog", "lecteur", "eleve"), True
        )  # said by the school, as the catalogue
        lines = {"etat:bcdi": True, "reglage:bcdi:adresse": "https://bcdi.example.fr", "etat:chat": True,
                 "droit:forum.lecteur:responsable": True, "droit:blog.lecteur:eleve": False,
                 "composant:notes_absences.interne": True}  # fmt: skip
        before = [snapshot(session, pk) for pk in (cast.ecole_a, cast.ecole_b)]
        application = prepare(session, make(session, lines), [cast.ecole_a, cast.ecole_b])
        do(session, application)
        assert [snapshot(session, pk) for pk in (cast.ecole_a, cast.ecole_b)] != before
        back = acts.defaire(session, application, acteur=WHO)
        do(session, back)
        assert [snapshot(session, pk) for pk in (cast.ecole_a, cast.ecole_b)] == before
        assert [journal.verify(session, pk) for pk in (cast.ecole_a, cast.ecole_b)] == [None, None]

    def test_what_changed_since_is_kept_and_told(self, session, cast):
        application = prepare(session, make(session), [cast.ecole_a, cast.ecole_b])
        do(session, application)
        set_cell(session, cast.ecole_a, CELL, False)
        back = acts.defaire(session, application, acteur=WHO)
        set_cell(
            session, cast.ecole_b, ("blog", "lecteur", "eleve"), True
        )  # after the preview of the way back
        do(session, back)
        assert refusals(session, back, cast.ecole_a) == {
            "droit:forum.lecteur:responsable": acts.MODIFIE_APRES
        }
        assert refusals(session, back, cast.ecole_b) == {"droit:blog.lecteur:eleve": acts.DEJA}
        assert services_of(session, cast.ecole_a, service="chat")[0].actif is False

    def test_it_is_undone_once(self, session, cast):
        application = prepare(session, make(session), [cast.ecole_a])
        with pytest.raises(RuleViolationError, match="ne se défait pas"):
            acts.defaire(session, application, acteur=WHO)
        do(session, application)
        first = acts.defaire(session, application, acteur=WHO)
        second = acts.defaire(session, application, acteur=WHO)  # the draft nobody confirmed gives way
        drafts = select(ApplicationModele).where(ApplicationModele.confirme_le.is_(None))
        assert first is not second
        assert session.scalars(drafts).all() == [second]
        do(session, second)
        with pytest.raises(RuleViolationError, match="déjà été défaite"):
            acts.defaire(session, application, acteur=WHO)
        with pytest.raises(RuleViolationError, match="ne se défait pas"):
            acts.defaire(session, second, acteur=WHO)

    def test_a_right_the_platform_fixed_meanwhile_is_told(self, session, cast):
        application = prepare(session, make(session), [cast.ecole_a])
        do(session, application)
        role = session.scalars(
            select(RoleService.id).join(Service).where(Service.code == "forum", RoleService.code == "lecteur")
        ).one()
        cell = session.scalars(
            select(CelluleService).filter_by(role_id=role, profil="responsable", fin=None)
        ).one()
        cell.fixe = True
        session.flush()
        back = acts.defaire(session, application, acteur=WHO)
        assert "fixé" in refusals(session, back, cast.ecole_a)["droit:forum.lecteur:responsable"]


class TestBulk:
    def test_statements_do_not_grow_with_schools(self, session, cast):
        session.add(
            ServiceCollectivite(
                service_id=session.scalars(select(Service.id).filter_by(code="boticely")).one()
            )
        )
        modele = make(
            session, {"etat:chat": True, "droit:forum.lecteur:responsable": True, "etat:boticely": True}
        )
        ids = many(session, 33, collectivite_id=cast.collectivite_a)
        session.commit()
        counts = []
        statements: list[str] = []

        def listen(_connection, _cursor, statement, *_more):
            statements.append(statement)

        event.listen(db.engine, "before_cursor_execute", listen)
        try:
            for some in (ids[:3], ids[3:]):
                session.expire_all()
                del statements[:]
                application = prepare(session, modele, some)
                prepared = len(statements)
                acts.confirmer(session, application, acteur=WHO)
                confirmed = len(statements)
                while acts.lot(session, application, acteur=WHO):
                    pass
                applied = len(statements) - confirmed
                counts.append((prepared, applied))
                session.commit()
        finally:
            event.remove(db.engine, "before_cursor_execute", listen)
        assert counts[0] == counts[1], counts
        assert session.scalar(select(func.count()).where(Journal.acte == "service.activer")) == 66
