"""Applying people several sources state: who a new guardian is, what stands of each record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.operations.alimentation.etats import Etat
from app.operations.alimentation.proches import adultes_des_enfants
from app.operations.alimentation.provenance import Enonce, accorder

if TYPE_CHECKING:
    from app.operations.alimentation.gens import Contexte, Gen


def near_guardians(ctx: Contexte, gens: list[Gen]) -> dict[str, set[int]]:
    """Return guardian's key → who may be the same adult: found when read, or by the children now."""
    new = {gen.ligne.cle: gen.record for gen in gens if gen.personne_id is None}
    near = adultes_des_enfants(ctx.session, ctx.espace, new)
    for gen in gens:
        if gen.personne_id is None and gen.ligne.personne_id is not None:
            near.setdefault(gen.ligne.cle, set()).add(gen.ligne.personne_id)
    return near


def agree(ctx: Contexte, kind: str, gens: list[Gen], states: dict[int, Etat]) -> None:
    """Keep what other sources state, and what a delta cannot say of a school it does not name."""
    stated = []
    for gen in gens:
        if gen.personne_id is None:
            continue
        state = states[gen.personne_id]
        if gen.partout and ctx.uai not in {place.uai for place in state.connues_de(ctx.source)}:
            gen.part = None
        stated.append(
            Enonce(
                gen.ligne.cle, gen.personne_id, state, gen.identite,
                None if gen.part is None else {ctx.uai: gen.part},
                connu=gen.fiche_id is not None,
            )
        )  # fmt: skip
    accorder(ctx.session, ctx.espace, kind, stated)
