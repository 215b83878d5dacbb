"""The acts the journal names: one code ``objet.verbe`` each, and the words people read.

Lines are never rewritten, so those of before this table keep their old names: ``ANCIENS`` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.views.ecarts import readable
from app.views.labels import CHAMPS, ROLES
from app.views.rendering import number, plural

ACTES: dict[str, str] = {
    "acces.refuser": "Accès hors du périmètre",
    "alimentation.abandonner": "Alimentation abandonnée",
    "alimentation.annuler": "Alimentation annulée",
    "alimentation.appliquer": "Alimentation appliquée",
    "alimentation.deposer": "Fichiers déposés",
    "calendrier.fermer": "Adresse d’agenda fermée",
    "calendrier.ouvrir": "Adresse d’agenda ouverte",
    "cellule_service.modifier": "Droit par défaut modifié",
    "code.renouveler": "Code d’activation remplacé",
    "cle_api.creer": "Clé d’API créée",
    "cle_api.revoquer": "Clé d’API révoquée",
    "compte.activer": "Compte activé",
    "compte.changer_coordonnees": "Coordonnées changées",
    "compte.changer_scolarite": "Mot de passe scolarité changé",
    "compte.changer_secret": "Mot de passe changé",
    "compte.creer": "Compte créé",
    "compte.employer_secours": "Code de secours employé",
    "compte.envoyer_lien": "Lien de mot de passe envoyé",
    "compte.envoyer_lien_scolarite": "Lien de mot de passe scolarité envoyé",
    "compte.poser_second_facteur": "Second facteur installé",
    "compte.reinitialiser_second_facteur": "Second facteur réinitialisé",
    "compte.renouveler_secours": "Codes de secours renouvelés",
    "compte.retablir": "Compte rétabli",
    "compte.retirer_second_facteur": "Second facteur retiré",
    "compte.supprimer": "Compte supprimé",
    "compte.suspendre": "Compte suspendu",
    "compte.verrouiller_scolarite": "Vie scolaire bloquée après trois essais",
    "connexion.alerter": "Codes d’activation essayés en nombre",
    "connexion.ouvrir": "Connexion",
    "connexion.refuser": "Connexion refusée",
    "connexion.refuser_second_facteur": "Code du second facteur refusé",
    "connexion.refuser_code": "Première connexion refusée",
    "courriel.renvoyer": "Courriel renvoyé",
    "etablissement.creer": "Établissement créé",
    "etablissement.deverrouiller": "Champ rendu à l’alimentation",
    "etablissement.modifier": "Établissement modifié",
    "invite.annuler": "Import d’un invité annulé",
    "invite.creer": "Invité créé",
    "invite.dernier_jour": "Fin d’accès d’un invité changée",
    "invite.detacher": "Invité détaché",
    "invite.rattacher": "Invité rattaché",
    "invite.terminer": "Accès d’un invité arrivé à son terme",
    "invites.abandonner": "Fichier d’invités abandonné",
    "invites.annuler": "Import d’invités annulé",
    "invites.deposer": "Fichier d’invités déposé",
    "invites.importer": "Invités importés",
    "flux.ajouter": "Flux de brèves ajouté",
    "flux.remettre": "Flux de brèves remis",
    "flux.supprimer": "Flux de brèves supprimé",
    "identifiants.exporter": "Identifiants exportés",
    "identifiants.imprimer": "Cartes d’identifiants imprimées",
    "page.designer": "Éditeur de page publique désigné",
    "page.retirer": "Éditeur de page publique retiré",
    "page_publique.enregistrer": "Page publique enregistrée",
    "personne.modifier": "Fiche d’une personne modifiée",
    "personne.deverrouiller": "Champ rendu à l’alimentation",
    "journal.caviarder": "Noms retirés du journal",
    "personne.anonymiser": "Personne anonymisée",
    "donnees.exporter": "Données exportées",
    "donnees.rectifier": "Rectification demandée",
    "doublon.demander": "Fusion demandée",
    "doublon.distinguer": "Personnes dites distinctes",
    "personne.fusionner": "Personnes réunies",
    "personne.restaurer": "Personne restaurée",
    "personne.separer": "Réunion annulée",
    "reservation.accepter": "Réservation acceptée",
    "reservation.annuler": "Réservation annulée",
    "reservation.demander": "Réservation demandée",
    "reservation.refuser": "Réservation refusée",
    "ressource.creer": "Ressource ajoutée",
    "ressource.modifier": "Ressource modifiée",
    "ressource.remettre": "Ressource remise au catalogue",
    "ressource.retirer": "Ressource retirée du catalogue",
    "ressource.supprimer": "Ressource supprimée",
    "role.attribuer": "Rôle attribué",
    "role.fixer_echeance": "Échéance d’un rôle changée",
    "role.promettre": "Rôle promis",
    "role.reprendre": "Rôle promis repris",
    "role.retirer": "Rôle retiré",
    "service.activer": "Service activé",
    "service.composant": "Logiciel ou ressource activé ou désactivé",
    "service.desactiver": "Service désactivé",
    "service.designer": "Reprise des contenus confiée",
    "service.droits": "Droits d’un service modifiés",
    "modele.creer": "Modèle de services créé",
    "modele.modifier": "Modèle de services modifié",
    "modele.supprimer": "Modèle de services supprimé",
    "service.exporter": "Identifiants d’un service exportés",
    "service.regler": "Réglages d’un service modifiés",
    "service.retirer_gestionnaire": "Reprise des contenus retirée",
    "service.tester": "Adresse d’un service testée",
    "traitement.creer": "Traitement ajouté au registre",
    "traitement.modifier": "Traitement modifié au registre",
    "traitement.supprimer": "Traitement retiré du registre",
    "tache.annuler": "Travail annulé",
    "tache.relancer": "Travail relancé",
}
ANCIENS: dict[str, str] = {
    "accès hors périmètre": "acces.refuser",
    "alimentation_annulee": "alimentation.annuler",
    "alimentation_appliquee": "alimentation.appliquer",
    "compte rétabli": "compte.retablir",
    "compte supprimé": "compte.supprimer",
    "compte suspendu": "compte.suspendre",
    "connexion": "connexion.ouvrir",
    "connexion refusée": "connexion.refuser",
    "mot de passe changé": "compte.changer_secret",
    "rôle attribué": "role.attribuer",
    "rôle retiré": "role.retirer",
}
FAITS = {"creer": "créé", "modifier": "modifié", "supprimer": "supprimé"}
# What hand edits touch, and whether the word is feminine.
OBJETS = {
    "abonnement": ("Abonnement", False),
    "academie": ("Académie", True),
    "cellule_service": ("Droit par défaut", False),
    "collectivite": ("Collectivité", True),
    "composant_service": ("Logiciel ou ressource", False),
    "compte": ("Compte", False),
    "discipline": ("Discipline", True),
    "division": ("Classe", True),
    "etablissement": ("Établissement", False),
    "fonction": ("Fonction", True),
    "matiere": ("Matière", True),
    "mef": ("MEF", False),
    "personne": ("Personne", True),
    "rattachement": ("Rattachement", False),
    "role_service": ("Droit d’un service", False),
    "service": ("Service", False),
    "service_collectivite": ("Offre d’un service", True),
    "traitement": ("Traitement", False),
}
FAMILLES = {
    "alimentation": "Alimentation",
    "etablissement": "Établissement",
    "role": "Rôles et administrateurs",
    "compte": "Comptes",
    "code": "Codes d’activation",
    "personne": "Fiches de personnes",
    "page": "Pages publiques",
    "service": "Services et droits",
    "modele": "Modèles de services",
    "ressource": "Ressources à réserver",
    "reservation": "Réservations",
    "calendrier": "Adresses d’agenda",
    "cellule_service": "Catalogue des services",
    "flux": "Brèves du net",
    "page_publique": "Page publique",
    "doublon": "Doublons",
    "donnees": "Données personnelles",
    "journal": "Journal",
    "traitement": "Registre des traitements",
    "connexion": "Connexions",
    "identifiants": "Identifiants",
    "cle_api": "Clés d’API",
    "invite": "Invités",
    "invites": "Imports d’invités",
    "acces": "Accès refusés",
    "tache": "Travaux",
    "courriel": "Courriels",
}
COMPTES = {
    "crees": ("créé", "créés"),
    "reconnus": ("reconnu", "reconnus"),
    "modifies": ("modifié", "modifiés"),
    "retours": ("retour", "retours"),
    "departs": ("départ", "départs"),
    "anomalies": ("anomalie", "anomalies"),
}
LIBELLES = {
    "role": "Rôle",
    "rôle": "Rôle",
    "champ": "Champ",
    "motif": "Motif",
    "fichiers": "Fichiers",
    "valable_jusque": "Valable jusqu’au",
    "personnes": "Personnes",
    "fiche": "Fiche",
    "motif_fin": "Motif de fin",
    "fin": "Fin",
}
LONGEST_VALUE = 60


@dataclass(frozen=True)
class Change:
    """What one field was and became, in words."""

    label: str
    before: str
    after: str


TYPES = {"alimentation": "Alimentation", "courriel": "Courriel", "tache": "Travail"}


def kind(objet_type: str | None) -> str:
    """Return what an act was about; an address that was refused is a page."""
    if not objet_type:
        return "–"
    return TYPES.get(objet_type) or OBJETS.get(objet_type, ("Page", True))[0]


def said(acte: str) -> str:
    """Return an act in words; one without words of its own is told from its code."""
    acte = ANCIENS.get(acte, acte)
    thing, _, verb = acte.partition(".")
    if acte not in ACTES and thing in OBJETS and verb in FAITS:
        noun, feminine = OBJETS[thing]
        return f"{noun} {FAITS[verb]}{'e' if feminine else ''}"
    text = ACTES.get(acte) or acte.replace("_", " ").replace(".", " : ")
    return text[:1].upper() + text[1:]


def codes_of(choice: str) -> tuple[str, tuple[str, ...]]:
    """Return what a choice of act stands for: the start of its codes, and codes written otherwise.

    ``choice`` is a code of ``ACTES`` or a family; anything else stands for nothing.
    """
    if choice in ACTES:
        return "", (choice, *(old for old, new in ANCIENS.items() if new == choice))
    if choice in FAMILLES:
        start = f"{choice}."
        return start, tuple(old for old, new in ANCIENS.items() if new.startswith(start))
    return "", ()


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """Return what a line of the journal says changed, field by field; counts as one phrase."""
    old, new = before or {}, after or {}
    if new and not old and set(new) <= set(COMPTES):
        said_counts = [
            f"{number(new[name])} {plural(new[name], *words)}"
            for name, words in COMPTES.items()
            if new.get(name)
        ]
        return [Change("", "", ", ".join(said_counts) or "aucun changement")]
    return [
        Change(label_of(name), _short(name, old.get(name)), _short(name, new.get(name)))
        for name in dict.fromkeys([*old, *new])
        if readable(old.get(name)) or readable(new.get(name))
    ]


def label_of(name: str) -> str:
    """Return what a field of a journal line is called on the screen."""
    text = LIBELLES.get(name) or CHAMPS.get(name.removesuffix("_id"), name.replace("_", " "))
    return text[:1].upper() + text[1:]


def in_words(name: str, value: Any) -> str:
    """Return a value of a journal line in words; a role by its name."""
    return ROLES.get(str(value), str(value)) if value and name in {"role", "rôle"} else readable(value)


def _short(name: str, value: Any) -> str:
    text = in_words(name, value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
