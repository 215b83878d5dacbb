"""The fictional académie holds what real ones do: every planned oddity, valid codes, fiction only."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date

import pytest

from app.exports.fictif import lexique
from app.exports.fictif.familles import Tirage
from app.exports.fictif.nomenclature import NIVEAUX
from app.exports.fictif.plan import Plan
from tests.exports.conftest import GRAINE, Academie

CLE = "ABCDEFGHJKLMNPRSTUVWXYZ"
FICTION = re.compile(r"0(19900|26191|35301|46571|53649|63998)\d{4}")


class TestEtablissements:
    def test_uai_are_unique_have_their_check_letter_and_a_fictional_number(self) -> None:
        plan = Plan(GRAINE, 1080, 200_000)
        codes = [e.uai for e in (*plan.etablissements, *plan.ecoles)]
        assert len(set(codes)) == len(codes)
        for uai in codes:
            assert re.fullmatch(r"0(18|36|37|41)9\d{3}[A-Z]", uai)
            assert uai[7] == CLE[int(uai[:7]) % 23]

    def test_every_place_is_in_a_division_of_a_plausible_size(self) -> None:
        plan = Plan(GRAINE, 12, 6000)
        assert sum(e.effectif for e in plan.etablissements) == 6000
        for school in plan.etablissements:
            assert sum(d.effectif for d in school.divisions) == school.effectif
            for niveau in school.type.niveaux:
                divisions = school.of_level(niveau)
                assert divisions
                if len(divisions) > 1:
                    assert all(18 <= d.effectif <= 36 for d in divisions)
            codes = [d.code for d in school.divisions] + [g.code for g in school.groupes]
            assert len(set(codes)) == len(codes)
            assert max(map(len, codes)) <= 8

    def test_codes_of_the_nomenclatures_have_the_size_of_the_real_ones(self) -> None:
        assert all(re.fullmatch(r"\d{11}", niveau.mef) for niveau in NIVEAUX)
        matieres = {m for niveau in NIVEAUX for m in niveau.matieres}
        assert all(re.fullmatch(r"\d{6}", m.code) for m in matieres)


class TestLexique:
    def test_names_are_many(self) -> None:
        assert len(set(lexique.words("noms"))) >= 300
        assert len(set(lexique.words("prenoms_f"))) >= 300
        assert len(set(lexique.words("prenoms_m"))) >= 300

    def test_every_word_can_be_written_in_a_siecle_file(self) -> None:
        for path in lexique.FOLDER.glob("*.txt"):
            text = path.read_text(encoding="utf-8")
            assert text == text.encode("iso-8859-15").decode("iso-8859-15")


class TestEleves:
    def test_ine_have_the_shape_of_rnie_and_are_unique(self, academie: Academie) -> None:
        ines = [e.ine for e in academie.eleves if e.ine]
        assert all(re.fullmatch(r"\d{9}ZZ", ine) for ine in ines)
        assert len(set(ines)) == len(ines)

    def test_keys_are_unique_over_everybody(self, academie: Academie) -> None:
        parents = {r.jointure for f in academie.familles for r in (*f.responsables, *f.non_cites)}
        keys = [e.jointure for e in academie.eleves] + [p.jointure for p in academie.personnels]
        assert len(set(keys)) == len(keys)
        assert not parents & {e.jointure for e in academie.eleves}

    def test_pupils_are_of_the_age_of_their_level(self, academie: Academie) -> None:
        for eleve in academie.eleves:
            age = 2026 - eleve.naissance.year - eleve.scolarites[0].division.niveau.age
            assert 0 <= age <= 3
            assert date(2005, 1, 1) < eleve.naissance

    def test_telephones_and_domains_are_those_reserved_for_fiction(self, academie: Academie) -> None:
        adults = [r for f in academie.familles for r in (*f.responsables, *f.non_cites)]
        numbers = [n for r in adults for n in (r.domicile, r.portable, r.travail) if n]
        numbers += [e.portable for e in academie.eleves if e.portable]
        numbers += [e.telephone for e in academie.plan.etablissements]
        assert numbers
        assert all(FICTION.fullmatch(number) for number in numbers)
        emails = [r.email for r in adults if r.email] + [p.email for p in academie.personnels]
        assert all(re.fullmatch(r"[a-z0-9.-]+@[a-z-]+\.example", email) for email in emails)


class TestParticularites:
    """Each planned oddity, in an académie of the size of the demo."""

    def test_siblings_share_parents_across_schools(self, academie: Academie) -> None:
        families = [f for f in academie.familles if len(f.eleves) > 1]
        assert len(families) > 300
        schools = [{e.scolarites[0].etablissement.uai for e in f.eleves} for f in families]
        assert sum(len(uais) > 1 for uais in schools) > 100
        for famille in families[:50]:
            mothers = {e.liens[0].responsable.jointure for e in famille.eleves}
            assert len(mothers) == 1

    def test_siblings_are_never_born_the_same_year_unless_twins(self, academie: Academie) -> None:
        for famille in academie.familles:
            births = [e.naissance for e in famille.eleves]
            years = {b.year for b in births}
            assert len(years) == len(births) or len(set(births)) == 1

    def test_separated_parents_have_two_addresses(self, academie: Academie) -> None:
        apart = [
            f for f in academie.familles
            if len(f.responsables) == 2 and f.responsables[0].adresse is not f.responsables[1].adresse
        ]  # fmt: skip
        assert len(apart) > 100

    def test_single_parents_guardians_and_child_welfare(self, academie: Academie) -> None:
        kinds = Counter(tuple(link.parente for link in e.liens) for e in academie.eleves)
        assert kinds[("10",)] > 100
        assert kinds[("20",)] > 5
        assert kinds[("50",)] >= 4
        assert kinds[("51", "42")] >= 2
        assert sum(count for kind, count in kinds.items() if "38" in kind) >= 5

    def test_blended_families_have_a_partner_in_charge(self, academie: Academie) -> None:
        levels = [(link.parente, link.niveau) for e in academie.eleves for link in e.liens]
        assert ("39", 2) in levels

    def test_twins(self, academie: Academie) -> None:
        twins = [f for f in academie.familles if len({e.naissance for e in f.eleves}) < len(f.eleves)]
        assert len(twins) >= 5
        assert all(len({e.prenom for e in f.eleves}) == len(f.eleves) for f in twins)

    def test_homonyms_with_other_birth_dates_and_with_the_same(self, academie: Academie) -> None:
        namesakes = defaultdict(list)
        for eleve in academie.eleves:
            namesakes[eleve.nom, eleve.prenom].append(eleve)
        groups = [group for group in namesakes.values() if len(group) > 1]
        same_birth = [g for g in groups if len({e.naissance for e in g}) < len(g)]
        assert len(groups) - len(same_birth) >= 1
        assert same_birth
        assert all(len({e.ine for e in group}) == len(group) for group in same_birth)

    def test_names_with_particle_hyphen_apostrophe_and_ligature(self, academie: Academie) -> None:
        names = {e.nom for e in academie.eleves}
        for pattern in (r"^(DE|DU|DES|VAN|DI|DOS) ", r"-", r"'", r"Œ", r"É"):
            assert any(re.search(pattern, name) for name in names), pattern
        assert any("-" in e.prenom for e in academie.eleves)

    def test_a_pupil_in_two_schools(self, academie: Academie) -> None:
        both = [e for e in academie.eleves if len(e.scolarites) == 2]
        assert both
        assert all(len({s.etablissement.uai for s in e.scolarites}) == 2 for e in both)

    def test_a_pupil_without_ine(self, academie: Academie) -> None:
        assert any(e.ine is None for e in academie.eleves)

    def test_adults_nobody_names(self, academie: Academie) -> None:
        cited = {link.responsable.jointure for e in academie.eleves for link in e.liens}
        uncited = [r for f in academie.familles for r in f.non_cites]
        assert len(uncited) > 100
        assert not cited & {r.jointure for r in uncited}

    def test_a_parent_who_is_also_staff(self, academie: Academie) -> None:
        staff = {p.jointure: p for p in academie.personnels}
        parents = [r for f in academie.familles for r in f.responsables if r.jointure in staff]
        assert parents
        for parent in parents:
            person = staff[parent.jointure]
            assert (parent.nom, parent.prenom, parent.sexe) == (person.nom, person.prenom, person.sexe)

    def test_a_teacher_in_two_schools(self, academie: Academie) -> None:
        both = [p for p in academie.personnels if len(p.postes) == 2]
        assert both
        for person in both:
            assert {s.etablissement.uai for s in person.services} == {e.uai for e, _ in person.postes}


class TestPersonnels:
    def test_each_school_has_one_head_and_the_usual_posts(self, academie: Academie) -> None:
        for school in academie.plan.etablissements:
            posts = Counter(
                poste.discipline if poste.fonction == "DIR" else poste.fonction
                for p in academie.personnels
                for place, poste in p.postes
                if place is school and poste
            )
            assert posts["D0010"] == 1
            assert all(posts[code] for code in ("EDU", "AED", "DOC", "ADF"))

    def test_each_subject_of_each_division_has_one_teacher(self, academie: Academie) -> None:
        taught = Counter(
            (s.etablissement.uai, s.division, s.groupe, s.matiere.code)
            for p in academie.personnels
            for s in p.services
        )
        assert set(taught.values()) == {1}
        expected = sum(
            sum(len(d.niveau.matieres) for d in e.divisions) + len(e.groupes)
            for e in academie.plan.etablissements
        )
        assert len(taught) == expected

    def test_each_division_has_one_main_teacher_who_teaches_it(self, academie: Academie) -> None:
        named = Counter((e.uai, code) for p in academie.personnels for e, code in p.principal_de)
        divisions = {(e.uai, d.code) for e in academie.plan.etablissements for d in e.divisions}
        assert set(named) == divisions
        assert set(named.values()) == {1}


def test_a_family_is_the_same_whatever_was_drawn_before(academie: Academie) -> None:
    last = academie.plan.bassins[-1]
    alone = list(Tirage(Plan(GRAINE, 12, 2400), 2026).families(last))
    among = academie.familles[-len(alone) :]
    assert [(e.ine, e.nom, e.prenom, e.naissance) for f in alone for e in f.eleves] == [
        (e.ine, e.nom, e.prenom, e.naissance) for f in among for e in f.eleves
    ]


@pytest.mark.parametrize("eleves", [20_000])
def test_people_per_pupil(eleves: int) -> None:
    """100 000 pupils make about 250 000 people."""
    academie = Academie(eleves // 500, eleves)
    adults = sum(len(f.responsables) + len(f.non_cites) for f in academie.familles)
    total = len(academie.eleves) + adults + len(academie.personnels)
    assert 2.3 <= total / eleves <= 2.7
