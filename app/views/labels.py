"""Words for the codes the tables keep, shared by the generated pages."""

from __future__ import annotations

SOURCES = {
    "manuel": "Saisie à la main",
    "aaf": "AAF",
    "aaf1d": "AAF 1er degré",
    "siecle": "SIECLE",
    "sts": "STS",
    "annuaire": "Annuaire de l’éducation",
}
SECTEURS = {"public": "Public", "prive": "Privé"}
ETATS_ETABLISSEMENT = {"ouvert": "Ouvert", "ferme": "Fermé"}
CIVILITES = {"M": "Monsieur", "M.": "Monsieur", "MME": "Madame", "Mme": "Madame", "MLLE": "Madame"}
SEXES = {"F": "Féminin", "M": "Masculin"}
MOTIFS_FIN = {
    "depart": "Départ lu dans l’alimentation",
    "annulation": "Alimentation annulée",
    "manuel": "Fin saisie à la main",
}
