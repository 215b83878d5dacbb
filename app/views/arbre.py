"""The tree «Vue établissement»: one registry of nodes, drawn on every page of a school (C2).

A module adds its pages here. A node without an address yet, or whose resource this person may not
read in this school, is not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request, url_for
from werkzeug.routing import BuildError

from app.extensions import db
from app.queries import console as reads
from app.security.manager import current_perimetre
from app.security.perimetres import perimetre
from app.security.permissions import Resource
from app.views.arguments import lasting
from app.views.ecole import Ecole, allowed_here

ANY_UAI = "0000000A"
"""Stands for the school in the addresses that are worked out once; no school is numbered so."""


@dataclass(frozen=True)
class Node:
    """One line of the tree.

    ``endpoint`` takes ``uai`` and ``values``; ``within`` are the endpoints of the pages under it;
    ``count`` names a figure of ``queries.console.tree``.
    """

    key: str
    label: str
    resource: Resource
    endpoint: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    within: tuple[str, ...] = ()
    count: str = ""
    children: tuple[Node, ...] = ()
    folded: bool = False

    def current(self) -> bool:
        """Tell whether the page being drawn is this one, or under it."""
        asked = {**request.args, **(request.view_args or {})}
        here = request.endpoint in {self.endpoint, *self.within}
        return here and all(asked.get(name) == value for name, value in self.values.items())

    def holds_page(self) -> bool:
        """Tell whether the page being drawn is this one or anywhere under it."""
        return self.current() or any(child.holds_page() for child in self.children)

    def url(self, uai: str) -> str:
        """Return the address of the page in a school, empty when there is none."""
        if not uai.isascii() or not uai.isalnum():
            return self._address(uai)
        return lasting(lambda: self._address(ANY_UAI), "arbre", self.key).replace(ANY_UAI, uai)

    def _address(self, uai: str) -> str:
        try:
            return url_for(self.endpoint, uai=uai, **self.values) if self.endpoint else ""
        except BuildError:
            return ""


def _people(key: str, label: str, count: str) -> Node:
    return Node(
        key,
        label,
        Resource.PERSONNE,
        "Utilisateurs.liste",
        {"liste": key},
        within=(
            "Utilisateurs.fiche",
            "ActesFiche.enregistrer",
            "ActesFiche.suspendre",
            "ActesFiche.reactiver",
        ),
        count=count,
    )


NODES: tuple[Node, ...] = (
    Node(
        "fiche",
        "Fiche de l’établissement",
        Resource.ETABLISSEMENT,
        "EtablissementConsole.fiche",
        within=(
            "EtablissementConsole.enregistrer",
            "AdministrateursLocaux.ajouter",
            "AdministrateursLocaux.retirer",
            "PromessesLocales.reprendre",
        ),
    ),
    Node(
        "utilisateurs",
        "Utilisateurs",
        Resource.PERSONNE,
        count="utilisateurs",
        children=(
            _people("eleves", "Élèves", "eleve"),
            _people("enseignants", "Enseignants", "enseignant"),
            _people("personnels", "Personnels", "personnel"),
            _people("parents", "Parents", "responsable"),
            _people("invites", "Autres (invités)", "invite"),
            _people("suppressions", "Suppressions", "suppressions"),
            Node(
                "identifiants",
                "Identifiants",
                Resource.IDENTIFIANT,
                "Identifiants.liste",
                within=("Identifiants.cartes", "Identifiants.suivre"),
            ),
            Node(
                "doublons",
                "Doublons",
                Resource.DOUBLON,
                "Doublons.liste",
                within=("Doublons.comparer", "Doublons.reunir"),
            ),
        ),
    ),
    Node(
        "classes",
        "Classes et groupes",
        Resource.DIVISION,
        "Classes.liste",
        within=("Classes.fiche",),
        count="divisions",
    ),
    Node(
        "services",
        "Services",
        Resource.SERVICE,
        "Services.liste",
        children=(
            Node(
                "reservation",
                "Réservation de matériel",
                Resource.RESERVATION,
                "Reservations.catalogue",
                within=(
                    "Reservations.jour",
                    "Reservations.ressource",
                    "Reservations.demander",
                    "GestionRessources.ajouter",
                    "GestionRessources.modifier",
                    "GestionRessources.retirer",
                    "GestionRessources.supprimer",
                    "SuiviReservations.a_valider",
                    "SuiviReservations.decider",
                    "SuiviReservations.historique",
                    "SuiviReservations.annuler",
                    "MesReservations.calendrier",
                ),
            ),
        ),
    ),
    Node(
        "pages",
        "Pages",
        Resource.REDACTION,
        children=(
            Node(
                "accueil",
                "Page d’accueil",
                Resource.PAGE,
                "PagesEcole.accueil",
                within=("PagesEcole.ajouter", "PagesEcole.modifier"),
            ),
            Node("breves", "Brèves du net", Resource.PAGE, "Breves.liste", within=("Breves.ajouter",)),
            Node(
                "publique",
                "Page publique",
                Resource.PAGE,
                "ReglagesPagePublique.reglages",
                within=("ReglagesPagePublique.retirer",),
            ),
            Node(
                "contenus",
                "Contenus",
                Resource.REDACTION,
                "Redaction.liste",
                within=("Redaction.ajouter", "Redaction.modifier", "Redaction.versions"),
            ),
        ),
    ),
    Node("alimentation", "Alimentation", Resource.ALIMENTATION, "AlimentationEcole.liste"),
    Node("journal", "Journal", Resource.JOURNAL, "JournalEtablissement.liste"),
)


@dataclass(frozen=True)
class Branch:
    """A node as this page draws it; ``actif`` is the state of what can be on or off."""

    key: str
    label: str
    url: str = ""
    current: bool = False
    count: int | str | None = None
    open: bool = False
    children: list[Branch] = field(default_factory=list)
    actif: bool | None = None


Grower = Callable[[Ecole, reads.Arbre | None], Branch]
GROWN: dict[str, Grower] = {}
"""Node → what draws it whole from what the tree read, if it could. Its module adds it."""


def tree(school: Ecole) -> list[Branch]:
    """Return the branches this person may open in a school, with their counts."""
    known: reads.Arbre | None = None
    if allowed_here(Resource.RATTACHEMENT, school=school):
        with perimetre(db.session(), current_perimetre(Resource.RATTACHEMENT)):
            known = reads.tree(db.session(), school.id)
    return _drawn(NODES, school, known)


def node_of(key: str) -> Node | None:
    """Return a node of the tree by its key."""
    every = [child for node in NODES for child in (node, *node.children)]
    return next((node for node in every if node.key == key and node.endpoint), None)


def current_key() -> str:
    """Return the key of the node of this page, the sheet's when it has none."""
    every = [child for node in NODES for child in (node, *node.children)]
    return next((node.key for node in every if node.endpoint and node.current()), NODES[0].key)


def _drawn(nodes: tuple[Node, ...], school: Ecole, known: reads.Arbre | None) -> list[Branch]:
    branches, counts = [], known.nombres if known is not None else {}
    for node in nodes:
        if not allowed_here(node.resource, school=school):
            continue
        if node.key in GROWN:
            branches.append(GROWN[node.key](school, known))
            continue
        children = _drawn(node.children, school, known)
        url = node.url(school.uai)
        if not url and not children:
            continue
        count = counts.get(node.count, 0) if node.count and counts else None
        opened = not node.folded or node.holds_page()
        branches.append(Branch(node.key, node.label, url, node.current(), count, opened, children))
    return branches
