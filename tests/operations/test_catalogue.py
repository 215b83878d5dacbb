"""The catalogue of services: loaded as often as one likes, hand edits left alone, its past kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.extensions import now
from app.models import PROFILS, CelluleService, ComposantService, RoleService, Service
from app.operations.catalogue import FICHIER, charger
from app.queries.droits import services_of

GRILLES = {
    "forum": ["gestionnaire", "lecteur"],
    "blog": ["gestionnaire", "lecteur"],
    "reservation": ["gestionnaire", "validateur", "lecteur"],
    "signets": ["gestionnaire", "lecteur"],
    "webconference": ["gestionnaire", "lecteur"],
    "creation_sites": ["gestionnaire", "lecteur"],
    "boticely": ["gestionnaire", "lecteur"],
    "actualites": ["gestionnaire"],
    "chat": ["acces"],
    "visionneur": ["acces"],
}
"""What R2 says each service has."""
GROUPES = {
    "actualites", "forum", "messagerie", "chat", "blog", "webconference", "espace_travail", "agenda",
    "signets", "creation_sites",
}  # fmt: skip
"""Services that groups fill (G8)."""


def counts(session):
    return [
        session.scalar(select(func.count()).select_from(model))
        for model in (Service, RoleService, CelluleService, ComposantService)
    ]


def rewritten(tmp_path, *changes):
    text = FICHIER.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "services.toml"
    path.write_text(text, encoding="utf-8")
    return path


class TestLoading:
    def test_every_service_of_the_specification_with_its_roles(self, session, catalogue):
        found = {row.code: row for row in session.scalars(select(Service))}
        for code, roles in GRILLES.items():
            assert [role.code for role in sorted(found[code].roles, key=lambda role: role.ordre)] == roles
        assert {row.code for row in found.values() if row.peuple_par_groupes} == GROUPES
        assert {row.code for row in found.values() if row.reprise_contenus} == {
            "creation_sites", "boticely", "blog", "actualites", "forum", "signets",
        }  # fmt: skip

    def test_every_role_has_a_cell_for_each_profile(self, session, catalogue):
        roles = session.scalars(select(RoleService)).all()
        assert roles
        assert all({cell.profil for cell in role.cellules} == set(PROFILS) for role in roles)

    def test_a_fixed_cell_says_why(self, session, catalogue):
        fixed = session.scalars(select(CelluleService).where(CelluleService.fixe)).all()
        assert fixed
        assert all(cell.raison for cell in fixed)

    def test_again_changes_nothing(self, session, catalogue):
        before = counts(session)
        bilan = charger(session)
        assert (bilan.ajoutes, bilan.modifies) == (0, 0)
        assert counts(session) == before

    def test_a_new_version_renews_what_nobody_edited(self, session, catalogue, tmp_path):
        edited = session.scalars(select(Service).filter_by(code="forum")).one()
        edited.nom, edited.saisi = "Forum du collège", True
        session.flush()
        changed = rewritten(
            tmp_path,
            ('nom = "Forum"', 'nom = "Forums"'),
            ('nom = "Blog"', 'nom = "Blogs"'),
            ('cellules = "oui oui! oui oui non"', 'cellules = "non oui! oui oui non"'),
        )
        bilan = charger(session, changed)
        assert bilan.modifies == 2  # the blog's name and one cell of its readers
        names = dict(session.execute(select(Service.code, Service.nom)).all())
        assert (names["forum"], names["blog"]) == ("Forum du collège", "Blogs")

    def test_a_cell_that_changes_keeps_its_past(self, session, catalogue, cast, tmp_path):
        before = now()
        old, new = 'cellules = "oui oui! oui oui non"', 'cellules = "non oui! oui oui non"'
        charger(session, rewritten(tmp_path, (old, new)))
        (then,) = services_of(session, cast.ecole_a, at=before, service="blog")
        (today,) = services_of(session, cast.ecole_a, service="blog")
        assert then.role("lecteur").case("eleve").coche
        assert not today.role("lecteur").case("eleve").coche
        assert services_of(session, cast.ecole_a, at=before - timedelta(days=1), service="blog") == []

    def test_a_mistake_in_the_file_is_told(self, session, tmp_path):
        wrong = rewritten(tmp_path, ('cellules = "oui oui! oui oui non"', 'cellules = "oui oui! oui oui"'))
        with pytest.raises(ValueError, match="zip"):
            charger(session, wrong)
