"""One pupil: identity, place, groups and options."""

from __future__ import annotations

from datetime import date

from app.exports.fictif import lexique
from app.exports.fictif.lexique import Hasard
from app.exports.fictif.matieres import Matiere
from app.exports.fictif.nomenclature import Niveau
from app.exports.fictif.personnes import Adresse, Eleve, Scolarite
from app.exports.fictif.plan import Division, Etablissement, group_code

PREMIERE_JOINTURE = 100_000_000
"""Keys of families in AAF start here: sixteen a family, children then adults."""


def make_pupil(
    rand: Hasard,
    names: Hasard,
    number: int,
    rank: int,
    place: tuple[Etablissement, Division],
    nom: str,
    month: int,
    home: Adresse,
    annee: int,
    *,
    homonyme: bool,
) -> Eleve:
    """Draw the ``rank``-th child of a family. ``names`` decides name and birth, ``rand`` the rest.

    A look-alike family has the ``names`` of the family before it: same name, same birth date.
    """
    school, division = place
    sexe = "F" if names() < 0.49 else "M"
    prenom = lexique.first_name(names, sexe)
    if homonyme and rank == 0:
        sexe, prenom = "F", ("Camille", "Inès")[int(rand() * 1.2)]
    late = names() < 0.05
    born = min(12, max(1, month + int(names() * 3) - 1))
    naissance = date(annee - division.niveau.age - late, born, 1 + int(names() * 28))
    code = number * 8 + rank
    others = [lexique.first_name(rand, sexe) for _ in range(int(rand() * 2.4))]
    older = division.niveau.age >= 15
    return Eleve(
        jointure=PREMIERE_JOINTURE + number * 16 + rank,
        eleve_id=1_000_000 + code,
        ine=f"9{code % 100_000_000:08d}ZZ",
        sexe=sexe,
        nom=nom,
        prenom=prenom,
        autres_prenoms=others,
        naissance=naissance,
        regime=_regime(rand, older=older),
        boursier=rand() < 0.27,
        transport=rand() < 0.4,
        doublement=late,
        adresse=home,
        scolarites=[enrol(rand, school, division, annee)],
        liens=[],
        email=_email(prenom, nom, code, rand) if older and rand() < 0.3 else None,
        portable=lexique.mobile(rand) if older and rand() < 0.6 else None,
    )


def enrol(rand: Hasard, school: Etablissement, division: Division, annee: int) -> Scolarite:
    """Put a pupil in a division, with languages, options, specialities and their groups."""
    niveau = division.niveau
    chosen: list[Matiere] = []
    groups: list[str] = []
    for langues in niveau.langues:
        matiere = langues[int(rand() * len(langues))]
        chosen.append(matiere)
        groups.append(group_code(niveau, matiere, division, shared=False))
    for matiere in _options(rand, niveau):
        chosen.append(matiere)
        groups.append(group_code(niveau, matiere, division, shared=True))
    return Scolarite(school, division, groups, chosen, date(annee, 9, 1))


def _options(rand: Hasard, niveau: Niveau) -> list[Matiere]:
    if not niveau.specialites:
        return [matiere for matiere, share in niveau.options if rand() < share]
    ranked = sorted((rand() / share, index) for index, (_m, share) in enumerate(niveau.options))
    return [niveau.options[index][0] for _key, index in ranked[: niveau.specialites]]


def _regime(rand: Hasard, *, older: bool) -> int:
    draw = rand()
    if older and draw > 0.9:
        return 3
    return 2 if draw < 0.68 else 0


def _email(prenom: str, nom: str, code: int, rand: Hasard) -> str:
    domain = lexique.DOMAINES[int(rand() * len(lexique.DOMAINES))]
    return f"{lexique.slug(prenom)}.{lexique.slug(nom)}{code % 1000}@{domain}"
