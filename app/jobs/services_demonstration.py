"""Services of the demo académie: some on, some off, some rights changed, as schools do over a year."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.extensions import now
from app.models import (
    Abonnement,
    CelluleService,
    Collectivite,
    ComposantEtablissement,
    ComposantService,
    DroitService,
    Etablissement,
    EtatService,
    ReglageService,
    Service,
    ServiceCollectivite,
)
from app.operations import catalogue
from app.queries.droits import cases_of, services_of

ACTEUR = "Démonstration"
OUVERTURE = timedelta(days=420)
"""How long ago the catalogue was opened: before anything schools did."""
OFFERTS = {"D37-FICTIF": ("creation_sites", "webconference"), "R24-FICTIF": ("boticely", "webconference")}
ALLUMES = {"breves": 0.7, "notes_absences": 0.9, "creation_sites": 0.8, "chat": 0.2, "webconference": 0.3,
           "boticely": 0.5, "bcdi": 0.8, "serveur_etablissement": 0.4, "gibii": 0.3}  # fmt: skip
"""Optional service → the part of the schools that switched it on."""
REGLAGES: dict[str, dict[str, str | int]] = {
    "bcdi": {"adresse": "https://{nom}.esidoc.example"},
    "gibii": {"adresse": "https://gibii.{nom}.example"},
    "serveur_etablissement": {"adresse": "fichiers.{nom}.example", "port": 990, "protocole": "ftps"},
}
LOGICIELS = {"interne": 0.6, "pronote_2010": 0.4}
COMMUNE = "manuels"
"""A resource each collectivité subscribes to for all of its schools."""
RESSOURCES = {"encyclopedie": 0.9, "manuels": 0.7, "langues": 0.4, "presse": 0.5, "paraschool": 0.3}


def create(session: Session, seed: int) -> None:
    """Give each school its services. Rows are written as of the past: the demo has a history."""
    catalogue.charger(session)
    session.flush()
    opening = now() - OUVERTURE
    for model in (CelluleService, ServiceCollectivite):
        session.execute(update(model).values(debut=opening))
    services = {row.code: row for row in session.scalars(select(Service))}
    for code, offered in OFFERTS.items():
        owner = session.scalar(select(Collectivite.id).where(Collectivite.code == code))
        session.add_all(
            ServiceCollectivite(service_id=services[one].id, collectivite_id=owner, debut=opening)
            for one in offered
            if owner is not None
        )
    session.flush()
    components = {row.code: row for row in session.scalars(select(ComposantService))}
    session.add_all(
        Abonnement(composant_id=components[COMMUNE].id, collectivite_id=owner)
        for owner in session.scalars(select(Collectivite.id))
    )
    for school in session.scalars(select(Etablissement).order_by(Etablissement.id)).all():
        draw = Random(f"{seed}.{school.uai}")  # noqa: S311  (a fictional académie)
        _switch(session, school, services, components, draw)
        _tick(session, school, draw)
    session.flush()


def _switch(
    session: Session,
    school: Etablissement,
    services: dict[str, Service],
    components: dict[str, ComposantService],
    draw: Random,
) -> None:
    """Switch services and components on, with the settings they need."""
    here = {one.code for one in services_of(session, school.id, cells=False)}
    on = [code for code, part in ALLUMES.items() if code in here and draw.random() < part]
    for code in on:
        moment = now() - timedelta(days=draw.randint(20, 380))
        row = {"etablissement_id": school.id, "service_id": services[code].id}
        session.add(EtatService(**row, actif=True, debut=moment, par=ACTEUR))
        if code in REGLAGES:
            name = school.uai.lower()
            told = {k: v.format(nom=name) if isinstance(v, str) else v for k, v in REGLAGES[code].items()}
            session.add(ReglageService(**row, valeurs=told, modifie_le=moment, par=ACTEUR))
    wanted = {code for code, part in RESSOURCES.items() if draw.random() < part}
    if "notes_absences" in on:
        wanted |= {code for code, part in LOGICIELS.items() if draw.random() < part}
    for code in sorted(wanted):
        one, moment = components[code], now() - timedelta(days=draw.randint(20, 380))
        row = {"etablissement_id": school.id, "composant_id": one.id, "service_id": one.service_id}
        if one.reglages:
            told = {"adresse": f"https://{school.uai.lower()}.notes.example/pronote/"}
            session.add(ReglageService(**row, valeurs=told, modifie_le=moment, par=ACTEUR))
        if one.sur_abonnement and code != COMMUNE:
            session.add(Abonnement(composant_id=one.id, etablissement_id=school.id))
        session.add(ComposantEtablissement(**row, place=one.place, debut=moment, par=ACTEUR))
    session.flush()


def _tick(session: Session, school: Etablissement, draw: Random) -> None:
    """Change some of the cells a school may change."""
    free = [
        (role.id, case) for _one, role, case in cases_of(services_of(session, school.id)) if not case.fixe
    ]
    rows = [
        {
            "etablissement_id": school.id,
            "role_id": role_id,
            "profil": case.profil,
            "accorde": not case.coche,
            "debut": now() - timedelta(days=draw.randint(1, 380), minutes=draw.randint(0, 600)),
            "par": ACTEUR,
        }
        for role_id, case in draw.sample(free, k=min(len(free), draw.randint(4, 10)))
    ]
    session.execute(insert(DroitService), rows)
