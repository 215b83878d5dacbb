"""Rights and perimeters of an account: a right acts on the perimeter of the role that gives it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.extensions import now
from app.models import Attribution, Compte
from app.security.acteur import perimetre_of, rights_of
from app.security.mur import RIEN, Perimetre
from app.security.permissions import Resource as R  # noqa: N817
from app.security.permissions import Verb as V  # noqa: N817
from app.security.roles import RIGHTS, ROLE_LABELS, ROLE_PORTEES, Role


def held(role, **values):
    values.setdefault("depuis", now() - timedelta(days=1))
    return Attribution(role=role, **values)


def account(*attributions):
    return Compte(id=7, personne_id=70, attributions=list(attributions))


class TestMatrix:
    def test_every_role_has_rights_a_label_and_a_perimeter(self):
        assert set(RIGHTS) == set(ROLE_LABELS) == set(ROLE_PORTEES) == set(Role)

    def test_writing_always_comes_with_reading(self):
        for role, rights in RIGHTS.items():
            for verb, resource in rights:
                assert (V.LIRE, resource) in rights, (role, verb, resource)


class TestPerimetre:
    def test_two_schools_two_roles(self):
        both = account(
            held("correspondant", etablissement_id=1), held("chef_etablissement", etablissement_id=2)
        )
        assert perimetre_of(both, R.PERSONNE, V.LIRE).etablissements == {1, 2}
        assert perimetre_of(both, R.ALIMENTATION, V.ECRIRE).etablissements == {1}
        assert perimetre_of(both, R.JOURNAL, V.LIRE).etablissements == {1, 2}

    def test_a_teacher_of_b_writes_nothing_there(self):
        both = account(held("correspondant", etablissement_id=1), held("enseignant", etablissement_id=2))
        assert perimetre_of(both, R.ETABLISSEMENT, V.ECRIRE) == Perimetre(
            etablissements=frozenset({1}), compte_id=7
        )

    @pytest.mark.parametrize(
        ("role", "values", "expected"),
        [
            ("assistant_n2", {}, {"tout": True}),
            ("accompagnement", {"academie_id": 3}, {"academies": frozenset({3})}),
            ("collectivite", {"collectivite_id": 4}, {"collectivites": frozenset({4})}),
            ("assistant_n2", {"etablissement_id": 1}, {}),
            ("accompagnement", {}, {}),
            ("correspondant", {"academie_id": 3}, {}),
        ],
    )
    def test_the_perimeter_must_fit_the_role(self, role, values, expected):
        assert perimetre_of(account(held(role, **values)), R.ETABLISSEMENT) == Perimetre(
            compte_id=7, **expected
        )

    def test_oneself_is_all_my_espace_ever_shows(self):
        boss = account(held("assistant_n2"))
        assert perimetre_of(boss, R.MON_ESPACE) == Perimetre(personne_id=70, compte_id=7)
        assert perimetre_of(boss, None) == Perimetre(personne_id=70, compte_id=7)

    def test_past_future_and_unknown_roles_give_nothing(self):
        moment = now()
        for row in (
            held("assistant_n2", jusqua=moment - timedelta(seconds=1)),
            held("assistant_n2", depuis=moment + timedelta(hours=1)),
            held("super_administrateur"),
        ):
            nobody = account(row)
            assert rights_of(nobody) == {
                (V.LIRE, R.MON_ESPACE),
                (V.MENU, R.MON_ESPACE),
                (V.LIRE, R.RESERVATION),
                (V.ECRIRE, R.RESERVATION),
            }
            assert perimetre_of(nobody, R.PERSONNE) == Perimetre(compte_id=7)

    def test_nobody(self):
        assert perimetre_of(None, R.PERSONNE) == RIEN
        assert rights_of(None) == frozenset()
