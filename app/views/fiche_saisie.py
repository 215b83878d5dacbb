"""What one may type on the sheet of a person: its fields, what was seen, what changed meanwhile (U5, D10).

Each field goes to the browser with what the base held then. When it comes back and the base holds something
else, somebody wrote meanwhile: nothing is written, both values are shown and a choice is made field by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select

from app.errors import RuleViolationError, UserError
from app.extensions import db
from app.models import Etablissement, Journal, Personne
from app.operations import administrateurs, editeurs
from app.operations import personnes as acts
from app.queries import fiche_etablissement as schools
from app.queries.fiches import Faits, as_instant
from app.security.delegation import current_pouvoirs
from app.security.permissions import Resource, Verb
from app.views.actors import actor
from app.views.ecole import allowed_here
from app.views.rendering import NBSP, day, telephone

OUI, NON = "oui", "non"
SEEN, CHOICE, KEPT = "vu-", "choix-", "serveur"
LABELS = {
    "nom": "Nom",
    "prenom": "Prénom",
    "date_naissance": "Date de naissance",
    "login": "Identifiant",
    "email": "E-mail",
    "telephone_portable": "Téléphone portable",
    "telephone_domicile": "Téléphone du domicile",
    "poste_interne": "Poste interne",
    "administrateur": "Administrateur local",
    "editeur": "Éditeur de la page publique",
}
HELP = {
    "login": "Unique sur la plate-forme, sans distinction de casse.",
    "email": "Reçoit les liens de mot de passe.",
}
KINDS = {
    "email": "email",
    "telephone_portable": "tel",
    "telephone_domicile": "tel",
    "date_naissance": "date",
}
NEEDED = {"login", *acts.IDENTITE}
SWITCHES = ("administrateur", "editeur")
SENT_TO = {"personne": "administrateur", "soi": "administrateur"}
"""Field a rule names → field of this form."""
LONGEST = 400


@dataclass
class Champ:
    """One field: what is in it, what was seen, who keeps it from feeds, what is wrong."""

    nom: str
    label: str
    valeur: str
    vu: str
    genre: str = "text"
    aide: str = ""
    erreur: str = ""
    verrou: tuple[str, datetime | None] | None = None
    soi: bool = False
    """Whether to ask if one really gives up one's own rights."""

    @property
    def necessaire(self) -> bool:
        """Tell whether it may not be left empty."""
        return self.nom in NEEDED


@dataclass(frozen=True)
class Conflit:
    """One field somebody else changed: what was typed, what the base holds."""

    nom: str
    label: str
    saisi: str
    garde: str
    a_moi: bool


@dataclass
class Saisie:
    """The form of a sheet, as it is drawn."""

    champs: list[Champ]
    conflits: list[Conflit] = field(default_factory=list)
    auteur: str = ""
    quand: datetime | None = None
    erreur: str = ""

    @property
    def fautes(self) -> list[Champ]:
        """Return the fields to correct."""
        return [one for one in self.champs if one.erreur]


def editable(personne: Personne, profil: str) -> tuple[str, ...]:
    """Return what the reader may type on the sheet of somebody under a profile, in the school of the page."""
    if not allowed_here(Resource.PERSONNE, Verb.ECRIRE):
        return ()
    staff = profil in editeurs.PROFILS_EDITEURS
    switches = SWITCHES if staff and allowed_here(Resource.ETABLISSEMENT, Verb.ECRIRE) else ()
    return (*acts.champs_of(personne, profil), *switches)


def stored(personne: Personne, faits: Faits, names: tuple[str, ...]) -> dict[str, str]:
    """Return what the base holds of these fields, as a form carries it."""
    found = {}
    for name in names:
        if name in SWITCHES:
            found[name] = OUI if getattr(faits, name) else NON
        else:
            found[name] = _shown(name, getattr(personne, name))
    return found


def form_of(
    personne: Personne,
    faits: Faits,
    profil: str,
    typed: Mapping[str, str] | None = None,
    refusal: UserError | None = None,
) -> Saisie | None:
    """Return the form of a sheet, None for who may not type in it; what was typed and refused is kept."""
    names = editable(personne, profil)
    if not names:
        return None
    held = stored(personne, faits, names)
    locks = {fact.a: (fact.b, as_instant(fact.c)) for fact in faits.verrou}
    fields = [
        Champ(
            name,
            LABELS[name],
            (typed or held)[name],
            (typed or {}).get(f"{SEEN}{name}", held[name]),
            "switch" if name in SWITCHES else KINDS.get(name, "text"),
            HELP.get(name, ""),
            verrou=locks.get(name),
        )
        for name in names
    ]
    made = Saisie(fields)
    if refusal is not None:
        wanted = SENT_TO.get(refusal.field or "", refusal.field)
        at_fault = next((one for one in fields if one.nom == wanted), None)
        if at_fault is None:
            made.erreur = refusal.message
        else:
            at_fault.erreur, at_fault.soi = refusal.message, refusal.field == "soi"
    return made


def typed_in(sent: Mapping[str, str], held: Mapping[str, str]) -> dict[str, str]:
    """Return what came back of a form: values, and what each field held when it was drawn."""
    found = {}
    for name, value in held.items():
        seen = sent.get(f"{SEEN}{name}", value)[:LONGEST]
        found[f"{SEEN}{name}"] = seen
        kept = sent.get(f"{CHOICE}{name}") == KEPT
        found[name] = value if kept else sent.get(name, seen)[:LONGEST]
        if name in SWITCHES and found[name] not in {OUI, NON}:
            found[name] = value
    return found


def conflict(
    personne: Personne, profil: str, typed: Mapping[str, str], held: Mapping[str, str]
) -> Saisie | None:
    """Return the choices to make when somebody wrote since the form was drawn, None when nobody did."""
    changed = [name for name, value in held.items() if typed[f"{SEEN}{name}"] != value]
    changed = [name for name in changed if not _same(name, typed[name], held[name])]
    if not changed:
        return None
    made = Saisie([Champ(name, LABELS[name], typed[name], value) for name, value in held.items()])
    made.conflits = [
        Conflit(
            name,
            LABELS[name],
            _read_out(name, typed[name]),
            _read_out(name, held[name]),
            typed[name] != typed[f"{SEEN}{name}"],
        )
        for name in changed
    ]
    last = db.session.execute(
        select(Journal.acteur, Journal.instant)
        .where(Journal.objet_type == "personne", Journal.objet_id == personne.id)
        .order_by(Journal.id.desc())
        .limit(1)
    ).first()
    if last is not None:
        made.auteur, made.quand = last.acteur, last.instant
    return made


def write(
    personne: Personne,
    school: Etablissement,
    profil: str,
    typed: Mapping[str, str],
    held: Mapping[str, str],
    *,
    soi: bool,
) -> int:
    """Write what differs from the base; return how many fields did. The whole act.

    :raises RuleViolationError: on the field at fault.
    """
    changed = [name for name, value in held.items() if typed[name] != value]
    texts = {name: typed[name] for name in changed if name not in SWITCHES}
    done = 0
    if texts:
        done += len(
            acts.edit(
                db.session(),
                personne,
                texts,
                profil=profil,
                etablissement_id=school.id,
                detenus=current_pouvoirs(),
                acteur=actor(),
            )
        )
    if "administrateur" in changed:
        _administrator(personne, school, typed["administrateur"] == OUI, soi=soi)
    if "editeur" in changed:
        change = editeurs.designer if typed["editeur"] == OUI else editeurs.retirer
        change(db.session(), personne, school.id, acteur=actor())
    return done + len(set(changed) & set(SWITCHES))


def _administrator(personne: Personne, school: Etablissement, wanted: bool, *, soi: bool) -> None:
    session, held = db.session(), current_pouvoirs()
    if wanted:
        administrateurs.nommer(session, school, personne, detenus=held, acteur=actor())
        return
    grant = schools.grant_of(session, school.id, personne.id)
    if grant is None:
        raise RuleViolationError(
            f"{personne} n’est plus administrateur local de cet établissement.", field="administrateur"
        )
    administrateurs.retirer(session, grant, soi_confirme=soi, detenus=held, acteur=actor())


def _shown(name: str, value: str | date | None) -> str:
    """Return a value as its field carries it: a telephone by pairs, a date as browsers write it."""
    if not value:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return telephone(value).replace(NBSP, " ") if KINDS.get(name) == "tel" else value


def _read_out(name: str, value: str) -> str:
    """Return a value as people read it: a day the French way, a switch with its capital."""
    if name in SWITCHES:
        return value.capitalize()
    try:
        return day(date.fromisoformat(value)) if KINDS.get(name) == "date" else value
    except ValueError:
        return value


def _same(name: str, one: str, other: str) -> bool:
    """Tell whether two editors typed the same thing, each in their way."""
    if name in SWITCHES or one == other:
        return one == other
    try:
        return acts.clean(name, one) == acts.clean(name, other)
    except UserError:
        return False
