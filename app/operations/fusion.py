"""Making two people one in a single act, and giving both back (U15).

The kept person is the one whose account stays, else the one known first. Identifiers, keys of the
sources and locks of both are theirs, so the next feed finds them under either. A value chosen
against another is locked: two records of a source would otherwise take turns writing it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Table, or_, select, update
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import ConflictError, RuleViolationError
from app.extensions import Base, now
from app.models import Fusion, Rattachement, Responsabilite
from app.operations import journal
from app.operations.deplacements import Deplacements, packed, undo
from app.operations.saisies import SYSTEME, Actor
from app.operations.sessions import MotifFin, end_all
from app.queries.noms import name_variants, personne_key
from app.queries.references import owned_by, primary_key, references_to

CHOIX: dict[str, tuple[str, ...]] = {
    "nom": ("nom",),
    "nom_usage": ("nom_usage",),
    "prenom": ("prenom",),
    "autres_prenoms": ("autres_prenoms",),
    "civilite": ("civilite",),
    "sexe": ("sexe",),
    "date_naissance": ("date_naissance",),
    "email": ("email",),
    "telephone_portable": ("telephone_portable",),
    "telephone_domicile": ("telephone_domicile",),
    "telephone_travail": ("telephone_travail",),
    "adresse": ("adresse", "code_postal", "commune", "pays"),
}
"""Choice offered → the columns it takes from one of the two."""
TECHNIQUES = frozenset(
    {
        "id", "login", "nom_recherche", "source", "code_generation", "cree_le", "modifie_le", "supprime_le",
        "suspendu_le", "motif_suspension", "suspension_de", "anonymise_le", "version",
    }
)  # fmt: skip
"""Columns nobody chooses: the merge knows what becomes of each."""
PASSAGERES = frozenset(
    {"ecart", "citation_responsable", "doublon", "fusion", "tache", "session_compte", "preference", "favori",
     "visite", "vue_enregistree"}
)  # fmt: skip
"""Tables whose rows come and go without the person being another: undoing does not mind them."""
CHANGEE = (
    "La fiche réunie a changé depuis la fusion (alimentation, saisie, nouveau rattachement…) : annuler"
    " perdrait ce changement. Rien n’est modifié."
)
PERSONNE: Table = Base.metadata.tables["personne"]
USER: Table = Base.metadata.tables["ab_user"]


@dataclass(frozen=True)
class Decision:
    """What somebody chose on the page that compares two people."""

    versions: Mapping[int, int]
    """Person → version they were compared at."""
    valeurs: Mapping[str, int] = field(default_factory=dict)
    """Choice → the person whose value is kept."""
    compte: int | None = None
    """The person whose account is kept, when both have one."""


def fusionner(
    session: Session, a_id: int, b_id: int, decision: Decision, *, acteur: Actor = SYSTEME
) -> Fusion:
    """Make two people one. The caller has checked the perimeter and commits.

    :raises ConflictError: one of the two changed, or is no more.
    :raises RuleViolationError: they cannot be one person, or two accounts and none chosen.
    """
    session.flush()
    lock(session, "alimentation")
    people = _people(session, a_id, b_id, decision)
    accounts = _accounts(session, people)
    kept_id, gone_id = _who_stays(people, accounts, decision)
    _check_relation(session, kept_id, gone_id)
    kept, gone = people[kept_id], people[gone_id]
    moves = Deplacements(session)
    schools = _schools(session, (kept_id, gone_id))
    _accounts_of(session, moves, accounts, kept_id, gone_id)
    if kept_id in accounts:
        _promises(moves, gone_id)
    moves.all_rows("personne", gone_id, kept_id)
    values, disputed = _values(people, kept_id, gone_id, decision)
    _locks(session, moves, kept_id, gone_id, disputed, acteur)
    _pairs(moves, kept_id, gone_id)
    moves.remove(PERSONNE, gone)
    _write_kept(session, moves, kept, gone, values)
    fusion = Fusion(
        personne_id=kept_id,
        absorbee=gone_id,
        libelle=_name(gone)[:240],
        gestes=moves.gestes,
        empreinte=etat(session, kept_id),
        par=acteur.nom[:160],
    )
    session.add(fusion)
    session.expire_all()
    session.flush()
    for school in sorted(schools) or (None,):
        _journal(session, "personne.fusionner", kept_id, acteur, school, fusion.libelle, gone["login"])
    return fusion


def annuler(session: Session, fusion: Fusion, *, acteur: Actor = SYSTEME) -> tuple[int, int]:
    """Give both people back exactly as they were, and the pair with them; return their ids.

    :raises ConflictError: the merged person changed since.
    """
    session.flush()
    lock(session, "alimentation")
    still = session.scalars(
        select(Fusion).where(Fusion.id == fusion.id).execution_options(populate_existing=True)
    ).one_or_none()
    if still is None:
        raise ConflictError("Cette fusion a déjà été annulée.")
    kept_id, gone_id, libelle, gestes = still.personne_id, still.absorbee, still.libelle, still.gestes
    if etat(session, kept_id) != still.empreinte:
        raise ConflictError(CHANGEE)
    version = (
        session.connection().execute(select(PERSONNE.c.version).where(PERSONNE.c.id == kept_id)).scalar_one()
    )
    session.delete(still)
    session.flush()
    if not undo(session, gestes):
        raise ConflictError(CHANGEE)
    # forms opened before the merge, or between the two, are out of date all the same
    both = PERSONNE.c.id.in_((kept_id, gone_id))
    session.connection().execute(update(PERSONNE).where(both).values(version=version + 1))
    session.expire_all()
    for school in sorted(_schools(session, (kept_id, gone_id))) or (None,):
        _journal(session, "personne.separer", kept_id, acteur, school, libelle, None)
    return kept_id, gone_id


def etat(session: Session, personne_id: int) -> str:
    """Return the digest of what is known of somebody: their row and every row that hangs on it."""
    skipped = {"version", "modifie_le", "last_login", "login_count", "fail_login_count", "changed_on"}
    rows: list[Any] = []

    def take(table: Table, where: Any) -> None:
        for row in session.connection().execute(select(table).where(where)).mappings():
            said = {name: packed(value) for name, value in row.items() if name not in skipped}
            rows.append([table.name, said])
            key = primary_key(table)
            if key is not None and table.name != "personne" and owned_by(table.name):
                follow(table.name, row[key.name])

    def follow(name: str, row_id: int) -> None:
        for column in references_to(name):
            if column.table.name not in PASSAGERES and column.table is not USER:
                take(column.table, column == row_id)

    take(PERSONNE, PERSONNE.c.id == personne_id)
    follow("personne", personne_id)
    account = select(USER.c.id, USER.c.username, USER.c.supprime_le).where(USER.c.personne_id == personne_id)
    rows += [[packed(value) for value in row] for row in session.connection().execute(account)]
    lines = sorted(orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str) for row in rows)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def _people(session: Session, a_id: int, b_id: int, decision: Decision) -> dict[int, dict[str, Any]]:
    read = select(PERSONNE).where(PERSONNE.c.id.in_((a_id, b_id))).with_for_update()
    found = {row["id"]: dict(row) for row in session.connection().execute(read).mappings()}
    if a_id == b_id or len(found) < len({a_id, b_id}):
        raise ConflictError("L’une de ces fiches n’existe plus : elle vient d’être réunie à une autre.")
    for pk, row in found.items():
        if row["anonymise_le"] is not None:
            raise RuleViolationError("L’une de ces fiches a été anonymisée : elle ne peut plus être réunie.")
        if decision.versions.get(pk) != row["version"]:
            raise ConflictError(
                f"La fiche de {_name(row)} a changé pendant que vous compariez. Relisez-la, puis recommencez."
            )
    return found


def _accounts(session: Session, people: Mapping[int, Any]) -> dict[int, dict[str, Any]]:
    read = select(USER).where(USER.c.personne_id.in_(people))
    return {row["personne_id"]: dict(row) for row in session.connection().execute(read).mappings()}


def _who_stays(
    people: Mapping[int, Any], accounts: Mapping[int, Mapping[str, Any]], decision: Decision
) -> tuple[int, int]:
    usable = sorted(pk for pk, row in accounts.items() if row["supprime_le"] is None)
    if len(usable) > 1 and decision.compte not in usable:
        raise RuleViolationError("Ces deux fiches ont un compte activé : choisissez celui qui reste.")
    kept = decision.compte if len(usable) > 1 else usable[0] if usable else min(people)
    gone = next(pk for pk in people if pk != kept)
    return int(kept or 0), gone


def _check_relation(session: Session, kept_id: int, gone_id: int) -> None:
    table = Base.metadata.tables[Responsabilite.__tablename__]
    pair = (kept_id, gone_id)
    read = select(table.c.id).where(table.c.eleve_id.in_(pair), table.c.responsable_id.in_(pair))
    if session.connection().execute(read).first() is not None:
        raise RuleViolationError(
            "L’une est responsable de l’autre : ce sont deux personnes. Marquez-les comme distinctes."
        )


def _accounts_of(
    session: Session, moves: Deplacements, accounts: Mapping[int, dict[str, Any]], kept_id: int, gone_id: int
) -> None:
    """Give the kept person the one account, and close the other with its roles: rights do not move."""
    account = accounts.get(gone_id)
    if account is None:
        return
    if kept_id not in accounts:
        moves.change(USER, account, {"personne_id": kept_id})
        return
    closed: dict[str, Any] = {"personne_id": None}
    if account["supprime_le"] is None:
        closed |= {"supprime_le": now(), "active": False}
        end_all(session, account["id"], MotifFin.SUPPRESSION)
    moves.change(USER, account, closed)


def _promises(moves: Deplacements, gone_id: int) -> None:
    """Let go of the rights promised to the other: whoever has an account gains none by being merged."""
    table = Base.metadata.tables["nomination"]
    for row in moves.rows(table, table.c.personne_id == gone_id):
        moves.remove(table, row)


def _values(
    people: Mapping[int, Mapping[str, Any]], kept_id: int, gone_id: int, decision: Decision
) -> tuple[dict[str, Any], set[str]]:
    """Return what the kept person becomes, and the fields where one value was chosen over another.

    A column nobody was asked about is filled from the other when it is empty.
    """
    kept, gone = people[kept_id], people[gone_id]
    asked = {column for columns in CHOIX.values() for column in columns}
    values = {
        name: gone[name]
        for name in kept
        if name not in TECHNIQUES and name not in asked and kept[name] is None and gone[name] is not None
    }
    disputed: set[str] = set()
    for name, columns in CHOIX.items():
        mine, other = (tuple(one[column] for column in columns) for one in (kept, gone))
        if mine == other:
            continue
        empty = [pk for pk, said in ((kept_id, mine), (gone_id, other)) if not any(said)]
        default = gone_id if kept_id in empty else kept_id
        chosen = people.get(decision.valeurs.get(name, default)) or people[default]
        values |= {column: chosen[column] for column in columns}
        if not empty or chosen["id"] in empty:
            disputed |= set(columns)
    return values, disputed


def _locks(
    session: Session, moves: Deplacements, kept_id: int, gone_id: int, disputed: set[str], acteur: Actor
) -> None:
    """Keep the locks of both, and lock what was chosen against another value."""
    table = Base.metadata.tables["verrou_personne"]
    mine = {row["champ"] for row in moves.rows(table, table.c.personne_id == kept_id)}
    for row in moves.rows(table, table.c.personne_id == gone_id):
        if row["champ"] in mine:
            moves.remove(table, row)
        else:
            moves.change(table, row, {"personne_id": kept_id})
            mine.add(row["champ"])
    for champ in sorted(disputed - mine):
        moves.add(table, {"personne_id": kept_id, "champ": champ, "le": now(), "par": acteur.nom[:160]})


def _pairs(moves: Deplacements, kept_id: int, gone_id: int) -> None:
    """Give the kept person the pairs of the other; the pair of the two is settled."""
    table = Base.metadata.tables["doublon"]
    theirs = or_(table.c.personne_a_id == gone_id, table.c.personne_b_id == gone_id)
    for row in moves.rows(table, theirs):
        other = row["personne_b_id"] if row["personne_a_id"] == gone_id else row["personne_a_id"]
        pair = sorted((kept_id, other))
        known = moves.rows(table, (table.c.personne_a_id == pair[0]) & (table.c.personne_b_id == pair[1]))
        if other == kept_id or known:
            moves.remove(table, row)
        else:
            moves.change(table, row, {"personne_a_id": pair[0], "personne_b_id": pair[1]})
    merges = Base.metadata.tables["fusion"]
    for row in moves.rows(merges, merges.c.personne_id == gone_id):
        moves.remove(merges, row)


def _write_kept(
    session: Session, moves: Deplacements, kept: dict[str, Any], gone: dict[str, Any],
    values: dict[str, Any],
) -> None:  # fmt: skip
    """Write what the kept person becomes; a suspension of either holds."""
    open_place = select(Rattachement.id).where(
        Rattachement.personne_id == kept["id"], Rattachement.fin.is_(None)
    )
    here = session.connection().execute(open_place.limit(1)).first() is not None
    left = [one["supprime_le"] for one in (kept, gone) if one["supprime_le"]]
    after = {**kept, **values}
    values = {
        **values,
        "nom_recherche": personne_key(after["nom_usage"] or after["nom"], after["prenom"])[:220],
        "login": kept["login"] or gone["login"],
        "supprime_le": None if here else max(left, default=None),
        "suspendu_le": kept["suspendu_le"] or gone["suspendu_le"],
        "motif_suspension": kept["motif_suspension"] or gone["motif_suspension"],
        "suspension_de": kept["suspension_de"] or gone["suspension_de"],
        "modifie_le": now(),
        "version": max(kept["version"], gone["version"]) + 1,
    }
    moves.change(PERSONNE, kept, values)
    table = Base.metadata.tables["variante_nom"]
    for row in moves.rows(table, table.c.personne_id == kept["id"]):
        moves.remove(table, row)
    for key in name_variants(after["nom"], after["nom_usage"], after["prenom"]):
        moves.add(table, {"personne_id": kept["id"], "cle": key})


def _schools(session: Session, ids: tuple[int, int]) -> set[int]:
    table = Base.metadata.tables[Rattachement.__tablename__]
    read = select(table.c.etablissement_id).where(table.c.personne_id.in_(ids)).distinct()
    return set(session.connection().execute(read).scalars())


def _name(row: Mapping[str, Any]) -> str:
    return f"{(row['nom_usage'] or row['nom']).upper()} {row['prenom']}"


def _journal(
    session: Session, acte: str, kept_id: int, acteur: Actor, school: int | None, libelle: str,
    login: str | None,
) -> None:  # fmt: skip
    person = session.connection().execute(select(PERSONNE).where(PERSONNE.c.id == kept_id)).mappings().one()
    journal.write(
        session,
        acte=acte,
        acteur=acteur.nom,
        compte_id=acteur.compte_id,
        objet_type="personne",
        objet_id=kept_id,
        objet=_name(dict(person)),
        etablissement_id=school,
        avant={"fiche": libelle, "login": login} if login else {"fiche": libelle},
    )
