"""The pages of the demo académie: two schools with a public page, logos drawn for it, news and blocks.

Nothing here exists: names, places and addresses are invented, the drawings are ours.
"""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import ROOT
from app.errors import UserError
from app.extensions import now
from app.models import Compte, Etablissement, Rattachement, Service
from app.operations import blocs, editeurs, flux, logos, page_publique, services
from app.operations.flux import Article, Lecture
from app.operations.page_publique import Choix
from app.operations.saisies import Actor
from app.queries.pages import BREVES

FICHIER = ROOT / "app" / "donnees" / "pages_demonstration.toml"
ACTEUR = Actor("Démonstration")
NEVER = timedelta(days=3650)
"""Invented sites answer nobody: their feeds are not read again."""


def create(session: Session, first: str, *, source: Path = FICHIER) -> None:
    """Write the pages: of the school ``first``, and of another of another kind."""
    texts = tomllib.loads(source.read_text(encoding="utf-8"))
    college = session.scalars(select(Etablissement).where(Etablissement.uai == first)).one()
    other = session.scalars(
        select(Etablissement)
        .where(Etablissement.code_nature == "302", Etablissement.id != college.id)
        .order_by(Etablissement.uai.desc())
    ).first()
    for school, page in zip((college, other), texts["page"], strict=False):
        if school is not None:
            _write(session, school, page, texts["dessin"])
    _name_editor(session, college)


def _write(session: Session, school: Etablissement, page: dict[str, Any], drawings: dict[str, str]) -> None:
    offered = {code: id_ for id_, code in session.execute(select(Service.id, Service.code))}
    for code in (BREVES, *page["services"]):
        try:
            services.basculer(session, school.id, code, True, acteur=ACTEUR)
        except UserError:  # on already, always on, or not offered here
            continue
    shown = frozenset(offered[code] for code in page["services"] if code in offered)
    choix = Choix(
        active=True,
        adresse=page_publique.proposer(session, school),
        modele=page["modele"],
        entete=True,
        accroche=page["accroche"],
        services=shown,
    )
    page_publique.enregistrer(session, school, choix, version=0, acteur=ACTEUR)
    for place, names in page["logos"].items():
        for name in names:
            texte, _, url = name.partition("|")
            picture = drawings[texte].encode()
            more: dict[str, Any] = {"texte": texte, "url": url, "visible": True, "acteur": ACTEUR}
            logos.ajouter(session, school.id, place, picture, **more)
    for bloc in page["bloc"]:
        blocs.creer(
            session,
            school.id,
            titre=bloc["titre"],
            texte=bloc["texte"].strip(),
            visible=bloc.get("visible", True),
            acteur=ACTEUR,
        )
    for feed in page["flux"]:
        _feed(session, school, feed)


def _feed(session: Session, school: Etablissement, feed: dict[str, Any]) -> None:
    articles = [
        Article(
            cle=one["titre"],
            titre=one["titre"],
            lien=f"{feed['url']}#{rank}",
            resume=one["resume"],
            publiee_le=now() - timedelta(hours=7 + 31 * rank),
        )
        for rank, one in enumerate(feed["article"])
    ]
    row = flux.ajouter(session, school.id, feed["url"], Lecture(feed["titre"], articles), acteur=ACTEUR)
    if feed.get("panne"):
        flux.noter_panne(session, row, feed["panne"])
        row.en_panne_depuis = now() - timedelta(days=3)
    else:
        row.prochaine_lecture = now() + NEVER
    session.flush()


def _name_editor(session: Session, school: Etablissement) -> None:
    """Let the teacher of the demo accounts write the page of their school."""
    teacher = session.scalars(
        select(Compte)
        .join(Rattachement, Rattachement.personne_id == Compte.personne_id)
        .where(
            Compte.attributions.any(role="enseignant"),
            Compte.email.endswith("@demonstration.example"),
            Rattachement.etablissement_id == school.id,
            Rattachement.profil == "enseignant",
        )
    ).first()
    if teacher is not None and teacher.personne is not None:
        editeurs.designer(session, teacher.personne, school.id, acteur=ACTEUR)
