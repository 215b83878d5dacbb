"""Bulk writes of one batch, in the order foreign keys want: people, attachments, what hangs on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Session

from app.database import bulk_insert, bulk_update, instant, rows_of
from app.extensions import now
from app.models import Personne
from app.operations.alimentation.avance import Avance
from app.operations.alimentation.champs import IDENTITE, Part
from app.operations.alimentation.references import References
from app.queries.noms import name_variants

TABLES = Personne.metadata.tables
PERSONNE = (
    "id", *IDENTITE, "nom_recherche", "login", "source", "code_generation",
    "cree_le", "modifie_le", "version",
)  # fmt: skip
PLACE = (
    "id", "personne_id", "cle", "etablissement_id", "profil", "source", "debut", "mef_id", "division_id",
    "regime",
)  # fmt: skip
FICHE = ("espace", "objet", "cle", "etablissement_id", "personne_id", "empreinte", "presente", "champs")
LIEN = (
    "eleve_id", "responsable_id", "code_parente", "niveau", "financier", "contact", "paiement", "source",
)  # fmt: skip


LISTES = {"eleve_groupe", "option_suivie", "fonction_exercee", "service_enseigne", "professeur_principal"}
"""Tables whose rows a source may state twice."""


TRANCHE = 2000
"""Differences marked as applied by one statement."""


def table(name: str) -> Table:
    """Return a table of the model by name."""
    return TABLES[name]


class Ecritures:
    """Rows waiting to be written for one school."""

    def __init__(self, session: Session, source: str, references: References) -> None:
        self.session = session
        self.source = source
        self.references = references
        self.instant = instant(session, now())
        self._clear()

    def _clear(self) -> None:
        self.nouveaux: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self.changees: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        self.places: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        self.fiches: list[tuple[Any, ...]] = []
        self.ecarts: list[tuple[Any, ...]] = []
        self.remplacees: dict[str, list[int]] = defaultdict(list)
        self.rouvertes: list[int] = []
        self.modifiees: list[int] = []

    def variantes(self, personne_id: int, values: dict[str, Any]) -> None:
        """Write the other keys a person is found under; those of before the change go."""
        self.remplacees["variante_nom"].append(personne_id)
        for key in name_variants(
            values.get("nom") or "", values.get("nom_usage"), values.get("prenom") or ""
        ):
            self.nouveaux["variante_nom"].append((personne_id, key))

    def identite(self, personne_id: int, values: dict[str, Any]) -> None:
        """Change columns of a person."""
        if values:
            columns = tuple(sorted(values))
            self.changees[columns].append((*(values[name] for name in columns), personne_id))
            self.modifiees.append(personne_id)

    def place(self, place_id: int, values: dict[str, Any]) -> None:
        """Change columns of an attachment."""
        if values:
            columns = tuple(sorted(values))
            self.places[columns].append((*(values[name] for name in columns), place_id))

    def connaitre(self, parts: Sequence[Part]) -> None:
        """Learn, and create if need be, all the codes of parts: writing them asks the base nothing more."""
        refs = self.references
        classes: dict[str, set[str]] = {"division": set(), "groupe_enseignement": set()}
        codes: dict[str, set[str]] = defaultdict(set)
        for part in parts:
            classes["division"].update((part.get("division") or "", *(part.get("principal") or ())))
            classes["groupe_enseignement"].update(part.get("groupes") or ())
            codes["mef"].add(part.get("mef") or "")
            codes["matiere"].update(part.get("options") or ())
            for fonction, discipline in part.get("fonctions") or ():
                codes["fonction"].add(fonction)
                codes["discipline"].add(discipline or "")
            for division, groupe, matiere in part.get("services") or ():
                classes["division"].add(division)
                classes["groupe_enseignement"].add(groupe)
                codes["matiere"].add(matiere)
        for name, cited in classes.items():
            refs.classes(name, cited)
        for name, cited in codes.items():
            refs.connus(name, sorted(cited - {""}))

    def personnes(self, *, pendant: Iterator[None], avance: Avance | None) -> None:
        """Write the new people; ``pendant``, what hangs on them is gathered step by step."""
        if avance is not None:
            avance.confier(pendant)
        self._insert("personne", PERSONNE)
        for _step in pendant:
            pass

    def colonnes(self, part: Part) -> dict[str, Any]:
        """Return the columns of an attachment a part states (division, MEF, regime)."""
        refs = self.references
        found: dict[str, Any] = {}
        if "division" in part:
            code = part["division"]
            found["division_id"] = refs.classes("division", [code])[code[:32]] if code else None
        if "mef" in part:
            code = part["mef"]
            found["mef_id"] = refs.connus("mef", [code])[code[:11]] if code else None
        if "regime" in part:
            found["regime"] = part["regime"]
        return found

    def facettes(self, personne_id: int, place_id: int, part: Part, *, neuve: bool = False) -> None:
        """Write the lists of a part; on a known attachment they replace the ones there."""
        refs = self.references
        school = refs.etablissement_id
        if "groupes" in part:
            self._replace("eleve_groupe", place_id, neuve)
            ids = refs.classes("groupe_enseignement", part["groupes"])
            self.nouveaux["eleve_groupe"] += [(place_id, ids[code[:32]]) for code in part["groupes"]]
        if "options" in part:
            self._replace("option_suivie", place_id, neuve)
            ids = refs.connus("matiere", part["options"])
            self.nouveaux["option_suivie"] += [(place_id, ids[code[:40]]) for code in part["options"]]
        if "fonctions" in part:
            self._replace("fonction_exercee", place_id, neuve)
            held = refs.connus("fonction", [item[0] for item in part["fonctions"]])
            fields = refs.connus("discipline", [item[1] for item in part["fonctions"] if item[1]])
            self.nouveaux["fonction_exercee"] += [
                (place_id, held[code], fields.get(field) if field else None)
                for code, field in part["fonctions"]
            ]
        if "services" in part:
            self._replace("service_enseigne", personne_id, neuve)
            self.nouveaux["service_enseigne"] += [
                (personne_id, school, *self._service(item), self.source) for item in part["services"]
            ]
        if "principal" in part:
            self._replace("professeur_principal", personne_id, neuve)
            ids = refs.classes("division", part["principal"])
            self.nouveaux["professeur_principal"] += [
                (personne_id, ids[code[:32]]) for code in part["principal"]
            ]

    def _service(self, item: list[str]) -> tuple[int | None, int | None, int | None]:
        refs = self.references
        division, groupe, matiere = item
        return (
            refs.connus("matiere", [matiere])[matiere[:40]] if matiere else None,
            refs.classes("division", [division])[division[:32]] if division else None,
            refs.classes("groupe_enseignement", [groupe])[groupe[:32]] if groupe else None,
        )

    def _replace(self, name: str, owner: int, neuve: bool) -> None:
        if not neuve:
            self.remplacees[name].append(owner)

    def vider(self, *, signer: bool = False) -> None:
        """Write everything gathered; differences applied are marked together, when asked to ``signer``."""
        session = self.session
        self._insert("personne", PERSONNE)
        for columns, rows in self.changees.items():
            bulk_update(session, table("personne"), "id", columns, rows)
        self._touch()
        self._insert("identifiant", ("personne_id", "type", "portee", "valeur", "source"))
        self._insert_places()
        for columns, rows in self.places.items():
            bulk_update(session, table("rattachement"), "id", columns, rows)
        self._remove_replaced()
        for name, columns in (
            ("variante_nom", ("personne_id", "cle")),
            ("eleve_groupe", ("rattachement_id", "groupe_id")),
            ("option_suivie", ("rattachement_id", "matiere_id")),
            ("fonction_exercee", ("rattachement_id", "fonction_id", "discipline_id")),
            (
                "service_enseigne",
                ("personne_id", "etablissement_id", "matiere_id", "division_id", "groupe_id", "source"),
            ),
            ("professeur_principal", ("personne_id", "division_id")),
        ):
            self._insert(name, columns)
        self._insert("fiche_source", FICHE)
        bulk_update(
            session,
            table("fiche_source"),
            "id",
            ("personne_id", "etablissement_id", "empreinte", "presente", "absente_de", "champs"),
            self.fiches,
        )
        ecarts = self.ecarts
        self._clear()
        for start in range(0, len(ecarts) if signer else 0, TRANCHE):
            bulk_update(
                session,
                table("ecart"),
                "id",
                ("etablissement_id", "personne_id", "defaire", "applique_le", "donnees"),
                [(*row[:-1], None, row[-1]) for row in ecarts[start : start + TRANCHE]],
            )
        self.ecarts = [] if signer else ecarts

    def _insert(self, name: str, columns: tuple[str, ...]) -> None:
        rows = self.nouveaux.pop(name, [])
        if rows:
            bulk_insert(self.session, table(name), columns, dict.fromkeys(rows) if name in LISTES else rows)

    def _insert_places(self) -> None:
        """Insert attachments, each with the key of its person as it now stands."""
        rows = self.nouveaux["rattachement"]
        known = [row[1] for row in rows if row[2] is None]
        if known:
            found = rows_of(
                self.session, "SELECT id, nom_recherche FROM personne WHERE id IN :ids", ids=known
            )
            keys = {row[0]: row[1] for row in found}
            rows[:] = [row if row[2] is not None else (*row[:2], keys[row[1]], *row[3:]) for row in rows]
        self._insert("rattachement", PLACE)

    def _touch(self) -> None:
        """Number the new version of changed people; reopened ones are no longer removed."""
        if self.modifiees:
            rows_of(
                self.session,
                "UPDATE personne SET version = version + 1, modifie_le = :instant WHERE id IN :ids",
                ids=self.modifiees,
                instant=now_of(self.session),
            )
        if self.rouvertes:
            rows_of(
                self.session, "UPDATE personne SET supprime_le = NULL WHERE id IN :ids", ids=self.rouvertes
            )

    def _remove_replaced(self) -> None:
        conditions = {
            "variante_nom": "personne_id IN :ids",
            "eleve_groupe": "rattachement_id IN :ids",
            "option_suivie": "rattachement_id IN :ids",
            "fonction_exercee": "rattachement_id IN :ids",
            "service_enseigne": "personne_id IN :ids AND etablissement_id = :school AND source <> 'manuel'",
            "professeur_principal": "personne_id IN :ids AND division_id IN"
            " (SELECT id FROM division WHERE etablissement_id = :school)",
        }
        for name, ids in self.remplacees.items():
            condition = conditions[name]
            values: dict[str, Any] = {"ids": sorted(set(ids))}
            if ":school" in condition:
                values["school"] = self.references.etablissement_id
            rows_of(self.session, f"DELETE FROM {name} WHERE {condition}", **values)


def now_of(session: Session) -> Any:
    """Return the current instant as a bound parameter of ``rows_of`` takes it."""
    return now() if session.get_bind().dialect.name == "postgresql" else instant(session, now())
