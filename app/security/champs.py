"""Which fields of a school each role may edit (S1)."""

from __future__ import annotations

from collections.abc import Collection

from app.models import Attribution, Etablissement
from app.security.roles import Role

LOCAL = frozenset({"email", "site_web"})
ACADEMIQUE = LOCAL | {"telephone", "chef", "collectivite"}
XITI = frozenset({"xiti"})
IDENTITE = frozenset({"nom", "type", "secteur", "etat", "adresse", "code_postal", "commune", "academie"})
"""What the directory says of a real school; typed by hand for a virtual one only."""

BY_ROLE: dict[Role, frozenset[str]] = {
    Role.CORRESPONDANT: LOCAL,
    Role.ACCOMPAGNEMENT: ACADEMIQUE,
    Role.ASSISTANT_PLATEFORME: ACADEMIQUE,
    Role.CORRESPONDANT_DEPLOIEMENT: ACADEMIQUE | XITI,
    Role.ASSISTANT_N2: ACADEMIQUE | XITI,
}


def editable_fields(attributions: Collection[Attribution], etablissement: Etablissement) -> frozenset[str]:
    """Return the fields of a school that the holder of these roles may edit."""
    fields: frozenset[str] = frozenset()
    for row in attributions:
        if _covers(row, etablissement):
            fields |= BY_ROLE.get(Role(row.role), frozenset())
    if etablissement.virtuel and fields - LOCAL:
        fields |= IDENTITE
    return fields


def _covers(row: Attribution, etablissement: Etablissement) -> bool:
    """Tell whether a role is held over this school."""
    if row.academie_id is not None:
        return row.academie_id == etablissement.academie_id
    if row.collectivite_id is not None:
        return row.collectivite_id == etablissement.collectivite_id
    if row.etablissement_id is not None:
        return row.etablissement_id == etablissement.id
    return Role(row.role) is Role.ASSISTANT_N2
