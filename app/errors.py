"""The errors a person may read. Their text is a French sentence that says what to do."""

from __future__ import annotations


class UserError(Exception):
    """An act is refused; nothing has been written.

    ``field`` names the form field the sentence belongs to, when there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class RuleViolationError(UserError):
    """A business rule refuses the act."""


class NotFoundError(UserError):
    """The object does not exist for this actor: absent, or out of their perimeter (A1)."""


class ConflictError(UserError):
    """Somebody else changed the object meanwhile."""


class PerimetreAbsentError(RuntimeError):
    """A query ran without any perimeter being stated: a bug, never a reason to show everything."""


CONSTRAINT_MESSAGES: dict[str, tuple[str, str | None]] = {
    "uq_etablissement_uai": ("Cet UAI est déjà celui d’un autre établissement.", "uai"),
    "uq_academie_code": ("Ce code est déjà celui d’une autre académie.", "code"),
    "uq_collectivite_code": ("Ce code est déjà celui d’une autre collectivité.", "code"),
    "uq_mef_code": ("Ce code MEF existe déjà.", "code"),
    "uq_matiere_code": ("Ce code de matière existe déjà.", "code"),
    "uq_discipline_code": ("Ce code de discipline existe déjà.", "code"),
    "uq_fonction_code": ("Ce code de fonction existe déjà.", "code"),
    "uq_service_code": ("Ce code est déjà celui d’un autre service.", "code"),
    "uq_role_service_service_id_code": ("Ce service a déjà un droit de ce code.", "code"),
    "uq_composant_service_service_id_code": (
        "Ce service a déjà un logiciel ou une ressource de ce code.",
        "code",
    ),
    "uq_traitement_nom": ("Ce traitement figure déjà au registre.", "nom"),
    "uq_adresse_page_adresse": ("Cette adresse est déjà prise. Choisissez-en une autre.", "adresse"),
    "uq_flux_etablissement_id_url": ("Ce flux est déjà dans la liste.", "url"),
    "uq_ressource_etablissement_id_nom": ("Une ressource de ce nom existe déjà ici.", "nom"),
    "ex_occupation_libre": ("Quelqu’un vient de réserver ce créneau. Choisissez-en un autre.", "debut"),
    "uq_abonnement_composant_id_etablissement_id": (
        "Cet abonnement existe déjà : modifiez ses dates.",
        "etablissement",
    ),
    "uq_abonnement_composant_id_collectivite_id": (
        "Cet abonnement existe déjà : modifiez ses dates.",
        "collectivite",
    ),
    "uq_personne_login": ("Cet identifiant est déjà pris. Choisissez-en un autre.", "login"),
}
"""Constraint name → (sentence, field). An IntegrityError without a line here is a bug, logged."""
