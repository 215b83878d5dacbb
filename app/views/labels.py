"""Words for the codes the tables keep and the fields feeds bring, shared by the pages."""

from __future__ import annotations

from app.queries.personnes import IDENTIFIANT_LABELS
from app.security.roles import ROLE_LABELS

ROLES = {str(role): label for role, label in ROLE_LABELS.items()}

SOURCES_ALIMENTATION = {
    "aaf": "AAF",
    "aaf1d": "AAF 1er degré",
    "siecle": "SIECLE",
    "sts": "STS",
    "annuaire": "Annuaire de l’éducation",
}
SOURCES = {"manuel": "Saisie à la main", **SOURCES_ALIMENTATION}
SECTEURS = {"public": "Public", "prive": "Privé"}
ETATS_ETABLISSEMENT = {"ouvert": "Ouvert", "ferme": "Fermé"}
TYPES_ETABLISSEMENT = {
    "ECOLE": "École",
    "COLLEGE": "Collège",
    "LYCEE": "Lycée",
    "LYCEE D'ENSEIGNEMENT GENERAL": "Lycée général",
    "LYCEE D'ENSEIGNEMENT TECHNOLOGIQUE": "Lycée technologique",
    "LYCEE D'ENSEIGNEMENT GENERAL ET TECHNOLOGIQUE": "Lycée général et technologique",
    "LYCEE POLYVALENT": "Lycée polyvalent",
    "LYCEE PROFESSIONNEL": "Lycée professionnel",
}
NIVEAUX = {
    "PS": "Petite section",
    "MS": "Moyenne section",
    "GS": "Grande section",
    "CP": "CP",
    "CE1": "CE1",
    "CE2": "CE2",
    "CM1": "CM1",
    "CM2": "CM2",
    "6EME": "6e",
    "5EME": "5e",
    "4EME": "4e",
    "3EME": "3e",
    "2NDE": "Seconde",
    "1ERE": "Première",
    "TERMINALE": "Terminale",
    "CAP": "CAP",
    "BAC PRO": "Bac pro",
}
"""Level as sources name it → as people say it, in school order."""
CIVILITES = {"M": "Monsieur", "M.": "Monsieur", "MME": "Madame", "Mme": "Madame", "MLLE": "Madame"}
SEXES = {"F": "Féminin", "M": "Masculin"}
MOTIFS_FIN = {
    "depart": "Départ lu dans l’alimentation",
    "annulation": "Alimentation annulée",
    "manuel": "Fin saisie à la main",
    "echeance": "Dernier jour passé",
}
CHAMPS = {
    "nom": "Nom",
    "nom_usage": "Nom d’usage",
    "prenom": "Prénom",
    "autres_prenoms": "Autres prénoms",
    "civilite": "Civilité",
    "sexe": "Sexe",
    "date_naissance": "Date de naissance",
    "email": "E-mail",
    "telephone": "Téléphone",
    "telephone_domicile": "Téléphone du domicile",
    "telephone_portable": "Téléphone portable",
    "telephone_travail": "Téléphone professionnel",
    "poste_interne": "Poste interne",
    "adresse": "Adresse",
    "code_postal": "Code postal",
    "commune": "Commune",
    "pays": "Pays",
    "identifiants": "Identifiants",
    "login": "Identifiant de connexion",
    "uai": "UAI",
    "etablissement": "Établissement",
    "etablissements": "Établissements",
    "scolarites": "Scolarité",
    "rattachements": "Rattachements",
    "division": "Classe",
    "divisions": "Classes",
    "groupe": "Groupe",
    "groupes": "Groupes",
    "mef": "MEF",
    "mefs": "MEF",
    "mef_libelle": "Libellé du MEF",
    "regime": "Régime",
    "debut": "Début",
    "dernier_jour": "Dernier jour",
    "import": "Import n°",
    "fin": "Fin",
    "options": "Options",
    "responsables": "Responsables",
    "enfants": "Enfants",
    "eleve": "Élève",
    "responsable": "Responsable",
    "eleve_cle": "Élève",
    "responsable_cle": "Responsable",
    "code_parente": "Lien de parenté",
    "niveau": "Niveau",
    "financier": "Responsable financier",
    "contact": "À contacter",
    "paiement": "Perçoit les aides",
    "profil": "Profil",
    "fonctions": "Fonctions",
    "disciplines": "Disciplines",
    "services": "Services enseignés",
    "principal_de": "Professeur principal",
    "matiere": "Matière",
    "code": "Code",
    "libelle": "Libellé",
    "libelle_court": "Libellé court",
    "filiere": "Filière",
    "type": "Type",
    "code_nature": "Nature",
    "secteur": "Secteur",
    "etat": "État",
    "site_web": "Site web",
    "siren": "SIREN",
    "academie": "Académie",
    "academie_code": "Académie",
    "academie_nom": "Nom de l’académie",
    "mere_uai": "Établissement mère",
    "nombre_eleves": "Nombre d’élèves",
    "ouvert_le": "Ouvert le",
    "active": "Active",
    "principal": "Professeur principal",
    "role": "Rôle",
    "fichiers": "Fichiers",
    "octets": "Taille en octets",
    "seuil": "Seuil",
    "motif": "Motif",
    **IDENTIFIANT_LABELS,
}
"""Field of a difference → its name on the screen."""


def school_type(value: str | None) -> str:
    """Return the type of a school as people write it; sources shout."""
    text = (value or "").strip()
    known = TYPES_ETABLISSEMENT.get(text.upper().replace("’", "'"))
    return known or (text.capitalize() if text.isupper() else text)


def school_level(value: str | None) -> str:
    """Return a level as people say it."""
    text = (value or "").strip()
    return NIVEAUX.get(text.upper()) or (text.capitalize() if text.isupper() else text)
