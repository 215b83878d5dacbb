"""What the base knows of the people of one batch, in the shape of a record's identity and parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.database import rows_of
from app.operations.alimentation.champs import IDENTITE, PROFILS_DE, Part, Record, iso

_DATE = IDENTITE.index("date_naissance") + 1


@dataclass(slots=True)
class Place:
    """An attachment: the school, the profile, who fed it, and what the person does there."""

    id: int
    uai: str
    profil: str
    source: str
    ouverte: bool
    facettes: Part


@dataclass(slots=True)
class Etat:
    """A person of the base as the difference sees them, for one kind of object."""

    identite: Record
    supprime: bool
    verrous: set[str] = field(default_factory=set)
    identifiants: set[tuple[str, str, str]] = field(default_factory=set)
    places: dict[str, Place] = field(default_factory=dict)
    autres_places: list[Place] = field(default_factory=list)
    liens: dict[str, list[Any]] = field(default_factory=dict)
    sources_liens: dict[str, str] = field(default_factory=dict)

    def ouvertes(self) -> list[Place]:
        """Return the open attachments of the profiles this kind of object feeds."""
        return [place for place in self.places.values() if place.ouverte]

    def connues_de(self, source: str) -> list[Place]:
        """Return the open attachments a source opened; those of any source when it opened none."""
        fed = [place for place in self.ouvertes() if place.source != "manuel"]
        return [place for place in fed if place.source == source] or fed


def etats(session: Session, objet: str, espace: str, ids: Iterable[int]) -> dict[int, Etat]:
    """Load the state of people for one kind of object, in a handful of statements."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    columns = ", ".join(IDENTITE)
    found: dict[int, Etat] = {}
    for row in rows_of(
        session, f"SELECT id, {columns}, supprime_le FROM personne WHERE id IN :ids", ids=wanted
    ):
        values = list(row)
        values[_DATE] = iso(values[_DATE])
        identity = dict(zip(IDENTITE, values[1:-1], strict=True))
        found[values[0]] = Etat(identite=identity, supprime=values[-1] is not None)
    for personne_id, champ in rows_of(
        session, "SELECT personne_id, champ FROM verrou_personne WHERE personne_id IN :ids", ids=wanted
    ):
        found[personne_id].verrous.add(champ)
    for personne_id, *key in rows_of(
        session,
        "SELECT personne_id, type, portee, valeur FROM identifiant WHERE personne_id IN :ids",
        ids=wanted,
    ):
        found[personne_id].identifiants.add((key[0], key[1], key[2]))
    by_place = _places(session, objet, wanted, found)
    if objet == "eleve":
        _schooling(session, by_place)
        _links(session, espace, wanted, found)
    elif objet == "personnel":
        _posts(session, wanted, found, by_place)
    return found


def _places(session: Session, objet: str, ids: list[int], found: dict[int, Etat]) -> dict[int, Place]:
    """Load the attachments; an open one wins over a closed one in the same school."""
    by_id: dict[int, Place] = {}
    for row in rows_of(
        session,
        "SELECT r.personne_id, r.id, e.uai, r.profil, r.source, r.fin, d.code, m.code, r.regime"
        " FROM rattachement r JOIN etablissement e ON e.id = r.etablissement_id"
        " LEFT JOIN division d ON d.id = r.division_id LEFT JOIN mef m ON m.id = r.mef_id"
        " WHERE r.personne_id IN :ids AND r.profil IN :profils ORDER BY r.id",
        ids=ids,
        profils=list(PROFILS_DE[objet]),
    ):
        personne_id, place_id, uai, profil, source, fin, division, mef, regime = row
        facettes: Part = {"profil": profil}
        if objet == "eleve":
            facettes.update(division=division, mef=mef, regime=regime, groupes=[], options=[])
        elif objet == "personnel":
            facettes.update(fonctions=[], services=[], principal=[])
        place = Place(place_id, uai, profil, source, fin is None, facettes)
        by_id[place_id] = place
        known = found[personne_id].places.get(uai)
        if known is None or place.ouverte:
            found[personne_id].places[uai] = place
        if known is not None:
            found[personne_id].autres_places.append(known if place.ouverte else place)
    return by_id


def _schooling(session: Session, by_place: dict[int, Place]) -> None:
    ids = list(by_place)
    for table, joined, column, facette in (
        ("eleve_groupe", "groupe_enseignement", "groupe_id", "groupes"),
        ("option_suivie", "matiere", "matiere_id", "options"),
    ):
        for place_id, code in rows_of(
            session,
            f"SELECT t.rattachement_id, j.code FROM {table} t JOIN {joined} j ON j.id = t.{column}"
            " WHERE t.rattachement_id IN :ids ORDER BY j.code",
            ids=ids,
        ):
            by_place[place_id].facettes[facette].append(code)
    for place in by_place.values():
        place.facettes["groupes"].sort()
        place.facettes["options"].sort()


def _links(session: Session, espace: str, ids: list[int], found: dict[int, Etat]) -> None:
    """Load the guardians the source knows of each pupil, by the source's own keys."""
    for row in rows_of(
        session,
        "SELECT l.eleve_id, f.cle, l.code_parente, l.niveau, l.financier, l.contact, l.paiement, l.source"
        " FROM responsabilite l JOIN fiche_source f ON f.personne_id = l.responsable_id"
        " AND f.espace || '' = :espace AND f.objet || '' = 'responsable' WHERE l.eleve_id IN :ids",
        ids=ids,
        espace=espace,
    ):
        eleve_id, cle, parente, niveau, *flags, source = row
        found[eleve_id].sources_liens[cle] = source
        found[eleve_id].liens[cle] = [parente, niveau, *(bool(flag) for flag in flags)]


def _posts(session: Session, ids: list[int], found: dict[int, Etat], by_place: dict[int, Place]) -> None:
    for place_id, fonction, discipline in rows_of(
        session,
        "SELECT x.rattachement_id, f.code, d.code FROM fonction_exercee x"
        " JOIN fonction f ON f.id = x.fonction_id LEFT JOIN discipline d ON d.id = x.discipline_id"
        " WHERE x.rattachement_id IN :ids",
        ids=list(by_place),
    ):
        by_place[place_id].facettes["fonctions"].append([fonction, discipline or ""])
    services: dict[tuple[int, str], list[list[str]]] = defaultdict(list)
    for personne_id, uai, *codes in rows_of(
        session,
        "SELECT s.personne_id, e.uai, d.code, g.code, m.code FROM service_enseigne s"
        " JOIN etablissement e ON e.id = s.etablissement_id"
        " LEFT JOIN division d ON d.id = s.division_id LEFT JOIN matiere m ON m.id = s.matiere_id"
        " LEFT JOIN groupe_enseignement g ON g.id = s.groupe_id WHERE s.personne_id IN :ids",
        ids=ids,
    ):
        services[personne_id, uai].append([code or "" for code in codes])
    principal: dict[tuple[int, str], list[str]] = defaultdict(list)
    for personne_id, uai, code in rows_of(
        session,
        "SELECT p.personne_id, e.uai, d.code FROM professeur_principal p"
        " JOIN division d ON d.id = p.division_id JOIN etablissement e ON e.id = d.etablissement_id"
        " WHERE p.personne_id IN :ids",
        ids=ids,
    ):
        principal[personne_id, uai].append(code)
    for personne_id, etat in found.items():
        for uai, place in etat.places.items():
            place.facettes["fonctions"].sort()
            place.facettes["services"] = sorted(services[personne_id, uai])
            place.facettes["principal"] = sorted(principal[personne_id, uai])
