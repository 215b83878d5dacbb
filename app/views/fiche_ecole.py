"""What the sheet of a school shows beyond its fields: figures, and what deserves attention (C5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import url_for
from werkzeug.routing import BuildError

from app.extensions import db, now
from app.models import Etablissement, Nomination
from app.operations.etablissements import uai_warning
from app.queries import fiche_etablissement as reads
from app.queries.accueil import LATE_AFTER
from app.security.manager import current_perimetre
from app.security.perimetres import perimetre
from app.security.permissions import Resource, Verb
from app.views.actes import COMPTES
from app.views.ecole import allowed_here
from app.views.rendering import day, instant, number, plural, since

ENDING_SOON = timedelta(days=30)
FAILED_SHOWN = timedelta(days=7)


@dataclass(frozen=True)
class Figure:
    """One figure of the top of the sheet."""

    label: str
    value: str
    note: str = ""
    url: str = ""
    link: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Point:
    """One thing that deserves attention, and where it is settled."""

    text: str
    detail: str
    icon: str
    tone: str = "info"
    url: str = ""


@dataclass
class Dossier:
    """Everything the sheet shows beside its form."""

    figures: list[Figure] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    administrators: Sequence[reads.Administrateur] = ()
    promised: Sequence[Nomination] = ()


def dossier(school: Etablissement) -> Dossier:
    """Read the sheet of a school, each part within the perimeter of its right."""
    made = Dossier()
    made.administrators = reads.administrators(db.session(), school.id)
    made.promised = reads.promised(db.session(), school.id)
    if allowed_here(Resource.ALIMENTATION):
        with perimetre(db.session(), current_perimetre(Resource.ALIMENTATION)):
            _feeds(made, school)
    _accounts(made, school)
    _administration(made, school)
    if allowed_here(Resource.TACHE):
        with perimetre(db.session(), current_perimetre(Resource.TACHE)):
            _tasks(made, school)
    warning = None if school.virtuel else uai_warning(school.uai)
    if warning:
        made.points.append(Point("UAI à vérifier", warning, "question-circle"))
    if school.etat == "ferme":
        made.points.append(Point("Établissement fermé", "L’annuaire le dit fermé.", "slash-circle", "warn"))
    return made


def address(endpoint: str, **values: Any) -> str:
    """Return the address of a page, empty when this Préau does not have it."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


def counted(comptes: dict[str, Any]) -> str:
    """Say what a feed did to a school: «4 créés, 11 modifiés, 1 départ»."""
    told = []
    for name, words in COMPTES.items():
        count = sum(kind.get(name, 0) for kind in comptes.values() if isinstance(kind, dict))
        if count and name != "anomalies":
            told.append(f"{number(count)} {plural(count, *words)}")
    return ", ".join(told)


def _feeds(made: Dossier, school: Etablissement) -> None:
    found = reads.feeds(db.session(), school.id)
    applied = [one for one in found if one.ligne.applique_le]
    last = max(applied, key=lambda one: (one.ligne.applique_le, one.ligne.id), default=None)
    if last is not None:
        when = since(last.ligne.applique_le)
        made.figures.append(
            Figure(
                "Dernière alimentation",
                when[:1].upper() + when[1:],
                counted(last.ligne.comptes) or "aucun changement",
                url_for("AlimentationView.show", pk=last.alimentation.id),
                "Voir ce qu’elle a changé",
            )
        )
    else:
        made.figures.append(Figure("Dernière alimentation", "Jamais"))
    may = allowed_here(Resource.ALIMENTATION, Verb.ECRIRE)
    for one in found:
        if one.ligne.applique_le is None:
            made.points.append(
                Point(
                    f"{one.alimentation} : {'aperçu à confirmer' if may else 'aperçu en attente'}",
                    f"Lue le {instant(one.alimentation.cree_le)}. {counted(one.ligne.comptes)}".strip(),
                    "arrow-left-right",
                    url=url_for("AlimentationView.show", pk=one.alimentation.id),
                )
            )
    if not school.virtuel and school.etat == "ouvert":
        _late(made, last, may)


def _late(made: Dossier, last: reads.Flux | None, may: bool) -> None:
    deposit = url_for("AlimentationView.add") if may else ""
    if last is None:
        text = "Les personnes de l’établissement arriveront avec ses fichiers."
        made.points.append(Point("Jamais alimenté", text, "clock-history", "warn", deposit))
    elif last.ligne.applique_le is not None and last.ligne.applique_le < now() - LATE_AFTER:
        days = (now() - last.ligne.applique_le).days
        text = f"La dernière alimentation date de {days} jours."
        made.points.append(Point("Alimentation en retard", text, "clock-history", "warn", deposit))
    if last is not None:
        count = sum(
            kind.get("anomalies", 0) for kind in last.ligne.comptes.values() if isinstance(kind, dict)
        )
        if count:
            link = url_for("AlimentationView.show", pk=last.alimentation.id, onglet="anomalies")
            words = f"{number(count)} {plural(count, 'anomalie')} à la dernière alimentation"
            made.points.append(
                Point(words, "Ces fiches n’ont pas été reprises.", "exclamation-triangle", "warn", link)
            )


def _accounts(made: Dossier, school: Etablissement) -> None:
    if not allowed_here(Resource.RATTACHEMENT):
        return
    with perimetre(db.session(), current_perimetre(Resource.RATTACHEMENT)):
        row = reads.figures(db.session(), school.id)
    if row is None:
        return
    people = row.eleves + row.enseignants + row.personnels + row.responsables + row.invites
    never = max(people - row.actives, 0)
    link = address("Personnes.liste", etablissement=school.id, etat="jamais")
    made.figures.append(
        Figure(
            "Comptes jamais activés",
            number(never),
            f"sur {number(people)}, calculé {since(row.calcule_le)}",
            link,
            "Voir les personnes concernées" if link and never else "",
        )
    )
    made.figures.append(
        Figure(
            "Élèves",
            number(row.eleves),
            f"en {number(row.divisions)} {plural(row.divisions, 'classe')}",
            address("Utilisateurs.liste", uai=school.uai, liste="eleves"),
        )
    )


def _administration(made: Dossier, school: Etablissement) -> None:
    may = allowed_here(Resource.ETABLISSEMENT, Verb.ECRIRE)
    link = url_for("AdministrateursLocaux.ajouter", uai=school.uai) if may else ""
    active = [one for one in made.administrators if not one.suspendu]
    made.figures.append(Figure("Administrateurs locaux", number(len(active)), url="#administrateurs"))
    if not active:
        text = "Personne ne peut traiter les demandes de l’établissement."
        text += " Nommez quelqu’un." if may else ""
        made.points.append(Point("Aucun administrateur local", text, "person-x", "bad", link))
    elif len(active) == 1:
        text = f"{active[0].nom} n’a pas de suppléant en cas d’absence."
        text += " Nommez une deuxième personne." if may else ""
        made.points.append(Point("Un seul administrateur local", text, "person", url=link))
    for one in made.administrators:
        if one.jusqua is not None and one.jusqua < now() + ENDING_SOON:
            last = day((one.jusqua - timedelta(seconds=1)).date())
            text = "Retirez puis redonnez ses droits pour les prolonger."
            made.points.append(
                Point(f"Les droits de {one.nom} s’arrêtent le {last}", text, "calendar-event", "warn")
            )


def _tasks(made: Dossier, school: Etablissement) -> None:
    count = reads.failed_tasks(db.session(), school.id, now() - FAILED_SHOWN)
    if count:
        words = f"{number(count)} {plural(count, 'travail', 'travaux')} en échec"
        link = url_for("TacheView.list", etat="echec")
        made.points.append(
            Point(words, "Relancez-les ou lisez pourquoi.", "exclamation-triangle", "bad", link)
        )
