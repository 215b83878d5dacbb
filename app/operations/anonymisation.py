"""Emptying people for good: the row stays and counts, nothing says any more who it was (U8, U16).

Tables are found by their foreign keys, so a new one is never forgotten: its rows about the person go,
or lose the person when the column may be empty. What is kept is named here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, and_, delete, exists, null, or_, select, update
from sqlalchemy.orm import Session

from app.database import lock
from app.extensions import Base, now
from app.models import (
    Alimentation,
    Attribution,
    Compte,
    Courriel,
    Ecart,
    FicheSource,
    Fusion,
    Personne,
    RacineLogin,
    Rattachement,
)
from app.operations import journal
from app.operations.journal import NOBODY
from app.operations.journal_caviarde import caviarder
from app.operations.saisies import SYSTEME, Actor
from app.queries.references import owned_by, primary_key, references_to

LOT = 200
"""People emptied in one transaction: the write lock of SQLite is held for a moment."""

NOM, PRENOM = "Personne", "anonymisée"
GARDEES = frozenset({"rattachement"})
"""Tables whose rows stay, for the figures: where, under which profile, from when to when."""
EMPTIED = {"rattachement": {"division_id": None, "regime": None}}
GONE = frozenset({("ab_user", "personne_id"), ("ligne_import", "personne_id")})
"""Columns a deletion would only empty, and whose row goes all the same: the account, a line of a file."""
KEPT_COLUMNS = frozenset(
    {"id", "source", "cree_le", "supprime_le", "version", "code_generation", "anonymise_le", "modifie_le"}
)
"""Columns of a person that say nothing of them; every other one is emptied."""


def purgeables(session: Session, avant: datetime, *, limit: int = LOT) -> list[int]:
    """Return people who left every school before an instant and are not emptied yet, the oldest first.

    Whoever still has a place somewhere, or holds a role wider than a school, is not among them.
    """
    place = select(Rattachement.id).where(Rattachement.personne_id == Personne.id, Rattachement.fin.is_(None))
    wide = (
        select(Attribution.id)
        .join(Compte, Compte.id == Attribution.compte_id)
        .where(
            Compte.personne_id == Personne.id,
            or_(
                Attribution.academie_id.is_not(None),
                Attribution.collectivite_id.is_not(None),
                Attribution.role == "assistant_n2",
            ),
            or_(Attribution.jusqua.is_(None), Attribution.jusqua > now()),
        )
    )
    statement = (
        select(Personne.id)
        .where(
            Personne.supprime_le < avant,
            Personne.anonymise_le.is_(None),
            ~place.correlate(Personne).exists(),
            ~wide.correlate(Personne).exists(),
        )
        .order_by(Personne.supprime_le, Personne.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def anonymiser(session: Session, ids: Sequence[int], *, acteur: Actor = SYSTEME) -> int:
    """Empty these people; return how many. The caller commits, and gives no more than a lot."""
    session.flush()
    lock(session, "alimentation")
    chosen = _still_there(session, ids)
    if not chosen:
        return 0
    users = Base.metadata.tables["ab_user"]
    accounts = list(_run(session, _ids(Compte.personne_id, chosen, users)).scalars())
    schools = _schools(session, chosen)
    names = _names(session, chosen)
    logins = _logins(session, chosen)
    _forget_mails(session, chosen, accounts)
    caviarder(session, _rows_named(session, chosen, accounts), accounts, names)
    _forget_differences(session, chosen)
    for row_id in accounts:
        _remove(session, "ab_user", [row_id])
    _let_go(session, "personne", chosen)
    _empty_places(session, chosen)
    _empty_people(session, chosen)
    _forget_roots(session, logins)
    for school, count in sorted(schools.items()):
        journal.write(
            session,
            acte="personne.anonymiser",
            acteur=acteur.nom,
            compte_id=acteur.compte_id,
            objet_type="personne",
            objet_id=chosen[0] if len(chosen) == 1 else None,
            objet=NOBODY,
            etablissement_id=school or None,
            apres={"personnes": count},
        )
    session.expire_all()
    return len(chosen)


def _run(session: Session, statement: Any) -> Any:
    """Run a statement outside the ORM: the caller holds the perimeter of everything."""
    return session.connection().execute(statement)


def _table(entity: Any) -> Table:
    return Base.metadata.tables[entity.__tablename__]


def _ids(column: Any, values: Sequence[int], table: Table) -> Any:
    return select(table.c.id).where(table.c[column.key].in_(values)).order_by(table.c.id)


def _still_there(session: Session, ids: Sequence[int]) -> list[int]:
    people = _table(Personne)
    statement = select(people.c.id).where(people.c.id.in_(ids), people.c.anonymise_le.is_(None))
    return list(_run(session, statement.order_by(people.c.id).with_for_update()).scalars())


def _schools(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Return how many of these people each school knew; those of no school count for the platform."""
    places = _table(Rattachement)
    pairs = select(places.c.personne_id, places.c.etablissement_id).where(places.c.personne_id.in_(ids))
    found: dict[int, int] = {}
    placed = set()
    for person, school in _run(session, pairs.distinct()):
        found[school] = found.get(school, 0) + 1
        placed.add(person)
    if len(placed) < len(ids):
        found[journal.PLATEFORME] = len(ids) - len(placed)
    return found


def _names(session: Session, ids: Sequence[int]) -> list[str]:
    """Return what the journal may call these people in lines about something else."""
    people = _table(Personne)
    found: list[str] = []
    for row in _run(session, select(people).where(people.c.id.in_(ids))).mappings():
        for nom in {row["nom"], row["nom_usage"] or row["nom"]}:
            found += [f"{nom} {row['prenom']}", f"{row['prenom']} {nom}"]
        found += [text for text in (row["login"], row["email"]) if text]
    return found


def _logins(session: Session, ids: Sequence[int]) -> list[str]:
    people = _table(Personne)
    read = select(people.c.login).where(people.c.id.in_(ids), people.c.login.is_not(None))
    return list(_run(session, read).scalars())


def _forget_roots(session: Session, logins: Sequence[str]) -> None:
    """Forget the roots of logins nobody bears any more: they are names too."""
    roots, people, users = _table(RacineLogin), _table(Personne), Base.metadata.tables["ab_user"]
    for root in sorted({login.rstrip("0123456789") for login in logins}):
        bearers = [
            login
            for column in (people.c.login, users.c.username)
            for login in _run(
                session, select(column).where(column.startswith(root, autoescape=True))
            ).scalars()
        ]
        if not any(login.rstrip("0123456789") == root for login in bearers):
            _run(session, delete(roots).where(roots.c.racine == root))


def _rows_named(session: Session, ids: Sequence[int], accounts: Sequence[int]) -> dict[str, list[int]]:
    """Return the objects the journal may have named: type → ids, found by foreign keys."""
    merged = Base.metadata.tables[Fusion.__tablename__]
    absorbed = select(merged.c.absorbee).where(merged.c.personne_id.in_(ids))
    found = {"personne": [*ids, *_run(session, absorbed).scalars()], "compte": list(accounts)}
    for root, values in (("personne", ids), ("ab_user", accounts)):
        for column in references_to(root):
            key = primary_key(column.table)
            if key is not None and column.table.name != "ab_user" and values:
                read = select(key).where(column.in_(values))
                found.setdefault(column.table.name, []).extend(_run(session, read).scalars())
    return found


def _forget_mails(session: Session, ids: Sequence[int], accounts: Sequence[int]) -> None:
    """Empty the mails sent to these people; an address others have too stays theirs."""
    people, users, mails = _table(Personne), Base.metadata.tables["ab_user"], _table(Courriel)
    addresses = {
        email.lower()
        for table, values in ((people, ids), (users, accounts))
        for email in session.connection()
        .execute(select(table.c.email).where(table.c.id.in_(values)))
        .scalars()
        if email
    }
    if not addresses:
        return
    shared = select(people.c.email).where(people.c.email.in_(addresses), people.c.id.not_in(ids))
    addresses -= {email.lower() for email in _run(session, shared).scalars()}
    _run(
        session,
        update(mails)
        .where(mails.c.destinataire.in_(sorted(addresses)), mails.c.etat.in_(("envoye", "echec", "annule")))
        .values(destinataire="", objet=NOBODY, texte="", html=None, erreur=None),
    )


def _forget_differences(session: Session, ids: Sequence[int]) -> None:
    """Empty what past feeds read of these people: by number, and by the key of their source."""
    lines, sheets, feeds = _table(Ecart), _table(FicheSource), _table(Alimentation)
    keys = [
        tuple(row)
        for row in _run(
            session,
            select(sheets.c.espace, sheets.c.objet, sheets.c.cle).where(sheets.c.personne_id.in_(ids)),
        )
    ]
    same = and_(
        lines.c.cle.in_(sorted({key[2] for key in keys})),
        exists().where(
            feeds.c.id == lines.c.alimentation_id,
            sheets.c.espace == feeds.c.cle_portee,
            sheets.c.objet == lines.c.objet,
            sheets.c.cle == lines.c.cle,
            sheets.c.personne_id.in_(ids),
        ),
    )
    theirs = or_(lines.c.personne_id.in_(ids), same)
    # what nobody applied yet would apply to an empty record: the next feed states them anew
    _run(session, delete(lines).where(theirs, lines.c.applique_le.is_(None)))
    emptied: dict[str, Any] = dict.fromkeys(
        ("identifiant", "personne_id", "message", "empreinte", "donnees", "defaire")
    )
    emptied |= {"cle": "", "libelle": NOBODY, "avant": null(), "apres": null()}
    _run(session, update(lines).where(theirs).values(**emptied))


def _let_go(session: Session, name: str, ids: Sequence[int]) -> None:
    """Take these ids out of every row that references them."""
    for column in references_to(name):
        table = column.table
        if table.name in GARDEES and name == "personne":
            continue
        if column.nullable and not _goes_with(column):
            _run(session, update(table).where(column.in_(ids)).values({column.name: None}))
        else:
            _remove_rows(session, table, column, ids)


def _goes_with(column: Column[int]) -> bool:
    """Tell whether a row that may lose the person goes with them: as its foreign key says, or is named."""
    cascades = any(key.ondelete == "CASCADE" for key in column.foreign_keys)
    return cascades or (column.table.name, column.name) in GONE


def _remove_rows(session: Session, table: Table, column: Column[int], ids: Sequence[int]) -> None:
    key = primary_key(table)
    if key is not None and owned_by(table.name):
        _remove(
            session,
            table.name,
            list(_run(session, select(key).where(column.in_(ids))).scalars()),
        )
    else:
        _run(session, delete(table).where(column.in_(ids)))


def _remove(session: Session, name: str, ids: Sequence[int]) -> None:
    """Delete rows, after what references them."""
    if not ids:
        return
    _let_go(session, name, ids)
    table = Base.metadata.tables[name]
    _run(session, delete(table).where(table.c.id.in_(ids)))


def _empty_places(session: Session, ids: Sequence[int]) -> None:
    places = _table(Rattachement)
    mine = list(_run(session, _ids(Rattachement.personne_id, ids, places)).scalars())
    _let_go(session, "rattachement", mine)
    _run(session, update(places).where(places.c.id.in_(mine)).values(**EMPTIED["rattachement"]))
    _run(
        session,
        update(places)
        .where(places.c.id.in_(mine), places.c.fin.is_(None))
        .values(fin=now(), motif_fin="manuel"),
    )


def _empty_people(session: Session, ids: Sequence[int]) -> None:
    people = _table(Personne)
    values: dict[str, Any] = {
        column.name: None if column.nullable else ""
        for column in people.columns
        if column.name not in KEPT_COLUMNS
    }
    values |= {
        "nom": NOM,
        "prenom": PRENOM,
        "anonymise_le": now(),
        "modifie_le": now(),
        "version": people.c.version + 1,
        "code_generation": people.c.code_generation + 1,
    }
    _run(session, update(people).where(people.c.id.in_(ids)).values(**values))
    _run(
        session,
        update(people).where(people.c.id.in_(ids), people.c.supprime_le.is_(None)).values(supprime_le=now()),
    )
