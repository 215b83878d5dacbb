"""The data model, by section. Definitions live in ``app.tables``; everybody imports from here.

Territoires  : Academie, Collectivite, Etablissement (+ its hand-edited fields)
Personnes    : Personne, Identifiant, Rattachement, Responsabilite (+ locks, login roots)
Scolarité    : Mef, Matiere, Discipline, Fonction, Division, GroupeEnseignement, services taught
Alimentation : Alimentation (a feed), its schools, its differences (Ecart), FicheSource
Comptes      : Compte (Flask-AppBuilder's user), Attribution (role over a perimeter), Nomination (one
               promised until the account is activated), sessions, links
Doublons     : Doublon (two people who may be one), Fusion (two made one, and how to undo it)
Registre     : Traitement (the register of processing)
Console      : Preference, Favori, Visite, VueEnregistree, BilanEtablissement (figures computed ahead)
Intégrations : CleApi (a key an outside program acts with)
Invités      : ImportInvites (a file of guests) and its lines
Actes        : EditeurPage, ActeEnNombre (one act on many people) and its rows
Catalogue    : Service, its roles, cells and components; to which collectivités it is offered
Services     : what a school makes of them: EtatService, DroitService, ReglageService, managers
Pages        : Image, Logo, Flux and Breve (home page), PagePublique, Bloc and its versions
Réglages     : EssaiService (a «Tester» and what it found), Abonnement (resources subscribed to)
Réservation  : Ressource (what a school lends), Reservation, what it holds (Occupation), calendars
Modèles      : ModeleServices (services as schools should have them), its lines and applications
Suivi        : Journal, Courriel (outgoing mail), Tache (background task), Battement
"""

from app.tables.actes import ActeEnNombre, EditeurPage, LigneActeEnNombre
from app.tables.alimentation import (
    Alimentation,
    AlimentationEtablissement,
    CitationResponsable,
    Ecart,
    FicheSource,
)
from app.tables.catalogue import (
    CelluleService,
    ComposantService,
    RoleService,
    Service,
    ServiceCollectivite,
)
from app.tables.comptes import (
    SANS_ADRESSE,
    AdresseAConfirmer,
    AssertionRecue,
    Attribution,
    CodeSecours,
    Compte,
    DemandeLien,
    EssaiConnexion,
    LienMotDePasse,
    MotDePasseScolarite,
    Nomination,
    SecondFacteur,
    SessionCompte,
)
from app.tables.console import (
    BilanEtablissement,
    BilanNiveau,
    Favori,
    Preference,
    Visite,
    VueEnregistree,
)
from app.tables.doublons import Doublon, Fusion
from app.tables.integrations import CleApi
from app.tables.invites import ImportInvites, LigneImport
from app.tables.mixins import PerimetreEtablissement, PerimetrePersonne
from app.tables.modeles import (
    ApplicationModele,
    EtablissementApplication,
    LigneModele,
    ModeleServices,
)
from app.tables.pages import (
    MODELES,
    PAGES,
    AdressePage,
    Bloc,
    Breve,
    Flux,
    Image,
    Logo,
    PagePublique,
    ServicePage,
    VersionBloc,
)
from app.tables.personnes import (
    PROFILS,
    Identifiant,
    Personne,
    RacineLogin,
    Rattachement,
    Responsabilite,
    VarianteNom,
    VerrouPersonne,
)
from app.tables.registre import Traitement
from app.tables.reglages import Abonnement, EssaiService
from app.tables.reservations import AdresseCalendrier, Occupation, Reservation, Ressource
from app.tables.scolarite import (
    Discipline,
    Division,
    DivisionMef,
    EleveGroupe,
    Fonction,
    FonctionExercee,
    GroupeDivision,
    GroupeEnseignement,
    Matiere,
    Mef,
    OptionSuivie,
    ProfesseurPrincipal,
    ServiceEnseigne,
)
from app.tables.services import (
    ComposantEtablissement,
    DroitService,
    EtatService,
    GestionnaireService,
    ReglageService,
)
from app.tables.suivi import Battement, Courriel, Journal, Tache
from app.tables.territoires import Academie, Collectivite, Etablissement, VerrouEtablissement

__all__ = [
    "MODELES",
    "PAGES",
    "PROFILS",
    "SANS_ADRESSE",
    "Abonnement",
    "Academie",
    "ActeEnNombre",
    "AdresseAConfirmer",
    "AdresseCalendrier",
    "AdressePage",
    "Alimentation",
    "AlimentationEtablissement",
    "ApplicationModele",
    "AssertionRecue",
    "Attribution",
    "Battement",
    "BilanEtablissement",
    "BilanNiveau",
    "Bloc",
    "Breve",
    "CelluleService",
    "CitationResponsable",
    "CleApi",
    "CodeSecours",
    "Collectivite",
    "ComposantEtablissement",
    "ComposantService",
    "Compte",
    "Courriel",
    "DemandeLien",
    "Discipline",
    "Division",
    "DivisionMef",
    "Doublon",
    "DroitService",
    "Ecart",
    "EditeurPage",
    "EleveGroupe",
    "EssaiConnexion",
    "EssaiService",
    "Etablissement",
    "EtablissementApplication",
    "EtatService",
    "Favori",
    "FicheSource",
    "Flux",
    "Fonction",
    "FonctionExercee",
    "Fusion",
    "GestionnaireService",
    "GroupeDivision",
    "GroupeEnseignement",
    "Identifiant",
    "Image",
    "ImportInvites",
    "Journal",
    "LienMotDePasse",
    "LigneActeEnNombre",
    "LigneImport",
    "LigneModele",
    "Logo",
    "Matiere",
    "Mef",
    "ModeleServices",
    "MotDePasseScolarite",
    "Nomination",
    "Occupation",
    "OptionSuivie",
    "PagePublique",
    "PerimetreEtablissement",
    "PerimetrePersonne",
    "Personne",
    "Preference",
    "ProfesseurPrincipal",
    "RacineLogin",
    "Rattachement",
    "ReglageService",
    "Reservation",
    "Responsabilite",
    "Ressource",
    "RoleService",
    "SecondFacteur",
    "Service",
    "ServiceCollectivite",
    "ServiceEnseigne",
    "ServicePage",
    "SessionCompte",
    "Tache",
    "Traitement",
    "VarianteNom",
    "VerrouEtablissement",
    "VerrouPersonne",
    "VersionBloc",
    "Visite",
    "VueEnregistree",
]
