"""Logos, public page and blocks: what each act does, refuses and tells the journal."""

from __future__ import annotations

import re
import time

import pytest
from sqlalchemy import select

from app.errors import ConflictError, NotFoundError, RuleViolationError
from app.extensions import now
from app.models import AdressePage, Bloc, Etablissement, Journal, Logo, PagePublique, Service, VersionBloc
from app.operations import blocs, logos, page_publique
from app.operations.markdown import render
from app.operations.page_publique import Choix, normaliser
from app.operations.saisies import Actor
from app.queries.pages import REDIRIGEE
from tests.operations.test_images import picture

CLAIRE = Actor("Claire Montagné")


@pytest.fixture
def school(session):
    row = Etablissement(uai="0370001A", nom="Collège de l’Œuvre", commune="Tours", nom_recherche="college")
    session.add(row)
    session.flush()
    return row


def choix(**more):
    values = {"active": True, "adresse": "college-de-l-oeuvre", "modele": "vitrine", "entete": True}
    return Choix(**{**values, "accroche": "", **more})


def acts(session):
    return session.scalars(select(Journal.acte).order_by(Journal.id)).all()


class TestLogos:
    def add(self, session, school, texte="Ville de Tours", page="accueil", **more):
        values = {"url": "tours.fr", "visible": True, "acteur": CLAIRE, **more}
        size = (40, 20 + len(session.scalars(select(Logo.id)).all()))
        return logos.ajouter(session, school.id, page, picture("PNG", size), texte=texte, **values)

    def shown(self, session, page="accueil"):
        rows = select(Logo.texte).where(Logo.page == page, Logo.supprime_le.is_(None))
        return session.scalars(rows.order_by(Logo.rang, Logo.id)).all()

    def test_added_ordered_taken_off_and_put_back_with_their_lines(self, session, school):
        first, second, third = (self.add(session, school, name) for name in ("Un", "Deux", "Trois"))
        assert first.url == "https://tours.fr"
        logos.ordonner(session, school.id, "accueil", [third.id, first.id], acteur=CLAIRE)
        assert self.shown(session) == ["Trois", "Un", "Deux"]
        logos.supprimer(session, second, acteur=CLAIRE)
        assert self.shown(session) == ["Trois", "Un"]
        logos.remettre(session, second, acteur=CLAIRE)
        logos.modifier(session, first, texte="Une", url="", visible=False, acteur=CLAIRE)
        assert self.shown(session) == ["Trois", "Une", "Deux"]
        assert acts(session)[3:] == ["logo.ordonner", "logo.supprimer", "logo.remettre", "logo.modifier"]
        last = session.scalars(select(Journal).order_by(Journal.id.desc())).first()
        assert (last.avant["visible"], last.apres["visible"]) == (True, False)

    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"texte": " "}, "texte"),
            ({"url": "javascript:alert(1)"}, "url"),
            ({"url": "http://a@b.fr"}, "url"),
        ],
    )
    def test_refused_on_its_field(self, session, school, more, field):
        with pytest.raises(RuleViolationError) as refused:
            self.add(session, school, **more)
        assert refused.value.field == field

    def test_a_full_page_takes_no_more_even_put_back(self, session, school, monkeypatch):
        monkeypatch.setattr(logos, "MOST", 2)
        gone = self.add(session, school)
        logos.supprimer(session, gone, acteur=CLAIRE)
        self.add(session, school)
        self.add(session, school)
        with pytest.raises(RuleViolationError, match="au plus"):
            self.add(session, school)
        with pytest.raises(RuleViolationError, match="au plus"):
            logos.remettre(session, gone, acteur=CLAIRE)
        assert self.add(session, school, page="publique").page == "publique"


class TestPagePublique:
    def save(self, session, school, version=0, **more):
        return page_publique.enregistrer(session, school, choix(**more), version=version, acteur=CLAIRE)

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("Collège de l’Œuvre", "college-de-l-oeuvre"),
            ("  //Évian__2  ", "evian-2"),
            ("../../etc", "etc"),
            ("<script>", "script"),
            ("é" * 200, "e" * 60),
            ("日本", ""),
        ],
    )
    def test_the_end_of_address_is_normalised(self, typed, kept):
        assert normaliser(typed) == kept

    def test_opened_then_changed_by_who_reads_the_last_version_only(self, session, school):
        page = self.save(session, school)
        assert (page.version, page_publique.adresse_of(session, school.id)) == (1, "college-de-l-oeuvre")
        self.save(session, school, 1, accroche="Bienvenue")
        with pytest.raises(ConflictError):
            self.save(session, school, 1, active=False)
        assert acts(session) == ["page_publique.enregistrer"] * 2

    def test_what_changes_nothing_writes_nothing(self, session, school):
        self.save(session, school)
        assert self.save(session, school, 1).version == 1
        assert acts(session) == ["page_publique.enregistrer"]

    def test_a_taken_address_is_refused_with_a_free_one_that_works(self, session, school):
        self.save(session, school)
        other = Etablissement(uai="0370002B", nom="Collège", commune="Blois", nom_recherche="x")
        session.add(other)
        session.flush()
        with pytest.raises(RuleViolationError) as refused:
            self.save(session, other)
        assert refused.value.field == "adresse"
        free = re.findall(r"« (\S+) »", refused.value.message)[-1]
        self.save(session, other, adresse=free)
        assert page_publique.adresse_of(session, other.id) == free != "college-de-l-oeuvre"

    def test_the_address_left_is_kept_from_others_for_a_while_then_free(self, session, school):
        self.save(session, school)
        self.save(session, school, 1, adresse="oeuvre")
        other = Etablissement(uai="0370002B", nom="Autre", nom_recherche="x")
        session.add(other)
        session.flush()
        with pytest.raises(RuleViolationError):
            self.save(session, other)
        left = session.scalars(select(AdressePage).where(AdressePage.quittee_le.is_not(None))).one()
        left.quittee_le = now() - REDIRIGEE
        session.flush()
        self.save(session, other)
        assert page_publique.adresse_of(session, other.id) == "college-de-l-oeuvre"

    def test_names_are_not_piled_up_by_leaving_them(self, session, school, monkeypatch):
        monkeypatch.setattr(page_publique, "MOST_LEFT", 1)
        for version, adresse in enumerate(("un-nom", "deux-noms")):
            self.save(session, school, version, adresse=adresse)
        with pytest.raises(RuleViolationError, match="revenez") as refused:
            self.save(session, school, 2, adresse="trois-noms")
        assert refused.value.field == "adresse"
        assert self.save(session, school, 2, adresse="un-nom").version == 3

    def test_one_may_come_back_to_an_address_one_left(self, session, school):
        for version, adresse in enumerate(("oeuvre", "autre", "oeuvre")):
            self.save(session, school, version, adresse=adresse)
        assert page_publique.adresse_of(session, school.id) == "oeuvre"
        assert len(session.scalars(select(AdressePage.id)).all()) == 2

    @pytest.mark.parametrize(
        ("more", "field"),
        [({"adresse": "é"}, "adresse"), ({"adresse": "admin"}, "adresse"), ({"modele": "x"}, "modele")],
    )
    def test_refused_on_its_field(self, session, school, more, field):
        with pytest.raises(RuleViolationError) as refused:
            self.save(session, school, **more)
        assert refused.value.field == field

    def test_services_named_are_those_offered(self, session, school, catalogue):
        ids = dict(session.execute(select(Service.code, Service.id)).all())
        self.save(session, school, services=frozenset({ids["forum"], 999_999}))
        assert page_publique.services_of_page(session, school.id) == {ids["forum"]}
        self.save(session, school, 1, services=frozenset({ids["blog"]}))
        line = session.scalars(select(Journal).order_by(Journal.id.desc())).first()
        assert (line.avant["services"], line.apres["services"]) == (["Forum"], ["Blog"])


class TestBlocs:
    def write(self, session, school, titre="Inscriptions", texte="Le **5 juin**."):
        values = {"titre": titre, "texte": texte, "visible": True, "acteur": CLAIRE}
        return blocs.creer(session, school.id, **values)

    def change(self, session, row, texte, version, titre="Inscriptions", visible=True):
        values = {"titre": titre, "texte": texte, "visible": visible, "version": version}
        blocs.modifier(session, row, **values, acteur=CLAIRE)

    def test_every_version_is_kept_and_can_be_taken_up_again(self, session, school):
        row = self.write(session, school)
        self.change(session, row, "Le **6 juin**.", 1)
        assert "<strong>6 juin</strong>" in row.rendu
        blocs.reprendre(session, row, 1, acteur=CLAIRE)
        assert (row.texte, row.version) == ("Le **5 juin**.", 3)
        kept = session.scalars(select(VersionBloc.texte).order_by(VersionBloc.numero)).all()
        assert kept == ["Le **5 juin**.", "Le **6 juin**.", "Le **5 juin**."]
        with pytest.raises(NotFoundError):
            blocs.reprendre(session, row, 99, acteur=CLAIRE)

    def test_who_read_an_older_version_overwrites_nothing(self, session, school):
        row = self.write(session, school)
        self.change(session, row, "Ici", 1)
        with pytest.raises(ConflictError):
            self.change(session, row, "Là", 1)
        assert row.texte == "Ici"

    def test_what_it_shows_moves_the_revision_of_the_page(self, session, school):
        page = page_publique.enregistrer(session, school, choix(), version=0, acteur=CLAIRE)
        seen = [page.revision]

        def moved():
            session.refresh(page)
            seen.append(page.revision)
            return seen[-1] > seen[-2]

        row = self.write(session, school)
        assert moved()
        self.change(session, row, "Ici", 1)
        assert moved()
        other = self.write(session, school, "Autre")
        assert moved()
        blocs.ordonner(session, school.id, [other.id], acteur=CLAIRE)
        assert moved()
        blocs.supprimer(session, row, acteur=CLAIRE)
        assert moved()
        blocs.remettre(session, row, acteur=CLAIRE)
        assert moved()
        assert session.scalars(select(PagePublique.version)).one() == 1

    def test_what_no_screen_shows_is_taken_out(self, session, school):
        row = self.write(session, school, texte="\u202ea\u00adb\x00c\r\n\td\u200b")
        assert row.texte == "abc\n    d"

    def test_refused_and_full(self, session, school, monkeypatch):
        for titre, texte, field in ((" ", "x", "titre"), ("x", "a" * 20_001, "texte")):
            with pytest.raises(RuleViolationError) as refused:
                self.write(session, school, titre, texte)
            assert refused.value.field == field
        monkeypatch.setattr(blocs, "MOST", 1)
        self.write(session, school)
        with pytest.raises(RuleViolationError, match="au plus"):
            self.write(session, school)
        assert len(session.scalars(select(Bloc.id)).all()) == 1


class TestMarkdown:
    def test_what_people_write_is_rendered_under_the_heading_of_the_block(self):
        html = render("# Titre\n\n- un\n- [deux](https://exemple.fr)\n\n| a |\n|---|\n| b |")
        assert "<h3>Titre</h3>" in html
        assert '<a href="https://exemple.fr" rel="noopener noreferrer">deux</a>' in html
        assert "<td>b</td>" in html

    @pytest.mark.parametrize("text", ["# A\n\n### B\n\n# C", "## A\n\n#### B\n\n## C"])
    def test_no_level_of_heading_is_skipped(self, text):
        html = render(text)
        assert [html.count(f"<h{level}>") for level in (3, 4, 5)] == [2, 1, 0]

    @pytest.mark.parametrize(
        "text",
        [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[x](javascript:alert(1))",
            "[x](data:text/html,<script>)",
            "![x](https://mouchard.exemple/p.png)",
            "![x](/media/../connexion)",
            "<svg/onload=alert(1)>",
            '[x](https://a.fr "\\" onmouseover=alert(1) x=\\"")',
            "<iframe src=//a.fr>",
        ],
    )
    def test_nothing_runs_and_nothing_is_loaded_from_elsewhere(self, text):
        from bs4 import BeautifulSoup

        soup = BeautifulSoup(render(text), "html.parser")
        assert {tag.name for tag in soup.find_all(True)} <= {"p", "a", "img"}
        for tag in soup.find_all(True):
            assert set(tag.attrs) <= {"href", "title", "rel", "src", "alt", "loading"}
            assert not str(tag.get("href", "https:")).startswith(("javascript", "data"))
            assert tag.get("src") is None

    @pytest.mark.parametrize(
        "text",
        [
            "[a]: https://exemple.fr/" + "b" * 9_000 + "\n\n" + "[a] " * 2_500,
            ("|a" * 100 + "\n" + "|-" * 100 + "\n" + "a\n" * 200 + "\n") * 20,
            "> " + "|a" * 100 + "\n> " + "|-" * 100 + "\n" + "> a\n" * 4_000,
        ],
    )
    def test_a_few_lines_do_not_make_megabytes(self, session, school, text):
        began = time.monotonic()
        assert len(render(text[: blocs.LONGEST])) < 300_000
        assert time.monotonic() - began < 2
        with pytest.raises(RuleViolationError, match="trop lourde") as refused:
            blocs.creer(
                session, school.id, titre="x", texte=text[: blocs.LONGEST], visible=True, acteur=CLAIRE
            )
        assert refused.value.field == "texte"

    @pytest.mark.parametrize(
        "mark", ["[", "![", "*a **b ", "`a``", "<a", "[a](<b", "- ", "> ", "_a__", "\\", "&#1;", "~~a", "|-"]
    )
    def test_marks_without_end_are_drawn_at_once(self, mark):
        began = time.monotonic()
        render((mark * blocs.LONGEST)[: blocs.LONGEST])
        assert time.monotonic() - began < 2

    def test_a_table_people_write_is_drawn(self):
        assert render("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 100).count("<td>") == 200

    def test_a_picture_of_ours_stays(self):
        address = f"/media/{'a' * 64}"
        assert f'src="{address}"' in render(f"![La cour]({address})")
