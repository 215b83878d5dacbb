"""Everything held on one person, found by walking foreign keys from the person and their account (U16).

A table is in the file unless it is named below with its reason; a column likewise. A table added
tomorrow is in it. Nobody else is: what names another person, or whoever wrote a line, is left out.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Table, and_, func, or_, select
from sqlalchemy.orm import Session

from app.extensions import Base, now
from app.models import Courriel, Ecart, Fusion, Journal
from app.operations.journal import SECRET
from app.queries.references import primary_key, references_to

ROOTS = ("personne", "ab_user")
EXCLUES: dict[str, str] = {
    "doublon": "compare la personne à une autre : dirait qui",
    "fusion": "état d’avant une réunion de fiches, gardé pour l’annuler : la fiche réunie est dans l’export",
    "citation_responsable": "brouillon d’une lecture en cours, effacé à l’aperçu",
    "ab_user_role": "table de la bibliothèque d’authentification, vide : les rôles sont dans « attribution »",
    "ab_user_group": "table de la bibliothèque d’authentification, vide",
    "variante_nom": "clés de recherche calculées à partir du nom, sans information de plus",
}
"""Table → why its rows about a person are not in the file."""
COLONNES_EXCLUES: dict[tuple[str, str], str] = {
    ("*", "par"): "nom de qui a écrit la ligne",
    ("*", "accordee_par"): "nom de qui a donné le droit",
    ("*", "empreinte"): "contrôle technique d’intégrité",
    ("*", "nom_recherche"): "clé de recherche calculée à partir du nom",
    ("*", "cle"): "clé technique",
    ("ab_user", "created_by_fk"): "compte de quelqu’un d’autre",
    ("ab_user", "changed_by_fk"): "compte de quelqu’un d’autre",
    ("tache", "parametres"): "numéros internes, qui peuvent être ceux d’autres personnes",
    ("tache", "curseur"): "reprise technique",
    ("tache", "resultat"): "peut nommer d’autres personnes",
    ("tache", "message"): "peut nommer d’autres personnes",
    ("tache", "bail"): "reprise technique",
    ("ecart", "donnees"): "copie de travail des champs déjà montrés, effacée à l’application",
    ("ecart", "defaire"): "copie de travail pour annuler l’alimentation",
    ("courriel", "texte"): "peut porter un lien à usage unique ; la personne a reçu le message",
    ("courriel", "html"): "peut porter un lien à usage unique ; la personne a reçu le message",
}
"""(Table or *, column) → why it is not in the file. Secrets are left out by their name."""
PAS_SUIVIES = frozenset(
    {("ab_user", "created_by_fk"), ("ab_user", "changed_by_fk"), ("reservation", "decideur_id")}
)
"""Columns that name an account without the row being about it."""
AUTRUI = frozenset({"responsables", "fiche"})
"""Keys of what a feed or the journal tells that may name another person."""
LIBELLES = ("libelle", "nom", "code", "uai", "nom_courant")


@dataclass
class Dossier:
    """What is held on one person: table → rows as column → plain value."""

    personne_id: int | None
    compte_id: int | None
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    etabli_le: datetime = field(default_factory=now)

    @property
    def lignes(self) -> int:
        """Return how many rows there are."""
        return sum(map(len, self.tables.values()))


def dossier(session: Session, personne_id: int | None, compte_id: int | None = None) -> Dossier:
    """Gather everything held on a person. The caller has checked that they may read it whole."""
    session.flush()
    return _Collecte(session, personne_id, compte_id).gather()


class _Collecte:
    """One walk: the rows met, and the ids that are this person's own."""

    def __init__(self, session: Session, personne_id: int | None, compte_id: int | None) -> None:
        self.connection = session.connection()
        self.dossier = Dossier(personne_id, compte_id)
        self.own: dict[str, set[int]] = {name: set() for name in ROOTS}
        if personne_id is not None:
            self.own["personne"].add(personne_id)
            users = Base.metadata.tables["ab_user"]
            mine = select(users.c.id).where(users.c.personne_id == personne_id)
            self.own["ab_user"] |= set(self.connection.execute(mine).scalars())
        if compte_id is not None:
            self.own["ab_user"].add(compte_id)
        self.seen: dict[str, set[Any]] = {}
        self.names: dict[tuple[str, Any], str] = {}

    def gather(self) -> Dossier:
        for name in ROOTS:
            table = Base.metadata.tables[name]
            self._take(table, table.c.id.in_(sorted(self.own[name])))
        todo = [name for name in ROOTS if self.own[name]]
        while todo:
            name = todo.pop(0)
            for column in references_to(name):
                if column.table.name in EXCLUES or (column.table.name, column.name) in PAS_SUIVIES:
                    continue
                new = self._take(column.table, column.in_(sorted(self.own[name])))
                if new and column.table.name not in ROOTS and references_to(column.table.name):
                    self.own.setdefault(column.table.name, set()).update(new)
                    todo.append(column.table.name)
        self._feeds()
        self._journal()
        self._mails()
        return self.dossier

    def _take(self, table: Table, where: Any) -> set[int]:
        """Add rows of a table once each; return the ids of those met for the first time."""
        key, met = primary_key(table), self.seen.setdefault(table.name, set())
        new: set[int] = set()
        for row in self.connection.execute(select(table).where(where)).mappings():
            mark = tuple(row[column.name] for column in table.primary_key.columns)
            if mark in met:
                continue
            met.add(mark)
            if key is not None:
                new.add(row[key.name])
            self.dossier.tables.setdefault(table.name, []).append(self._row(table, dict(row)))
        return new

    def _row(self, table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            column.name.removesuffix("_id"): said
            for column in table.columns
            if not excluded(table.name, column.name)
            and (said := self._value(column, row[column.name])) is not None
        }

    def _value(self, column: Column[Any], value: Any) -> Any:
        """Return a value in words: a row of another table by its name, another person not at all."""
        if value is None:
            return None
        for key in column.foreign_keys:
            target = key.column.table.name
            if target in ROOTS:
                return "vous" if value in self.own[target] else None
            if key.column.primary_key:
                return self._named(key.column.table, value)
        return plain(value)

    def _named(self, table: Table, row_id: Any) -> str:
        if (table.name, row_id) not in self.names:
            columns = [table.c[name] for name in LIBELLES if name in table.c]
            read = select(*columns or [next(iter(table.primary_key.columns))])
            found = self.connection.execute(read.where(table.c.id == row_id)).first()
            said = next((str(text) for text in found or () if text), str(row_id))
            self.names[table.name, row_id] = said
        return self.names[table.name, row_id]

    def _feeds(self) -> None:
        """Add what feeds read of the person; their lines keep the number without a foreign key."""
        table = Base.metadata.tables[Ecart.__tablename__]
        self._take(table, table.c.personne_id.in_(sorted(self.own["personne"])))

    def _journal(self) -> None:
        """Add the lines about the person, and those of their own acts without whom they were about."""
        table = Base.metadata.tables[Journal.__tablename__]
        merged = Base.metadata.tables[Fusion.__tablename__]
        read = select(merged.c.absorbee).where(merged.c.personne_id.in_(sorted(self.own["personne"])))
        known = {**self.own, "compte": self.own["ab_user"]}
        known["personne"] = self.own["personne"] | set(self.connection.execute(read).scalars())
        about = [
            and_(table.c.objet_type == name, table.c.objet_id.in_(sorted(ids)))
            for name, ids in known.items()
            if ids and name != "ab_user"
        ]
        done = table.c.compte_id.in_(sorted(self.own["ab_user"]))
        for row in self.connection.execute(
            select(table).where(or_(*about, done)).order_by(table.c.id)
        ).mappings():
            mine = row["objet_id"] in known.get(row["objet_type"], ())
            line = {"instant": plain(row["instant"]), "acte": row["acte"]}
            if row["compte_id"] in self.own["ab_user"]:
                line["auteur"] = "vous"
            if row["etablissement_id"]:
                line["etablissement"] = self._named(
                    Base.metadata.tables["etablissement"], row["etablissement_id"]
                )
            if mine:
                line["sur"] = "vous"
                line |= {name: said for name in ("avant", "apres") if (said := told(row[name]))}
            self.dossier.tables.setdefault("journal", []).append(line)

    def _mails(self) -> None:
        """Add the mails sent to an address that is this person's alone."""
        addresses = {
            email.lower()
            for name in ROOTS
            for email in self._emails(Base.metadata.tables[name], self.own[name])
            if email
        }
        for name in ROOTS:  # whoever writes somebody else's address on their sheet reads nothing of theirs
            table = Base.metadata.tables[name]
            held = func.lower(table.c.email).in_(sorted(addresses))
            others = select(table.c.email).where(held, table.c.id.not_in(sorted(self.own[name])))
            addresses -= {email.lower() for email in self.connection.execute(others).scalars()}
        mails = Base.metadata.tables[Courriel.__tablename__]
        if addresses:
            self._take(mails, func.lower(mails.c.destinataire).in_(sorted(addresses)))

    def _emails(self, table: Table, ids: set[int]) -> Sequence[str | None]:
        return (
            self.connection.execute(select(table.c.email).where(table.c.id.in_(sorted(ids)))).scalars().all()
        )


def excluded(table: str, column: str) -> str:
    """Return why a column is not in the file, empty when it is."""
    if SECRET.search(column) or "secret" in column:
        return "secret"
    return COLONNES_EXCLUES.get((table, column)) or COLONNES_EXCLUES.get(("*", column), "")


def told(values: Any) -> Any:
    """Return what a line tells, without the keys that may name somebody else."""
    if not isinstance(values, Mapping):
        return None
    return {key: value for key, value in values.items() if key not in AUTRUI} or None


def plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case bytes() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case Mapping():
            return told(value)
        case _:
            return value


def as_zip(found: Dossier, page: str) -> bytes:
    """Return the file: the data as JSON, a page to read them, and what is left out and why."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("donnees.json", as_json(found))
        archive.writestr("donnees.html", page)
    return output.getvalue()


def as_json(found: Dossier) -> str:
    """Return the data with what is left out and why."""
    content = {
        "etabli_le": found.etabli_le.isoformat(),
        "donnees": found.tables,
        "laisse_de_cote": {**EXCLUES, **{f"{t}.{c}": why for (t, c), why in COLONNES_EXCLUES.items()}},
    }
    return json.dumps(content, ensure_ascii=False, indent=2)


def sections(found: Dossier) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the tables, the person first, the journal and feeds last."""
    last = ("courriel", "ecart", "journal")
    order = {
        name: rank
        for rank, name in enumerate((*ROOTS, *sorted(set(found.tables) - set(ROOTS + last)), *last))
    }
    for name in sorted(found.tables, key=lambda name: order[name]):
        yield name, found.tables[name]
