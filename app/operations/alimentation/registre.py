"""The difference rows of a feed, gathered by batch, counted by kind of object and by school."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import orjson
from sqlalchemy import Table
from sqlalchemy.orm import Session

from app.database import bulk_insert
from app.models import Alimentation, Ecart
from app.operations.alimentation.champs import ORDRE, Record
from app.operations.alimentation.fiches import Anomalie

ECART: Table = Ecart.metadata.tables["ecart"]
COLONNES = (
    "alimentation_id",
    "etablissement_id",
    "uai",
    "nature",
    "objet",
    "ordre",
    "cle",
    "libelle",
    "identifiant",
    "personne_id",
    "fichier",
    "ligne",
    "code",
    "message",
    "avant",
    "apres",
    "partage",
    "empreinte",
    "donnees",
)
NATURES = {
    "cree": "crees",
    "modifie": "modifies",
    "depart": "departs",
    "retour": "retours",
    "anomalie": "anomalies",
}
RECONNU = "reconnu"
"""Code of an object another source already gave: only this source's key is to be written."""

COMPTES = ("crees", "modifies", "reconnus", "inchanges", "departs", "retours", "anomalies", "ecartes")

Comptes = dict[str, dict[str, int]]


def _texte(value: Record | None) -> str | None:
    return orjson.dumps(value).decode() if value else None


class Registre:
    """Buffers difference rows and their counts; ``vider`` writes the rows."""

    def __init__(self, session: Session, alimentation: Alimentation) -> None:
        self.session = session
        self.alimentation_id = alimentation.id
        self.lignes: list[tuple[Any, ...]] = []
        self.comptes: Comptes = defaultdict(lambda: dict.fromkeys(COMPTES, 0))
        self.par_ecole: dict[str, Comptes] = defaultdict(
            lambda: defaultdict(lambda: dict.fromkeys(COMPTES, 0))
        )
        self.ecoles: dict[str, int] = {}

    def compter(self, objet: str, compte: str, uai: str | None = None, nombre: int = 1) -> None:
        """Count objects of one kind."""
        self.comptes[objet][compte] += nombre
        if uai:
            self.par_ecole[uai][objet][compte] += nombre

    def ajouter(
        self,
        nature: str,
        objet: str,
        cle: str,
        uais: list[str],
        *,
        libelle: str,
        identifiant: str | None = None,
        personne_id: int | None = None,
        ligne: int | None = None,
        code: str | None = None,
        message: str | None = None,
        avant: Record | None = None,
        apres: Record | None = None,
        empreinte: bytes | None = None,
        donnees: bytes | None = None,
        fichier: str = "",
    ) -> None:
        """Add the rows of one object, one per school; counted once for the whole feed."""
        counted = "reconnus" if code == RECONNU else NATURES[nature]
        self.comptes[objet][counted] += 1
        before, after = _texte(avant), _texte(apres)
        schools: list[str | None] = [*uais] or [None]
        for uai in schools:
            if uai:
                self.par_ecole[uai][objet][counted] += 1
            self.lignes.append(
                (
                    self.alimentation_id,
                    self.ecoles.get(uai) if uai else None,
                    uai,
                    nature,
                    objet,
                    ORDRE[objet],
                    cle[:80],
                    libelle[:240],
                    identifiant,
                    personne_id,
                    fichier,
                    ligne,
                    code,
                    message,
                    before,
                    after,
                    len(uais) > 1,
                    empreinte,
                    donnees,
                )
            )

    def anomalie(self, lue: Anomalie) -> None:
        """Add what a reader could not read."""
        self.ajouter(
            "anomalie",
            lue.objet.value,
            lue.cle,
            [lue.uai] if lue.uai else [],
            libelle=lue.libelle or lue.cle,
            ligne=lue.ligne,
            code=lue.code[:40],
            message=lue.message,
            fichier=lue.fichier[:160],
        )

    def vider(self) -> None:
        """Write the rows gathered so far."""
        if self.lignes:
            bulk_insert(self.session, ECART, COLONNES, self.lignes)
            self.lignes = []
