"""Settings, read once from the environment (``PREAU_*``), typed and checked.

Outside demo mode nothing unsafe starts: a missing or unsafe setting is refused with a French
sentence that names the variable.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.config_guichet import GuichetError, guichet_config

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024
LOCAL_HOSTS = ("127.0.0.1", "localhost")
DEMO_KEY = "demonstration-seulement-jamais-en-production"


class ReglageInvalideError(SystemExit):
    """Starting is refused; the text says which variable is wrong and what to write instead."""


class Reglages(BaseSettings):
    """Every setting of the product, one field each; names are ``PREAU_`` + the field in capitals."""

    model_config = SettingsConfigDict(env_prefix="PREAU_", extra="ignore")

    demo: bool = Field(
        False, description="Mode démonstration : académie fictive, réglages sûrs en local seulement"
    )
    nom: str = Field("", description="Nom de l’académie ou de la collectivité, sur la page de connexion")
    lien_aide: str = Field("", description="Adresse de la page d’aide, à la place de la nôtre")
    lien_accessibilite: str = Field("", description="Adresse de la déclaration d’accessibilité")
    lien_donnees: str = Field("", description="Adresse de la page sur les données personnelles")
    cle_secrete: str = Field("", description="Clé de signature des cookies, 32 caractères au moins")
    cle_codes: str = Field(
        "", description="Clé des codes d’activation, 32 caractères au moins, hors de la base"
    )
    hotes: str = Field("", description="Noms d’hôte acceptés, séparés par des virgules")
    adresse: str = Field("", description="Adresse publique de la console, écrite dans les courriels")
    base: str = Field("", description="URL de la base : sqlite:///… ou postgresql+psycopg://…")
    dossier: Path = Field(ROOT / "var", description="Dossier des données locales")
    mandataires: int = Field(
        0, ge=0, le=5, description="Nombre de mandataires (proxys) de confiance devant Préau"
    )
    https: bool = Field(True, description="Cookies réservés à HTTPS et HSTS")
    courriel_serveur: str = Field("", description="Serveur SMTP, hôte:port")
    courriel_identifiant: str = ""
    courriel_mot_de_passe: str = ""
    courriel_tls: Literal["aucun", "starttls", "ssl"] = "starttls"
    courriel_expediteur: str = Field("", description="Adresse d’expédition, sans réponse")
    file_taches: str = Field("", description="File des tâches : vide (SQLite), redis://… ou postgresql://…")
    authentification: Literal["mot_de_passe", "ldap", "oidc", "saml"] = "mot_de_passe"
    corps_max_mio: int = Field(64, ge=1, le=4096, description="Taille maximale d’une requête, en Mio")
    session_heures: int = Field(12, ge=1, le=72, description="Durée d’une session, en heures")
    second_facteur_reportable: bool | None = Field(
        None, description="En démonstration : le second facteur des rôles académiques peut attendre"
    )
    departs_seuil_pourcent: float = Field(
        5.0, gt=0, le=100, description="Part de départs qui arrête une alimentation"
    )
    api_appels_minute: int = Field(
        300, ge=1, le=100_000, description="Appels acceptés par clé d’API et par minute"
    )
    suppressions_jours: int = Field(
        90, ge=1, le=3650, description="Jours pendant lesquels une personne partie peut être restaurée"
    )
    reseaux_permis: str = Field(
        "",
        description="Réseaux internes que Préau peut appeler (flux, essais d’adresse) : 10.1.0.0/16,…",
    )
    journal_niveau: str = "INFO"
    metriques_jeton: str = Field(
        "", description="Jeton de lecture de /metriques hors de la machine (facultatif)"
    )

    # LDAP, OIDC and SAML settings are read from one JSON file each, see docs/configuration.md
    ldap_fichier: Path | None = None
    oidc_fichier: Path | None = None
    saml_fichier: Path | None = None

    def database_uri(self) -> str:
        """Return the database address; SQLite in the data folder by default."""
        return self.base or f"sqlite:///{self.dossier / 'preau.db'}"

    def deployment(self) -> str:
        """Return whose console this is."""
        return self.nom.strip() or ("Académie de Touraine-Berry" if self.demo else "")

    def public_url(self) -> str:
        """Return the address of the console, as mails write it; that of the first host by default."""
        if self.adresse:
            return self.adresse.rstrip("/")
        hosts = self.hosts()
        if hosts:
            return f"https://{hosts[0]}"
        return f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"

    def second_factor_may_wait(self) -> bool:
        """Tell whether academic roles may sign in without a second factor: in demo, unless told otherwise."""
        return self.demo and self.second_facteur_reportable is not False

    def code_key(self) -> str:
        """Return the key of activation codes and of what is sealed; a known one in demo only."""
        return self.cle_codes or f"codes-{DEMO_KEY}"

    def guichet_file(self) -> Path | None:
        """Return the file of the outside sign-in, when there is one."""
        files = {"ldap": self.ldap_fichier, "oidc": self.oidc_fichier, "saml": self.saml_fichier}
        return files.get(self.authentification)

    def permitted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the private networks Préau may call; a public address needs no permission."""
        return tuple(ip_network(net.strip()) for net in self.reseaux_permis.split(",") if net.strip())

    def hosts(self) -> list[str]:
        """Return the accepted host names."""
        return [host.strip() for host in self.hotes.split(",") if host.strip()]


def _wrong_value(error: ValidationError) -> str:
    """Name the first variable whose value cannot be read."""
    first = error.errors()[0]
    name = "_".join(str(part) for part in first["loc"]).upper()
    name = name if name.startswith("PREAU_") else f"PREAU_{name}"
    return f"{name} a une valeur que Préau ne sait pas lire. Voyez docs/configuration.md."


def load(**overrides: Any) -> Reglages:
    """Read and check the settings.

    :raises ReglageInvalideError: outside demo mode, on the first unsafe or missing setting.
    """
    try:
        settings = Reglages(**overrides)
        guichet_config(settings.authentification, settings.guichet_file(), demo=settings.demo)
    except ValidationError as error:
        raise ReglageInvalideError(f"Préau ne démarre pas : {_wrong_value(error)}") from error
    except GuichetError as error:
        raise ReglageInvalideError(f"Préau ne démarre pas : {error}") from error
    try:
        settings.permitted_networks()
    except ValueError as error:
        raise ReglageInvalideError(
            "Préau ne démarre pas : PREAU_RESEAUX_PERMIS doit énumérer des réseaux, par exemple 10.1.0.0/16."
        ) from error
    for name in ("lien_aide", "lien_accessibilite", "lien_donnees"):
        link = getattr(settings, name)
        if link and not link.startswith("https://"):
            raise ReglageInvalideError(
                f"Préau ne démarre pas : PREAU_{name.upper()} doit commencer par https://."
            )
    if settings.demo:
        return settings
    refusals = [
        (
            bool(settings.adresse) and not settings.adresse.startswith("https://"),
            "PREAU_ADRESSE doit commencer par https://.",
        ),
        (
            settings.cle_secrete == DEMO_KEY,
            "PREAU_CLE_SECRETE est celle de la démonstration : tirez-en une au hasard.",
        ),
        (len(settings.cle_secrete) < 32, "PREAU_CLE_SECRETE doit contenir au moins 32 caractères."),
        (len(settings.cle_codes) < 32, "PREAU_CLE_CODES doit contenir au moins 32 caractères."),
        (
            settings.cle_codes == settings.cle_secrete != "",
            "PREAU_CLE_CODES doit différer de PREAU_CLE_SECRETE.",
        ),
        (
            not settings.hosts(),
            "PREAU_HOTES doit nommer les hôtes acceptés, par exemple console.ac-exemple.fr.",
        ),
        (
            any("*" in host for host in settings.hosts()),
            "PREAU_HOTES n’accepte pas « * » : nommez chaque hôte.",
        ),
        (not settings.https, "PREAU_HTTPS doit rester à 1 : les cookies ne voyagent qu’en HTTPS."),
        (
            bool(settings.second_facteur_reportable),
            "PREAU_SECOND_FACTEUR_REPORTABLE n’est permis qu’en démonstration.",
        ),
        (not settings.base, "PREAU_BASE doit donner l’URL de la base, par exemple postgresql+psycopg://…"),
        (not settings.courriel_serveur, "PREAU_COURRIEL_SERVEUR doit donner le serveur SMTP, hôte:port."),
        (not settings.courriel_expediteur, "PREAU_COURRIEL_EXPEDITEUR doit donner l’adresse d’expédition."),
    ]
    for refused, sentence in refusals:
        if refused:
            raise ReglageInvalideError(f"Préau ne démarre pas : {sentence}")
    return settings


def flask_config(settings: Reglages) -> dict[str, Any]:
    """Translate the settings into the configuration keys of Flask and its extensions."""
    host, _, port = settings.courriel_serveur.partition(":")
    return {
        **guichet_config(settings.authentification, settings.guichet_file(), demo=settings.demo),
        "SECRET_KEY": settings.cle_secrete or DEMO_KEY,
        "SQLALCHEMY_DATABASE_URI": settings.database_uri(),
        "TRUSTED_HOSTS": [*(LOCAL_HOSTS if settings.demo else ()), *settings.hosts()],
        "FAB_SAFE_REDIRECT_HOSTS": settings.hosts(),
        "MAX_CONTENT_LENGTH": settings.corps_max_mio * MIB,
        "MAX_FORM_MEMORY_SIZE": 2 * MIB,
        "MAX_FORM_PARTS": 2000,
        "SESSION_COOKIE_NAME": "preau",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.https and not settings.demo,
        "PERMANENT_SESSION_LIFETIME": settings.session_heures * 3600,
        "WTF_CSRF_TIME_LIMIT": None,
        "APP_NAME": "Préau",
        "BABEL_DEFAULT_LOCALE": "fr",
        "BABEL_DEFAULT_TIMEZONE": "Europe/Paris",
        "LANGUAGES": {"fr": {"flag": "fr", "name": "Français"}},
        "FAB_CREATE_DB": False,
        "FAB_UPDATE_PERMS": False,
        "FAB_ADD_SECURITY_VIEWS": False,
        "FAB_ADD_SECURITY_API": False,
        "FAB_ADD_OPENAPI_VIEWS": False,
        "FAB_ADD_MENU_API": False,
        "AUTH_USER_REGISTRATION": False,
        "MAIL_SERVER": host or "127.0.0.1",
        "MAIL_PORT": int(port or 25),
        "MAIL_USE_TLS": settings.courriel_tls == "starttls" and bool(host),
        "MAIL_USE_SSL": settings.courriel_tls == "ssl",
        "MAIL_USERNAME": settings.courriel_identifiant or None,
        "MAIL_PASSWORD": settings.courriel_mot_de_passe or None,
        "MAIL_DEFAULT_SENDER": settings.courriel_expediteur or "ne-pas-repondre@preau.invalid",
    }
