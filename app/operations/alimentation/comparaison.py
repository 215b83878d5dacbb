"""Reading a feed against the base, batch by batch: what differs becomes difference rows (I2).

Nothing but the feed's own rows (``alimentation*``, ``ecart``, ``citation_responsable``) and the
marks of ``fiche_source`` is written. An object whose digest is the one last applied is never
converted. Memory holds one batch, and one bit per object the source ever stated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

import orjson
from sqlalchemy import Table
from sqlalchemy.orm import Session

from app.database import bulk_insert, bulk_update, rows_of
from app.errors import ConflictError
from app.extensions import now
from app.models import Alimentation, AlimentationEtablissement, FicheSource
from app.operations.alimentation import lots, lots_structures
from app.operations.alimentation.champs import PERSONNES
from app.operations.alimentation.fiches import Anomalie, EnTete, Fiche, Objet, Operation
from app.operations.alimentation.registre import Registre

LOT = 1000
TRANCHE = 20_000
FICHE: Table = FicheSource.metadata.tables["fiche_source"]
LIGNE: Table = AlimentationEtablissement.metadata.tables["alimentation_etablissement"]


@dataclass(slots=True)
class Connue:
    """What the base last knew of one key of the source."""

    id: int
    empreinte: bytes | None
    presente: bool
    personne_id: int | None
    champs: int | None


class Comparaison:
    """One reading: its counters, the keys it met, the schools its files state in full."""

    def __init__(
        self,
        session: Session,
        alimentation: Alimentation,
        entete: EnTete,
        etablissements: set[str] | None = None,
    ) -> None:
        self.session = session
        self.alimentation_id = alimentation.id
        self.source = entete.source
        self.espace = entete.espace
        self.entete = entete
        self.limite = etablissements
        self.complet = entete.mode == "complet"
        self.today = now().date().isoformat()
        self.registre = Registre(session, alimentation)
        self.entiers: set[str] = {entete.uai} if entete.uai and self.complet else set()
        self.noms: dict[str, str] = {}
        self.vues = bytearray()
        self.empreinte = blake2b(digest_size=32)
        self.empreintes: list[tuple[bytes, int | None, int]] = []
        self.tenues: dict[int, list[tuple[str, str]]] = {}
        """Person → keys and schools, of the people of the batch at hand that have several keys."""
        self.reconnues: dict[tuple[str, str], int] = {}
        """Kind and key → person, as matched in this reading; kept for the files of one school only."""

    def lot(self, objet: Objet, fiches: list[Fiche]) -> None:
        """Compare one batch of objects of one kind."""
        if self.limite is not None:
            fiches = [fiche for fiche in fiches if fiche.uai is None or fiche.uai in self.limite]
        kind = objet.value
        self._learn_schools(fiches)
        known = self._known(kind, fiches)
        to_read: list[lots.Lue] = []
        met: set[str] = set()
        for fiche in fiches:
            self.empreinte.update(fiche.empreinte)
            line = known.get(fiche.cle)
            if fiche.cle in met or (line is not None and self._seen(line.id)):
                self._twice(kind, fiche)
                continue
            met.add(fiche.cle)
            if kind == "etablissement" and fiche.uai and self.source in ("aaf", "aaf1d") and self.complet:
                self.entiers.add(fiche.uai)
            if line is not None:
                self._see(line.id)
                same = line.presente and line.empreinte == fiche.empreinte
                if same and fiche.operation is Operation.COMPLET:
                    self.registre.compter(kind, "inchanges", fiche.uai)
                    continue
            to_read.append(lots.Lue(fiche, line))
        if kind == "responsable" and self.source in ("aaf", "aaf1d"):
            to_read = lots.citees(self, to_read)
        if to_read:
            self._compare(kind, to_read)
        self._flush()

    def _compare(self, kind: str, to_read: list[lots.Lue]) -> None:
        if kind in PERSONNES:
            lots.personnes(self, kind, to_read)
        elif kind == "lien":
            lots_structures.liens(self, to_read)
        else:
            lots_structures.structures(self, kind, to_read)

    def _known(self, kind: str, fiches: list[Fiche]) -> dict[str, Connue]:
        return {
            row[1]: Connue(
                row[0], bytes(row[2]) if row[2] is not None else None, bool(row[3]), row[4], row[5]
            )
            for row in rows_of(
                self.session,
                "SELECT id, cle, empreinte, presente, personne_id, champs FROM fiche_source"
                " WHERE espace = :espace AND objet = :objet AND cle IN :cles",
                espace=self.espace,
                objet=kind,
                cles=[fiche.cle for fiche in fiches],
            )
        }

    def _learn_schools(self, fiches: Iterable[Fiche]) -> None:
        self.apprendre_ecoles({fiche.uai for fiche in fiches if fiche.uai})

    def apprendre_ecoles(self, uais: set[str]) -> None:
        """Learn which schools of a batch the base has."""
        unknown = sorted(uais - self.registre.ecoles.keys())
        if unknown:
            for row_id, uai in rows_of(
                self.session, "SELECT id, uai FROM etablissement WHERE uai IN :uais", uais=unknown
            ):
                self.registre.ecoles[uai] = row_id

    def _see(self, fiche_id: int) -> None:
        index = fiche_id >> 3
        if index >= len(self.vues):
            self.vues.extend(bytes(index + 65_536 - len(self.vues)))
        self.vues[index] |= 1 << (fiche_id & 7)

    def _seen(self, fiche_id: int) -> bool:
        index = fiche_id >> 3
        return index < len(self.vues) and bool(self.vues[index] & (1 << (fiche_id & 7)))

    def proteger(self, personne_ids: Iterable[int]) -> None:
        """Count people as seen: two people that disagreeing identifiers name do not leave."""
        for (fiche_id,) in rows_of(
            self.session,
            "SELECT id FROM fiche_source WHERE espace || '' = :espace AND personne_id IN :ids",
            espace=self.espace,
            ids=sorted(personne_ids),
        ):
            self._see(fiche_id)

    def _twice(self, kind: str, fiche: Fiche) -> None:
        self.registre.ajouter(
            "anomalie",
            kind,
            fiche.cle,
            [fiche.uai] if fiche.uai else [],
            libelle=fiche.cle,
            ligne=fiche.ligne,
            code="cle_double",
            message="Cette clé figure deux fois dans les fichiers ; seule la première fiche est retenue.",
        )

    def _flush(self) -> None:
        self.registre.vider()
        bulk_update(self.session, FICHE, "id", ("empreinte", "champs"), self.empreintes)
        self.empreintes = []

    def terminer(self, alimentation: Alimentation) -> None:
        """Mark the keys that were not met, write the counts and the lines of the schools."""
        self.registre.vider()
        if self.complet:
            for objet in (
                Objet.DIVISION, Objet.GROUPE, Objet.ELEVE, Objet.RESPONSABLE, Objet.PERSONNEL, Objet.LIEN,
            ):  # fmt: skip
                if objet in self.entete.presents:
                    self._miss(objet.value)
        self._write_schools()
        alimentation.comptes = {kind: dict(counts) for kind, counts in self.registre.comptes.items()}
        alimentation.empreinte = self.empreinte.hexdigest()

    def _miss(self, kind: str) -> None:
        """Mark what the source stated before and no longer does."""
        last = 0
        while True:
            ids = [
                row[0]
                for row in rows_of(
                    self.session,
                    "SELECT id FROM fiche_source WHERE espace = :espace AND objet = :objet AND presente"
                    " AND id > :last ORDER BY id LIMIT :slice",
                    espace=self.espace,
                    objet=kind,
                    last=last,
                    slice=TRANCHE,
                )
            ]
            if not ids:
                return
            missed = [row_id for row_id in ids if not self._seen(row_id)]
            if missed:
                rows_of(
                    self.session,
                    "UPDATE fiche_source SET absente_de = :feed WHERE id IN :ids",
                    feed=self.alimentation_id,
                    ids=missed,
                )
            last = ids[-1]

    def _write_schools(self) -> None:
        touched = set(self.registre.par_ecole) | self.entiers
        if self.limite is not None:
            touched &= self.limite
        self.apprendre_ecoles(touched)
        names = {
            row[0]: row[1]
            for row in rows_of(
                self.session, "SELECT uai, nom FROM etablissement WHERE uai IN :uais", uais=sorted(touched)
            )
        }
        bulk_insert(
            self.session,
            LIGNE,
            ("alimentation_id", "etablissement_id", "uai", "nom", "comptes", "entier", "depart_bloque",
             "departs_acceptes"),
            [
                (
                    self.alimentation_id,
                    self.registre.ecoles.get(uai),
                    uai,
                    names.get(uai) or self.noms.get(uai, uai),
                    orjson.dumps(self.registre.par_ecole.get(uai, {})).decode(),
                    uai in self.entiers,
                    False,
                    False,
                )
                for uai in sorted(touched)
            ],
        )  # fmt: skip


def comparer(
    session: Session,
    alimentation: Alimentation,
    entete: EnTete,
    objets: Iterable[Fiche | Anomalie],
    *,
    etablissements: set[str] | None = None,
) -> Iterator[int]:
    """Compare the objects of a feed with the base; yield how many were read after each batch.

    The caller may commit, or stop, between two batches.
    """
    work = Comparaison(session, alimentation, entete, etablissements)
    batch: list[Fiche] = []
    read = 0
    for item in objets:
        read += 1
        if isinstance(item, Anomalie):
            work.registre.anomalie(item)
            continue
        if batch and (item.objet is not batch[0].objet or len(batch) >= LOT):
            work.lot(batch[0].objet, batch)
            batch = []
            yield read - 1
            _still_reading(session, alimentation)
        batch.append(item)
    if batch:
        work.lot(batch[0].objet, batch)
    work.terminer(alimentation)
    session.flush()
    yield read


def _still_reading(session: Session, alimentation: Alimentation) -> None:
    """Stop when another reading of the same scope took over."""
    state = rows_of(session, "SELECT etat FROM alimentation WHERE id = :id", id=alimentation.id)
    if not state or state[0][0] != "lecture":
        raise ConflictError("Une autre lecture de la même source a commencé ; celle-ci est abandonnée.")
