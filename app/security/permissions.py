"""Verbs and resources. A view states its resource; roles grant (verb, resource) pairs."""

from enum import StrEnum


class Verb(StrEnum):
    """What may be done. Values are Flask-AppBuilder permission names."""

    LIRE = "can_lire"
    ECRIRE = "can_ecrire"
    MENU = "menu_access"


class Resource(StrEnum):
    """What it is done to; one per menu entry. Labels are in ``RESOURCE_LABELS``."""

    ACADEMIE = "Academie"
    COLLECTIVITE = "Collectivite"
    ETABLISSEMENT = "Etablissement"
    PERSONNE = "Personne"
    RATTACHEMENT = "Rattachement"
    NOMENCLATURE = "Nomenclature"
    DIVISION = "Division"
    INVITE = "Invite"
    IDENTIFIANT = "Identifiant"
    SERVICE = "Service"
    CATALOGUE = "Catalogue"
    MODELE = "ModeleServices"
    ALIMENTATION = "Alimentation"
    JOURNAL = "Journal"
    COURRIEL = "Courriel"
    TACHE = "Tache"
    COMPTE = "Compte"
    ADMINISTRATEUR = "Administrateur"
    ROLE = "Role"
    CLE_API = "CleApi"
    SUPPRESSION = "Suppression"
    DOUBLON = "Doublon"
    DONNEES = "DonneesPersonnelles"
    REGISTRE = "Registre"
    PAGE = "Page"
    REDACTION = "Redaction"
    RESERVATION = "Reservation"
    MON_ESPACE = "MonEspace"


RESOURCE_LABELS: dict[Resource, str] = {
    Resource.ACADEMIE: "Académies",
    Resource.COLLECTIVITE: "Collectivités",
    Resource.ETABLISSEMENT: "Établissements",
    Resource.PERSONNE: "Personnes",
    Resource.RATTACHEMENT: "Rattachements",
    Resource.NOMENCLATURE: "Nomenclatures",
    Resource.DIVISION: "Classes et groupes",
    Resource.INVITE: "Invités",
    Resource.IDENTIFIANT: "Identifiants de première connexion",
    Resource.SERVICE: "Services et droits",
    Resource.CATALOGUE: "Catalogue des services",
    Resource.MODELE: "Modèles de services",
    Resource.ALIMENTATION: "Alimentation",
    Resource.JOURNAL: "Journal",
    Resource.COURRIEL: "Courrier sortant",
    Resource.TACHE: "Travaux en cours",
    Resource.COMPTE: "Comptes et attributions",
    Resource.ADMINISTRATEUR: "Administrateurs",
    Resource.ROLE: "Rôles et droits",
    Resource.CLE_API: "Clés d’API",
    Resource.SUPPRESSION: "Suppressions",
    Resource.DOUBLON: "Doublons",
    Resource.DONNEES: "Données personnelles",
    Resource.REGISTRE: "Registre des traitements",
    Resource.PAGE: "Pages",
    Resource.REDACTION: "Contenus de la page publique",
    Resource.RESERVATION: "Réservation de matériel",
    Resource.MON_ESPACE: "Mon espace",
}

METHOD_VERBS: dict[str, str] = {
    "list": "lire",
    "show": "lire",
    "download": "lire",
    "export": "lire",
    "add": "ecrire",
    "edit": "ecrire",
    "delete": "ecrire",
    "action": "ecrire",
    "action_post": "ecrire",
}
"""View method → verb, without Flask-AppBuilder's ``can_`` prefix."""
