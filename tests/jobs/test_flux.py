"""Feeds read in the background: when their time comes, never breaking anything, and told when broken."""

from __future__ import annotations

import threading
from datetime import timedelta

import feedparser
import pytest
from sqlalchemy import select

from app.extensions import now
from app.jobs import flux as job
from app.models import Bloc, Breve, Etablissement, Flux, Image, Journal, Logo
from app.operations import flux, services
from app.operations.flux import Article, Lecture
from app.operations.saisies import Actor
from tests.imports.test_syndication import RSS, item
from tests.support.site import serving

CLAIRE = Actor("Claire")


@pytest.fixture
def site(app):
    app.extensions["reglages"].reseaux_permis = "127.0.0.1/32"
    with serving() as running:
        yield running


@pytest.fixture
def school(session, catalogue):
    row = Etablissement(uai="0370001A", nom="Collège", nom_recherche="college")
    session.add(row)
    session.flush()
    services.basculer(session, row.id, "breves", True, acteur=CLAIRE)
    return row.id


def add(session, school, url):
    lu = Lecture("Ancien", [Article("a", "Ancienne nouvelle", None, "", None)], '"1"')
    row = flux.ajouter(session, school, url, lu, acteur=CLAIRE)
    row.prochaine_lecture = now() - timedelta(minutes=1)
    session.commit()
    return row


def titles(session):
    session.expire_all()
    return session.scalars(select(Breve.titre).order_by(Breve.rang)).all()


class TestRound:
    def test_a_feed_is_read_once_in_its_time(self, app, session, school, site):
        row = add(session, school, site.url("/f"))
        site.pages["/f"] = (200, {"ETag": '"2"'}, RSS.format(item() + item("Autre", guid="2")).encode())
        assert job.due(app) == 1
        assert titles(session) == ["Sortie au musée", "Autre"]
        assert (row.titre, row.etag) == ("Le Journal", '"2"')
        assert job.due(app) == 0
        assert [headers["If-None-Match"] for _m, _p, headers in site.asked] == ['"1"']

    def test_one_address_of_many_schools_is_called_once(self, app, session, school, site):
        other = Etablissement(uai="0370002B", nom="Autre", nom_recherche="autre")
        session.add(other)
        session.flush()
        services.basculer(session, other.id, "breves", True, acteur=CLAIRE)
        for id_ in (school, other.id):
            add(session, id_, site.url("/f"))
        site.pages["/f"] = (200, {}, RSS.format(item()).encode())
        assert job.due(app) == 2
        assert len(site.asked) == 1

    def test_a_broken_feed_keeps_what_it_said_and_is_tried_less_and_less(self, app, session, school, site):
        row = add(session, school, site.url("/f"))
        waits = []
        for _ in range(3):
            row.prochaine_lecture = now() - timedelta(seconds=1)
            session.commit()
            job.due(app)
            session.refresh(row)
            waits.append(row.prochaine_lecture - now())
        assert titles(session) == ["Ancienne nouvelle"]
        assert waits == sorted(waits)
        assert (row.echecs, "404" in row.panne) == (3, True)
        assert row.en_panne_depuis is not None
        lines = session.scalars(select(Journal.acte).where(Journal.acte.like("flux.%"))).all()
        assert lines.count("flux.panne") == 1
        site.pages["/f"] = (200, {}, RSS.format(item()).encode())
        row.prochaine_lecture = now() - timedelta(seconds=1)
        session.commit()
        job.due(app)
        session.refresh(row)
        assert (row.echecs, row.en_panne_depuis, row.panne) == (0, None, None)
        assert titles(session) == ["Sortie au musée"]

    def test_a_feed_that_trips_its_reader_leaves_the_others_alone(
        self, app, session, school, site, monkeypatch
    ):
        real = feedparser.parse

        def trips(stream, **more):
            if b"piege" in stream.getvalue():
                raise RuntimeError("bug")
            return real(stream, **more)

        monkeypatch.setattr(feedparser, "parse", trips)
        rows = [add(session, school, site.url(f"/{name}")) for name in ("f", "piege")]
        for name in ("f", "piege"):
            site.pages[f"/{name}"] = (200, {}, RSS.format(item(text=name)).encode())
        assert job.due(app) == 2
        for row in rows:
            session.refresh(row)
        assert [row.panne for row in rows] == [None, job.TRIPPED]

    def test_off_or_taken_off_it_is_not_called(self, app, session, school, site):
        row = add(session, school, site.url("/f"))
        flux.supprimer(session, row, acteur=CLAIRE)
        add(session, school, site.url("/g"))
        services.basculer(session, school, "breves", False, acteur=CLAIRE)
        session.commit()
        assert job.due(app) == 0
        assert site.asked == []

    def test_two_workers_share_the_feeds(self, app, session, school, site):
        for rank in range(4):
            add(session, school, site.url(f"/{rank}"))
            site.pages[f"/{rank}"] = (200, {}, RSS.format(item(guid=str(rank))).encode())
        session.close()
        counts = []
        workers = [threading.Thread(target=lambda: counts.append(job.due(app))) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sum(counts) == 4
        assert len(site.asked) == 4


class TestPurge:
    def test_a_picture_off_every_page_stops_answering(self, app, session, school):
        sides = dict.fromkeys(("largeur", "hauteur", "taille"), 1)
        for name in "abc":
            image = Image(
                etablissement_id=school, empreinte=name * 64, type="image/webp", contenu=b"x", **sides,
                cree_le=now() - timedelta(days=0 if name == "c" else 2),
            )  # fmt: skip
            session.add(image)
        session.add(Bloc(etablissement_id=school, titre="x", texte=f"![x](/media/{'a' * 64})", rendu=""))
        session.commit()
        assert app.test_client().get(f"/media/{'b' * 64}").status_code == 200
        session.rollback()
        assert job.purge(app) == 1
        assert [app.test_client().get(f"/media/{name * 64}").status_code for name in "abc"] == [200, 404, 200]

    def test_what_was_taken_off_a_month_ago_goes_and_the_rest_stays(self, app, session, school):
        sides = dict.fromkeys(("largeur", "hauteur", "taille"), 1)
        image = Image(etablissement_id=school, empreinte="0" * 64, type="image/webp", contenu=b"x", **sides)
        session.add(image)
        session.flush()
        for days in (None, 2, 31):
            gone = None if days is None else now() - timedelta(days=days)
            values = {"page": "accueil", "image_id": image.id, "texte": str(days), "supprime_le": gone}
            session.add(Logo(etablissement_id=school, **values))
        session.commit()
        assert job.purge(app) == 1
        session.expire_all()
        assert sorted(session.scalars(select(Logo.texte))) == ["2", "None"]
        assert session.scalars(select(Flux.id)).all() == []
