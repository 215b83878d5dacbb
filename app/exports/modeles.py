"""Models, gaps and applications as programs read them: the API and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.models import ApplicationModele, ModeleServices
from app.queries import comparaison
from app.queries import modeles as reads
from app.queries.comparaison import now_of
from app.queries.etats_services import Ecole, catalogue, fill


def listed(rows: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    """Return models as lists give them."""
    names = ("id", "nom", "description", "portee", "academie", "lignes", "modifie_par")
    return [
        {**{name: getattr(row, name) for name in names}, "modifie_le": row.modifie_le.isoformat()}
        for row in rows
    ]


def gaps(session: Session, modele: ModeleServices, ecoles: Mapping[int, Ecole]) -> Iterator[dict[str, Any]]:
    """Yield what each of these schools, of the perimeter, has otherwise than a model."""
    read = comparaison.of_model(session, catalogue(session), modele.lignes)
    fill(session, ecoles, read.wanted)
    for ecole in ecoles.values():
        found = [
            {
                "cle": cible.cle,
                "element": cible.full,
                "etablissement": now_of(ecole, cible),
                "modele": read.valeurs[cible.key],
            }
            for cible in read.gaps(ecole)
        ]
        yield {
            "uai": ecole.uai,
            "nom": ecole.nom,
            "ecarts": found,
            "non_proposes": [one.code for one in read.unavailable(ecole)],
        }


def application(session: Session, row: ApplicationModele) -> dict[str, Any]:
    """Return what an application will do, is doing, or did."""
    totals = reads.totals(session, row.id)
    return {
        "id": row.id,
        "modele": row.modele,
        "etat": state_of(row),
        "defait": row.defait_id,
        "etablissements": {
            "a_changer": row.nombre,
            "conformes": row.conformes,
            "en_attente": totals.attente,
            "faits": totals.fait,
            "refuses": totals.refus,
        },
        "changements": totals.changements,
        "refus": totals.refuses,
        "gagnent": totals.gagnent,
        "perdent": totals.perdent,
        "effets": row.effets,
    }


def state_of(row: ApplicationModele) -> str:
    """Say how an application stands."""
    if row.confirme_le is None:
        return "apercu"
    if row.fini_le is not None:
        return "finie"
    return {"echec": "echec", "annulee": "arretee"}.get(row.tache.etat if row.tache else "", "en_cours")


def effects_text(effets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say, line by line, what an application does."""
    for one in effets:
        change = f"{one['etait']} → {one['sera']}" if one["sera"] else one["etait"]
        people = (
            f", {one['gagnent']} gagnent, {one['perdent']} perdent"
            if one["gagnent"] or one["perdent"]
            else ""
        )
        refus = f" : {one['refus']}" if one["refus"] else ""
        yield f"  {one['ecoles']:>5}  {one['nom']}  {change}{people}{refus}"
