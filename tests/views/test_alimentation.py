"""«Alimentation»: what each person sees of a feed, puts down, applies, drops, undoes."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.exports.fictif import Options, generate
from app.extensions import now
from app.jobs.runner import run
from app.models import Alimentation, AlimentationEtablissement, Ecart, Personne, Tache
from app.operations import demandes_alimentation as demandes
from app.operations import uploads
from app.operations.saisies import Actor
from tests.views.conftest import post, rows, soup

BUDGET = 10  # the frame reads the choices of look in one


@pytest.fixture
def feed(session, ecoles):
    """A preview of one académie-wide feed: school A and school B, one blocked by its departures."""
    row = Alimentation(source="aaf", cle_portee="aaf:19", academie_id=ecoles.academie_a, etat="apercu")
    session.add(row)
    session.flush()
    lines = {}
    for letter in "ab":
        school = getattr(ecoles, f"ecole_{letter}")
        uai = f"0{'19' if letter == 'a' else '18'}0001{letter.upper()}"
        line = AlimentationEtablissement(
            alimentation_id=row.id, etablissement_id=school, uai=uai, nom=f"Collège {letter.upper()}",
            comptes={"eleve": {"crees": 1, "modifies": 1, "departs": 7}}, depart_bloque=letter == "a",
        )  # fmt: skip
        session.add(line)
        session.flush()
        lines[letter] = line.id
        common = {"alimentation_id": row.id, "etablissement_id": school, "uai": uai, "objet": "eleve"}
        session.add_all(
            [
                Ecart(**common, nature="cree", cle="1", libelle=f"NEUF {letter} – 01/01/2014", ligne=12),
                Ecart(
                    **common, nature="modifie", cle="2", libelle=f"CHANGE {letter}", ligne=1204,
                    avant={"division": "4A"}, apres={"division": "4B"},
                    code="champ_garde", message="Saisi à la main, gardé : email.",
                ),
                Ecart(
                    **common, nature="anomalie", cle="3", libelle="=CMD()", code="nom_absent",
                    message="Nom absent.",
                ),
            ]
        )  # fmt: skip
    session.commit()
    return SimpleNamespace(id=row.id, lines=lines, url=f"/alimentations/{row.id}")


def tabs(answer):
    return {
        link.contents[0].strip(): link.select_one(".pr-pill").text
        for link in soup(answer).select(".pr-tabs a")
    }


class TestReading:
    def test_the_list_says_what_each_feed_is(self, admin, feed):
        (line,) = rows(admin.get("/alimentations/"))
        assert (line["Source"], line["État"]) == ("AAF", "À vérifier")

    def test_the_list_says_how_much_of_what_one_may_see(self, admin, session, sign_in, ecoles, feed):
        counts = {"eleve": {"crees": 2, "modifies": 2, "departs": 14, "inchanges": 900}}
        session.get_one(Alimentation, feed.id).comptes = counts
        session.commit()
        (line,) = rows(admin.get("/alimentations/"))
        assert (line["Portée"].startswith("Académie "), line["Changements"]) == (True, "18")
        (line,) = rows(sign_in("correspondant", etablissement_id=ecoles.ecole_a).get("/alimentations/"))
        assert line["Changements"] == "9"

    def test_the_list_costs_the_same_for_3_feeds_and_30(self, admin, session, ecoles, feed, statements):
        def more(count):
            for _ in range(count):
                row = Alimentation(source="aaf", cle_portee="aaf:19", academie_id=ecoles.academie_a)
                session.add(row)
                session.flush()
                line = {"etablissement_id": ecoles.ecole_a, "uai": "0190001A", "nom": "Collège A"}
                session.add(AlimentationEtablissement(alimentation_id=row.id, **line))
            session.commit()
            admin.get("/alimentations/")
            statements.clear()
            admin.get("/alimentations/")
            return len(statements)

        assert more(2) == more(27) <= BUDGET, "\n".join(statements)

    def test_applying_is_offered_before_the_table(self, admin, feed):
        button = soup(admin.get(feed.url)).select_one(".pr-head button.btn-primary")
        assert (button["form"], button.text) == ("appliquer", "Appliquer 4 changements…")

    def test_the_preview_says_what_will_change(self, admin, feed):
        page = admin.get(f"{feed.url}?onglet=modifies")
        assert tabs(page)["Modifiés"] == "2"
        first, kept = rows(page)[:2]
        assert first["Champ"] == "Classe"
        assert "4A" in first["Avant → après"]
        assert "4B" in first["Avant → après"]
        assert first["Décision"] == "Sera appliqué"
        assert (kept["Champ"], kept["Décision"]) == ("E-mail", "Gardé, saisi à la main")
        assert "plus que le seuil de 5" in soup(page).select_one(".pr-note").text

    def test_what_another_source_gave_is_recognised_not_changed(self, admin, session, feed):
        known = session.scalars(select(Ecart).where(Ecart.nature == "modifie").order_by(Ecart.id)).first()
        known.code, known.avant, known.apres = "reconnu", {"jointure": None}, {"jointure": "77"}
        session.commit()
        page = admin.get(f"{feed.url}?onglet=reconnus")
        assert (tabs(page)["Modifiés"], tabs(page)["Reconnus"]) == ("1", "1")
        assert "Déjà connu d’une autre source" in rows(page)[0]["Établissement"]
        changed = {row["Objet"] for row in rows(admin.get(f"{feed.url}?onglet=modifies"))}
        assert all("CHANGE b" in title for title in changed)

    def test_filters_stay_in_the_address(self, admin, feed):
        page = admin.get(f"{feed.url}?onglet=crees&uai=0190001A&nom=neuf")
        assert [line["Objet"].split(" –")[0] for line in rows(page)] == ["NEUF a"]
        assert rows(admin.get(f"{feed.url}?onglet=crees&nom=zzz"))[:1] != rows(page)[:1]

    def test_pages_go_by_key(self, admin, session, feed):
        session.add_all(
            Ecart(
                alimentation_id=feed.id,
                uai="0190001A",
                nature="cree",
                objet="eleve",
                cle=f"k{n}",
                libelle=f"X{n}",
            )
            for n in range(60)
        )
        session.commit()
        page = admin.get(f"{feed.url}?onglet=crees")
        following = soup(page).select_one("nav.pr-pager a[href*=apres]")["href"]
        seen = [line["Objet"] for line in [*rows(page), *rows(admin.get(following))] if "État" not in line]
        assert len([name for name in seen if name.startswith("X")]) == 60

    def test_statements_are_few_and_flat(self, admin, session, feed, statements):
        admin.get(feed.url)
        statements.clear()
        admin.get(f"{feed.url}?onglet=crees")
        few = len(statements)
        session.add_all(
            Ecart(
                alimentation_id=feed.id,
                uai="0190001A",
                nature="cree",
                objet="eleve",
                cle=f"k{n}",
                libelle=f"X{n}",
            )
            for n in range(30)
        )
        session.commit()
        statements.clear()
        admin.get(f"{feed.url}?onglet=crees")
        assert len(statements) == few <= BUDGET, "\n".join(statements)

    @pytest.mark.parametrize(
        "arguments",
        [
            "onglet=x",
            "apres=-1",
            "apres=99999999999999999999",
            "uai=%00",
            "nom=%25_%27",
            "objet[]=1",
            "nom=" + "a" * 5000,
        ],
    )
    def test_hostile_arguments_are_tamed(self, admin, feed, arguments):
        assert admin.get(f"{feed.url}?{arguments}").status_code in {200, 400}
        assert admin.get(f"/alimentations/?{arguments}").status_code in {200, 400}

    def test_anomalies_in_csv_never_compute(self, admin, feed):
        text = admin.get(f"{feed.url}/anomalies.csv").get_data(as_text=True)
        assert text.count("Nom absent.") == 2
        assert "'=CMD()" in text


class TestPerimeter:
    def test_a_correspondent_sees_their_school_only(self, sign_in, ecoles, feed):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        page = client.get(f"{feed.url}?onglet=crees")
        assert tabs(page)["Créés"] == "1"
        assert "Collège B" not in page.get_data(as_text=True)
        assert "NEUF b" not in page.get_data(as_text=True)

    @pytest.mark.parametrize("suffix", ["", "/anomalies.csv", "/appliquer", "/abandonner", "/annuler"])
    def test_out_of_perimeter_is_absent(self, sign_in, session, ecoles, feed, suffix):
        row = Alimentation(
            source="siecle", cle_portee="siecle:b", etablissement_id=ecoles.ecole_b, etat="apercu"
        )
        session.add(row)
        session.commit()
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        for number in (row.id, 987654, 99999999999999):
            assert client.get(f"/alimentations/{number}{suffix}").status_code == 404

    def test_dropping_a_feed_of_several_schools_takes_all_of_them(self, sign_in, ecoles, feed):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        assert client.get(f"{feed.url}/abandonner").status_code == 404
        assert f"{feed.url}/abandonner" not in client.get(feed.url).get_data(as_text=True)

    def test_the_right_is_needed(self, sign_in, ecoles, feed):
        reader = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
        assert reader.get(feed.url).status_code == 200
        for page in (
            "/alimentations/nouvelle",
            f"{feed.url}/appliquer",
            f"{feed.url}/abandonner",
            f"{feed.url}/annuler",
        ):
            assert reader.get(page).status_code == 403
        assert sign_in("eleve").get("/alimentations/").status_code == 403


class TestDeposit:
    def test_the_files_wait_for_a_task_within_ones_limits(self, sign_in, session, app, ecoles):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        answer = post(client, "/alimentations/nouvelle", {"fichiers": (io.BytesIO(b"<BEE/>"), "Élèves.xml")})
        task = session.scalars(select(Tache)).one()
        assert answer.location.endswith(f"/alimentations/lectures/{task.id}")
        assert task.parametres["limites"] == {
            "tout": False,
            "academies": [],
            "etablissements": [ecoles.ecole_a],
        }
        assert task.parametres["fichiers"] == ["Élèves.xml"]

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [("virus.exe", b"x", "XML ou CSV"), ("vide.xml", b"", "est vide"), ("", b"", "au moins un fichier")],
    )
    def test_a_refusal_is_said_and_leaves_nothing(self, admin, session, app, name, content, said):
        answer = post(admin, "/alimentations/nouvelle", {"fichiers": (io.BytesIO(content), name)})
        assert answer.status_code == 200
        assert said in soup(answer).select_one(".pr-note[role=alert]").text
        assert session.scalars(select(Tache)).all() == []
        folder = Path(app.extensions["reglages"].dossier) / "depots"
        assert not folder.exists() or list(folder.iterdir()) == []

    def test_files_of_a_whole_academie_need_the_academie(self, sign_in, session, app, ecoles, tmp_path):
        (archive,) = generate(tmp_path / "f", Options(etablissements=1, eleves=20, graine=3)).fichiers
        waiting = Alimentation(source="aaf", cle_portee="aaf:18", etat="apercu")
        session.add(waiting)
        session.commit()
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        post(
            client, "/alimentations/nouvelle", {"fichiers": (io.BytesIO(archive.read_bytes()), archive.name)}
        )
        task_id = session.scalars(select(Tache.id)).one()
        session.commit()
        run(app, task_id)
        session.expire_all()
        task = session.get(Tache, task_id)
        assert task.etat == "echec"
        assert "toute une académie" in task.message
        assert waiting.etat == "apercu"

    def test_files_of_another_school_are_refused_by_the_worker(self, sign_in, session, app, ecoles, tmp_path):
        generate(tmp_path / "f", Options(etablissements=1, eleves=20, graine=3, format="siecle", zip=False))
        (folder,) = [path for path in (tmp_path / "f").iterdir() if path.is_dir() and path.name != "sts"]
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        files = [(io.BytesIO(path.read_bytes()), path.name) for path in sorted(folder.iterdir())]
        post(client, "/alimentations/nouvelle", {"fichiers": files})
        task_id = session.scalars(select(Tache.id)).one()
        session.commit()
        run(app, task_id)
        session.expire_all()
        task = session.get(Tache, task_id)
        assert (task.etat, session.scalars(select(Personne)).all()) == ("echec", [])
        assert "pas dans votre périmètre" in task.message
        assert "pas dans votre périmètre" in client.get(f"/alimentations/lectures/{task_id}").get_data(
            as_text=True
        )


class TestAnnuaire:
    HEADER = "Identifiant_de_l_etablissement;Nom_etablissement;Telephone"

    def test_previews_of_two_academies_live_side_by_side(self, session, app, ecoles):
        text = f"{self.HEADER}\n0190001A;Collège Un;0102030405\n0180001B;Collège Deux;0102030406\n".encode()
        folder = Path(app.extensions["reglages"].dossier) / "depots"
        for code in ("19", "18"):
            depot = uploads.store(folder, [("annuaire.csv", io.BytesIO(text))], max_bytes=10_000)
            limits = demandes.Limites(tout=False, academies=(code,))
            task_id = demandes.ask_reading(session, depot, limites=limits, acteur=Actor("A")).id
            session.commit()
            run(app, task_id)
        session.expire_all()
        feeds = session.scalars(select(Alimentation).order_by(Alimentation.id)).all()
        assert [(feed.etat, feed.cle_portee) for feed in feeds] == [
            ("apercu", "annuaire:19"),
            ("apercu", "annuaire:18"),
        ]
        staged = select(Ecart.uai).where(Ecart.alimentation_id == feeds[0].id, Ecart.nature != "anomalie")
        seen = set(session.scalars(staged))
        assert seen == {"0190001A"}


class TestApply:
    def test_departures_above_the_threshold_must_be_checked(self, admin, session, feed):
        post(admin, f"{feed.url}/appliquer")
        assert session.scalars(select(Tache)).all() == []
        assert "J’ai vérifié" in admin.get(feed.url).get_data(as_text=True)
        answer = post(admin, f"{feed.url}/appliquer", {"accepter_departs": "1"})
        task = session.scalars(select(Tache)).one()
        assert answer.location.endswith(f"{feed.url}/travaux/{task.id}")
        assert sorted(task.parametres["lignes"]) == sorted(feed.lines.values())
        assert task.parametres["accepter_departs"] is True

    def test_one_school_may_be_chosen(self, admin, session, feed):
        page = f"{feed.url}/appliquer?ligne={feed.lines['b']}"
        assert "Collège B" in soup(admin.get(page)).select_one("h1").text
        post(admin, page, action_url=f"{feed.url}/appliquer")
        assert session.scalars(select(Tache)).one().parametres["lignes"] == [feed.lines["b"]]

    def test_a_school_of_others_cannot_be_named(self, sign_in, session, ecoles, feed):
        client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
        post(client, f"{feed.url}/appliquer", {"ligne": str(feed.lines["b"]), "accepter_departs": "1"})
        assert session.scalars(select(Tache)).all() == []

    def test_the_second_to_apply_reads_who_was_first(self, admin, session, feed):
        row = session.get(Alimentation, feed.id)
        lines = session.scalars(select(AlimentationEtablissement)).all()
        demandes.ask_apply(session, row, lines, accepter_departs=True, acteur=Actor("Gwenaëlle Le Bihan"))
        session.commit()
        answer = post(admin, f"{feed.url}/appliquer", {"accepter_departs": "1"})
        assert answer.location.endswith(feed.url)
        assert len(session.scalars(select(Tache)).all()) == 1
        said = "Gwenaëlle Le Bihan a lancé l’application de cette alimentation"
        assert said in admin.get(feed.url).get_data(as_text=True)

    def test_an_applied_feed_is_not_applied_again(self, admin, session, feed):
        row = session.get(Alimentation, feed.id)
        row.etat, row.appliquee_le = "appliquee", now()
        session.commit()
        post(admin, f"{feed.url}/appliquer", {"accepter_departs": "1"})
        assert session.scalars(select(Tache)).all() == []
        assert "déjà appliquée" in admin.get(feed.url).get_data(as_text=True)


class TestDropAndUndo:
    def test_drop_asks_then_writes_nothing(self, admin, session, feed):
        assert "Abandonner l’alimentation" in soup(admin.get(f"{feed.url}/abandonner")).select_one("h1").text
        post(admin, f"{feed.url}/abandonner")
        session.expire_all()
        assert session.get(Alimentation, feed.id).etat == "abandonnee"

    def test_undo_says_what_will_happen_then_asks_the_worker(self, admin, session, feed):
        row = session.get(Alimentation, feed.id)
        row.etat, row.appliquee_le = "appliquee", now()
        session.commit()
        assert "2 modifications sont défaites" in admin.get(f"{feed.url}/annuler").get_data(as_text=True)
        post(admin, f"{feed.url}/annuler")
        assert session.scalars(select(Tache)).one().type == "alimentation.annuler"


def test_from_the_upload_to_the_people_and_back(admin, session, app, tmp_path):
    """Real files through the front door: preview, apply, see the people, undo."""
    (archive,) = generate(tmp_path / "f", Options(etablissements=1, eleves=25, graine=5)).fichiers
    post(admin, "/alimentations/nouvelle", {"fichiers": (io.BytesIO(archive.read_bytes()), archive.name)})
    session.commit()
    run(app, 1)
    feed = session.scalars(select(Alimentation)).one()
    assert feed.etat == "apercu"
    assert session.scalars(select(Personne)).all() == []
    assert admin.get("/alimentations/lectures/1").location.endswith(f"/alimentations/{feed.id}")
    post(admin, f"/alimentations/{feed.id}/appliquer")
    session.commit()
    run(app, 2)
    session.expire_all()
    assert feed.etat == "appliquee"
    present = select(Personne).where(Personne.supprime_le.is_(None))
    assert len(session.scalars(present).all()) > 25
    assert rows(admin.get("/referentiel/personnes/list/"))
    post(admin, f"/alimentations/{feed.id}/annuler")
    session.commit()
    run(app, 3)
    session.expire_all()
    assert feed.etat == "annulee"
    assert session.scalars(present).all() == []
