"""AAF, SIECLE and STS of one school say the same people: nobody twice, nothing emptied, undone exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from app.exports.fictif import Options, generate
from app.imports import open_sources
from app.models import Ecart, Personne
from app.operations import alimentation as engine
from app.operations.alimentation.champs import IDENTITE
from tests.operations.alimentation.support import annuler, apercu, appliquer, photo

GRAINE = 7


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One académie of three schools, as AAF and as each school's SIECLE and STS files."""
    folder = tmp_path_factory.mktemp("exports")
    for format_ in ("aaf", "siecle"):
        generate(folder / format_, Options(3, 90, GRAINE, format_))
    return folder


def sources(exports: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """The files of the académie in AAF, then those of its first school in SIECLE, then in STS."""
    school = min(path for path in (exports / "siecle").iterdir() if path.name != "sts")
    sts = next((exports / "siecle" / "sts").glob(f"*{school.name}*"))
    return list((exports / "aaf").iterdir()), sorted(school.iterdir()), [sts]


def lire(session, paths):
    with open_sources(paths) as source:
        return apercu(session, list(source.objets()), source.entete)


def alimenter(session, paths):
    feed = lire(session, paths)
    appliquer(session, feed)
    return feed


def changed(session, feed):
    """Kind of object → the fields a person would read as changed, with what they were before."""
    found = {}
    for row in session.scalars(
        select(Ecart).where(
            Ecart.alimentation_id == feed.id,
            Ecart.nature != "anomalie",
            Ecart.code.is_distinct_from("reconnu"),
        )
    ):
        found.setdefault(row.objet, []).append((row.nature, row.avant or {}, row.apres or {}))
    return found


def album(session):
    """Everything the base says of people, their places and their schools, keys of sources included."""
    columns = ", ".join(f"CAST(p.{name} AS VARCHAR)" for name in IDENTITE)
    queries = {
        "identite": f"SELECT p.login, {columns}, p.source FROM personne p",
        "places": "SELECT p.login, e.uai, r.profil, r.source, r.fin IS NULL, r.regime, d.code"
        " FROM rattachement r JOIN personne p ON p.id = r.personne_id"
        " JOIN etablissement e ON e.id = r.etablissement_id"
        " LEFT JOIN division d ON d.id = r.division_id",
        "liens": "SELECT a.login, b.login, l.code_parente, l.niveau, l.financier, l.contact, l.paiement,"
        " l.source FROM responsabilite l JOIN personne a ON a.id = l.eleve_id"
        " JOIN personne b ON b.id = l.responsable_id",
        "cles": "SELECT espace, objet, cle, presente, champs FROM fiche_source",
        "classes": "SELECT e.uai, d.code, d.libelle, d.active, m.code FROM division d"
        " JOIN etablissement e ON e.id = d.etablissement_id LEFT JOIN division_mef x ON x.division_id = d.id"
        " LEFT JOIN mef m ON m.id = x.mef_id",
        "matieres": "SELECT code, libelle, libelle_court FROM matiere",
        "ecoles": "SELECT uai, nom, telephone, adresse, email, code_nature FROM etablissement",
    }
    pages = {
        name: sorted((tuple(row) for row in session.connection().execute(text(sql))), key=repr)
        for name, sql in queries.items()
    }
    kept = ("identifiant", "groupes", "services", "fonctions", "principal")
    return pages | {name: rows for name, rows in photo(session).items() if name in kept}


class TestSiecleAfterAaf:
    def test_creates_nobody_and_changes_only_what_aaf_leaves_out(self, session, exports):
        aaf, siecle, _sts = sources(exports)
        alimenter(session, aaf)
        people = session.scalar(select(func.count(Personne.id)))
        feed = lire(session, siecle)
        assert {kind: counts["crees"] for kind, counts in feed.comptes.items() if counts["crees"]} == {}
        assert engine.total(feed.comptes)["anomalies"] == 0
        differences = changed(session, feed)
        assert set(differences) <= {"eleve", "matiere"}  # nor guardians, links, classes, groups, MEF
        for _nature, before, after in (line for lines in differences.values() for line in lines):
            assert set(after) <= {"sexe", "mef", "regime", "libelle_court"}
            assert set(before.values()) == {None}
        assert feed.comptes["responsable"]["reconnus"] > 20
        assert feed.comptes["lien"]["reconnus"] > 20
        appliquer(session, feed)
        assert session.scalar(select(func.count(Personne.id))) == people

    def test_then_the_same_files_say_nothing_new(self, session, exports):
        aaf, siecle, sts = sources(exports)
        for paths in (aaf, siecle, sts):
            alimenter(session, paths)
        for paths in (aaf, siecle, sts):
            counts = engine.total(lire(session, paths).comptes)
            assert {
                name: n
                for name, n in counts.items()
                if n and name not in {"inchanges", "ecartes", "anomalies"}
            } == {}

    def test_undone_it_leaves_the_base_as_aaf_made_it(self, session, exports):
        aaf, siecle, _sts = sources(exports)
        alimenter(session, aaf)
        before = album(session)
        feed = alimenter(session, siecle)
        assert album(session) != before
        annuler(session, feed)
        after = album(session)
        for page, rows in before.items():
            assert after[page] == rows, page

    def test_the_second_school_finds_the_siblings_parents(self, session, exports):
        aaf, _siecle, _sts = sources(exports)
        schools = sorted(path for path in (exports / "siecle").iterdir() if path.name != "sts")
        alimenter(session, aaf)
        people = session.scalar(select(func.count(Personne.id)))
        for school in schools:
            alimenter(session, sorted(school.iterdir()))
        assert session.scalar(select(func.count(Personne.id))) == people


class TestStsAfterAaf:
    def test_staff_is_recognised_and_keeps_its_disciplines(self, session, exports):
        aaf, _siecle, sts = sources(exports)
        alimenter(session, aaf)
        before = album(session)
        feed = lire(session, sts)
        assert feed.comptes["personnel"]["crees"] == 0
        differences = changed(session, feed)
        assert set(differences) <= {"personnel", "matiere"}
        assert {name for _n, _before, after in differences["personnel"] for name in after} == {"sexe", "sts"}
        appliquer(session, feed)
        after = album(session)
        for page in ("places", "fonctions", "services", "principal", "classes", "ecoles"):
            assert after[page] == before[page], page


class TestAafAfterSiecle:
    def test_creates_no_guardian_of_the_school_twice(self, session, exports):
        aaf, siecle, _sts = sources(exports)
        alimenter(session, siecle)
        known = session.scalar(select(func.count(Personne.id)))
        feed = alimenter(session, aaf)
        twice = session.execute(
            text(
                "SELECT p.nom, p.prenom FROM responsabilite l JOIN personne p ON p.id = l.responsable_id"
                " GROUP BY l.eleve_id, p.nom, p.prenom HAVING COUNT(*) > 1"
            )
        ).all()
        assert twice == []
        assert feed.comptes["responsable"]["reconnus"] + feed.comptes["responsable"]["modifies"] > 20
        assert session.scalar(select(func.count(Personne.id))) > known

    def test_undone_it_leaves_the_people_as_siecle_made_them(self, session, exports):
        aaf, siecle, sts = sources(exports)
        for paths in (siecle, sts):
            alimenter(session, paths)
        before = album(session)
        annuler(session, alimenter(session, aaf))
        after = album(session)
        for page in ("identite", "liens", "identifiant", "groupes", "services", "fonctions", "principal"):
            assert after[page] == before[page], page
        opened = {row for row in after["places"] if row[4]}
        assert opened == set(before["places"])
