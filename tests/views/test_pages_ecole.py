"""«Pages» of a school in the console: logos, news of the net, public page, blocks and who writes them."""

from __future__ import annotations

import io
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import (
    Bloc,
    Breve,
    Compte,
    EditeurPage,
    Flux,
    Image,
    Journal,
    Logo,
    Personne,
    Rattachement,
    VersionBloc,
)
from app.operations import blocs, flux, images, services
from app.operations.flux import Article, Lecture
from app.operations.saisies import Actor
from app.operations.sessions import open_session
from app.security import lectures
from app.views.redaction import _difference
from tests.imports.test_syndication import RSS, item
from tests.operations.test_images import picture
from tests.support.site import serving
from tests.views.conftest import post, soup

A, B = "/etablissements/0190001A/pages", "/etablissements/0180001B/pages"
CLAIRE = Actor("Claire Montagné")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def correspondant(sign_in, session, ecoles):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    client.get(f"{A}/accueil")  # the visit is noted
    session.rollback()
    return client


@pytest.fixture
def editrice(app, session, ecoles):
    """A teacher of school A who writes its page, signed in, and her client."""
    person = Personne(nom="ROY", prenom="Anne", nom_recherche="roy anne", login="anne.roy")
    session.add(person)
    session.flush()
    place = Rattachement(personne_id=person.id, etablissement_id=ecoles.ecole_a, profil="enseignant")
    account = Compte(
        username="anne.roy", first_name="Anne", last_name="ROY", email="a@x.fr", active=True, password="",
        personne_id=person.id,
    )  # fmt: skip
    session.add_all([place, account, EditeurPage(personne_id=person.id, etablissement_id=ecoles.ecole_a)])
    session.flush()
    token = open_session(session, account)
    session.commit()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["jeton"] = token
    client.get(f"{A}/contenus")  # the visit is noted
    session.rollback()
    return SimpleNamespace(client=client, personne_id=person.id, compte_id=account.id, place=place)


def image(name="logo.png", content=None):
    return (io.BytesIO(content or picture("PNG")), name)


def read(session, *columns):
    """Read rows apart from what requests do: SQLite has one writer."""
    session.rollback()
    found = session.execute(select(*columns).order_by(columns[0].class_.id)).all()
    session.rollback()
    return [row[0] if len(columns) == 1 else tuple(row) for row in found]


def told(session):
    return read(session, Journal.acte)


class TestLogos:
    def add(self, client, page="accueil", contenu=None, **more):
        data = {
            "fichier": image(content=contenu),
            "texte": "Ville de Tours",
            "url": "tours.fr",
            "visible": "on",
            **more,
        }
        return post(client, f"{A}/{page}/logos/ajouter", {k: v for k, v in data.items() if v is not None})

    def test_added_seen_by_users_and_told(self, correspondant, session, ecoles):
        assert self.add(correspondant).status_code == 302
        page = soup(correspondant.get(f"{A}/accueil"))
        assert page.select_one(".pr-carte-logo strong").text == "Ville de Tours"
        assert page.select_one(".pr-accueil-ecole img")["alt"] == "Ville de Tours"
        assert told(session) == ["logo.ajouter"]

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            ({"contenu": b"bonjour"}, "PNG, JPEG"),
            ({"fichier": None}, "Choisissez un fichier"),
            ({"texte": " "}, "Dites ce que montre"),
            ({"url": "javascript:alert(1)"}, "adresse web complète"),
        ],
    )
    def test_refused_by_a_sentence_and_what_was_typed_kept(self, correspondant, session, more, sentence):
        answer = self.add(correspondant, **more)
        assert answer.status_code == 200
        page = soup(answer)
        assert sentence in page.select_one(".pr-error").text
        assert page.select_one("#f-url")["value"] == more.get("url", "tours.fr")
        assert read(session, Logo.id) == []

    def test_no_transaction_waits_for_the_pixels(self, correspondant, session, monkeypatch):
        real, waiting = images.refaire, []

        def watched(sent, **more):
            waiting.append(session.in_transaction())
            return real(sent, **more)

        monkeypatch.setattr(images, "refaire", watched)
        self.add(correspondant)
        assert waiting == [False]
        assert read(session, Logo.texte)

    def test_a_file_beyond_the_limit(self, correspondant, monkeypatch):
        monkeypatch.setattr(images, "MOST_BYTES", 1000)
        answer = self.add(correspondant, fichier=image(content=b"\x89PNG" + b"a" * 2000))
        assert "4 Mio" in soup(answer).select_one(".pr-error").text

    def test_ordered_by_arrows_and_by_hand(self, correspondant, session):
        for name in ("Un", "Deux", "Trois"):
            self.add(correspondant, texte=name, fichier=image(content=picture("PNG", (30 + len(name), 9))))
        ids = read(session, Logo.id)

        def order():
            return [
                one.text for one in soup(correspondant.get(f"{A}/accueil")).select(".pr-carte-logo strong")
            ]

        post(correspondant, f"{A}/accueil", {"ordre": ids, "monter": ids[2]}, f"{A}/accueil/logos/ordre")
        assert order() == ["Un", "Trois", "Deux"]
        form = soup(correspondant.get(f"{A}/accueil")).select_one("main form[action$=ordre]")
        sent = {
            "csrf_token": form.select_one("[name=csrf_token]")["value"],
            "ordre": [ids[1], ids[0], ids[2]],
        }
        moved = correspondant.post(form["action"], data=sent, headers={"X-Requested-With": "fetch"})
        assert moved.status_code == 204
        assert order() == ["Deux", "Un", "Trois"]

    def test_taken_off_with_a_way_back(self, correspondant, session):
        self.add(correspondant)
        (pk,) = read(session, Logo.id)
        answer = post(correspondant, f"{A}/accueil", {}, f"{A}/logos/{pk}/supprimer")
        page = soup(correspondant.get(answer.location))
        assert "Ville de Tours" in page.select_one(".pr-note[role=status]").text
        assert not page.select(".pr-carte-logo")
        back = page.select_one("form.pr-note")["action"]
        assert post(correspondant, answer.location, {}, back).status_code == 302
        assert soup(correspondant.get(f"{A}/accueil")).select(".pr-carte-logo")
        assert told(session)[-2:] == ["logo.supprimer", "logo.remettre"]

    def test_names_are_inert(self, correspondant):
        self.add(correspondant, texte=HOSTILE)
        assert not soup(correspondant.get(f"{A}/accueil")).select("[onerror]")

    def test_a_logo_of_another_school_is_not_found(self, correspondant, session, ecoles):
        sides = dict.fromkeys(("largeur", "hauteur", "taille"), 1)
        here = {"etablissement_id": ecoles.ecole_b}
        shown = Image(empreinte="0" * 64, type="image/webp", contenu=b"x", **sides, **here)
        session.add(shown)
        session.flush()
        row = Logo(page="accueil", image_id=shown.id, texte="B", **here)
        session.add(row)
        session.commit()
        pk = row.id
        assert correspondant.get(f"{A}/logos/{pk}").status_code == 404
        assert correspondant.get(f"{B}/accueil").status_code == 404


class TestBreves:
    @pytest.fixture
    def site(self, app):
        app.extensions["reglages"].reseaux_permis = "127.0.0.1/32"
        with serving() as running:
            yield running

    def test_switched_on_read_then_shown_to_the_people_of_the_school(
        self, correspondant, editrice, session, catalogue, site
    ):
        site.pages["/f"] = (200, {}, RSS.format(item(HOSTILE.replace("<", "&lt;") + "Sortie")).encode())
        assert "inactif" in soup(correspondant.get(f"{A}/breves")).text
        post(correspondant, f"{A}/breves", {"actif": "oui"}, f"{A}/breves/service")
        answer = post(correspondant, f"{A}/breves", {"url": site.url("/f")}, f"{A}/breves/ajouter")
        assert answer.status_code == 302
        home = soup(editrice.client.get("/"))
        assert "Sortie" in home.select_one(".pr-breves a").text
        assert not home.select("[onerror]")
        assert told(session)[-2:] == ["service.activer", "flux.ajouter"]

    def test_what_is_no_feed_is_not_added(self, correspondant, session, catalogue, site):
        site.pages["/f"] = (200, {}, b"<html></html>")
        for url, sentence in (
            (site.url("/f"), "RSS ou Atom"),
            (site.url("/rien"), "404"),
            ("http://169.254.169.254/latest", "Aucun serveur public"),
            ("file:///etc/passwd", "adresse web complète"),
        ):
            answer = post(correspondant, f"{A}/breves", {"url": url}, f"{A}/breves/ajouter")
            page = soup(answer)
            assert sentence in page.select_one("#f-url-erreur").text
            assert page.select_one("#f-url")["value"] == url
        assert read(session, Flux.id) == []

    def test_a_broken_feed_says_since_when_and_breaks_nothing(
        self, correspondant, editrice, session, ecoles, catalogue, site
    ):
        services.basculer(session, ecoles.ecole_a, "breves", True, acteur=CLAIRE)
        lu = Lecture("Le Journal", [Article("1", "Nouvelle", "https://exemple.fr/1", "", now())])
        pk = flux.ajouter(session, ecoles.ecole_a, site.url("/f"), lu, acteur=CLAIRE).id
        session.commit()
        post(correspondant, f"{A}/breves", {}, f"{A}/breves/{pk}/relire")
        page = soup(correspondant.get(f"{A}/breves"))
        assert "En panne depuis le" in page.select_one(".pr-flux").text
        assert "Nouvelle" in soup(editrice.client.get("/")).text
        site.pages["/f"] = (200, {}, RSS.format(item()).encode())
        post(correspondant, f"{A}/breves", {}, f"{A}/breves/{pk}/relire")
        assert "En panne" not in soup(correspondant.get(f"{A}/breves")).select_one(".pr-flux").text
        assert read(session, Breve.titre) == ["Sortie au musée"]

    def test_too_many_readings_wait_and_accuse_no_feed(
        self, correspondant, session, ecoles, catalogue, site, monkeypatch
    ):
        monkeypatch.setattr(lectures, "LIBRES", -5)
        pk = flux.ajouter(session, ecoles.ecole_a, site.url("/f"), Lecture("J", []), acteur=CLAIRE).id
        session.commit()
        typed = {"url": site.url("/rien")}
        assert "404" in soup(post(correspondant, f"{A}/breves", typed, f"{A}/breves/ajouter")).text
        again = soup(post(correspondant, f"{A}/breves", typed, f"{A}/breves/ajouter"))
        assert "Recommencez dans" in again.select_one("#f-url-erreur").text
        post(correspondant, f"{A}/breves", {}, f"{A}/breves/{pk}/relire")
        assert read(session, Flux.panne) == [None]
        assert [path for _m, path, _h in site.asked] == ["/rien"]

    def test_taken_off_and_put_back(self, correspondant, session, ecoles, catalogue, site):
        lu = Lecture("Le Journal", [])
        pk = flux.ajouter(session, ecoles.ecole_a, site.url("/f"), lu, acteur=CLAIRE).id
        session.commit()
        answer = post(correspondant, f"{A}/breves", {}, f"{A}/breves/{pk}/supprimer")
        page = soup(correspondant.get(answer.location))
        assert "Le Journal" in page.select_one("form.pr-note").text
        post(correspondant, answer.location, {}, page.select_one("form.pr-note")["action"])
        assert "Le Journal" in soup(correspondant.get(f"{A}/breves")).select_one(".pr-flux").text


class TestReglages:
    FORM = {"active": "on", "adresse": "Collège A !", "modele": "journal", "entete": "on", "accroche": "Ici"}

    def test_saved_then_open_to_anybody(self, correspondant, app, session):
        assert post(correspondant, f"{A}/publique", self.FORM).status_code == 302
        assert app.test_client().get("/p/college-a").status_code == 200
        page = soup(correspondant.get(f"{A}/publique"))
        assert page.select_one("#f-adresse")["value"] == "college-a"
        assert told(session) == ["page_publique.enregistrer"]

    def test_refused_keeps_what_was_typed(self, correspondant, app, session):
        answer = post(correspondant, f"{A}/publique", {**self.FORM, "adresse": "é"})
        page = soup(answer)
        assert answer.status_code == 200
        assert page.select_one("#f-adresse")["value"] == "é"
        assert page.select_one("#f-accroche")["value"] == "Ici"
        assert page.select_one("#f-adresse-erreur")

    def test_two_at_once_409_with_what_changed_and_nothing_lost(self, correspondant, session):
        seen = soup(correspondant.get(f"{A}/publique")).select_one("#reglages")
        hidden = {one["name"]: one.get("value", "") for one in seen.select("input[type=hidden]")}
        post(correspondant, f"{A}/publique", {**self.FORM, "accroche": "Premier"})
        late = correspondant.post(f"{A}/publique", data={**hidden, **self.FORM, "accroche": "Second"})
        page = soup(late)
        assert late.status_code == 409
        assert page.select_one("#f-accroche")["value"] == "Second"
        assert "Premier" in page.select_one("#f-accroche-garde").text
        again = {one["name"]: one.get("value", "") for one in page.select("#reglages input[type=hidden]")}
        saved = correspondant.post(f"{A}/publique", data={**again, **self.FORM, "accroche": "Second"})
        assert saved.status_code == 302

    def test_the_head_reads_and_does_not_write(self, sign_in, ecoles):
        head = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
        page = soup(head.get(f"{A}/publique"))
        assert not page.select("#reglages button[type=submit]")
        token = soup(head.get("/mon-espace/")).select_one("[name=csrf_token]")["value"]
        assert head.post(f"{A}/publique", data={**self.FORM, "csrf_token": token}).status_code == 403

    def test_an_editor_is_listed_then_taken_off(self, correspondant, editrice, session):
        page = soup(correspondant.get(f"{A}/publique"))
        assert "ROY Anne" in page.select_one("#editeurs").text
        url = f"{A}/publique/editeurs/{editrice.personne_id}/retirer"
        assert "Anne" in soup(correspondant.get(url)).select_one("h1").text
        assert post(correspondant, url).status_code == 302
        assert read(session, EditeurPage.id) == []
        assert editrice.client.get(f"{A}/contenus").status_code == 403


class TestEditors:
    def test_from_mon_espace_to_a_block_online(self, editrice, session, ecoles):
        link = soup(editrice.client.get("/mon-espace/")).select_one("a[href$=contenus]")
        assert link["href"] == f"{A}/contenus"
        assert editrice.client.get(link["href"]).status_code == 200
        answer = post(
            editrice.client, f"{A}/contenus/ajouter", {"titre": "Neuf", "texte": "**Oui**", "visible": "on"}
        )
        assert answer.status_code == 302
        assert "<strong>Oui</strong>" in read(session, Bloc.rendu)[0]
        assert read(session, VersionBloc.compte_id) == [editrice.compte_id]
        assert "Anne ROY" in soup(editrice.client.get(f"{A}/contenus")).text

    def test_of_that_school_only_and_nothing_else_of_it(self, editrice):
        assert editrice.client.get(f"{B}/contenus").status_code == 404
        for path in ("accueil", "publique", "breves"):
            assert editrice.client.get(f"{A}/{path}").status_code == 403
        for path in ("utilisateurs/eleves/", "journal/", "classes/"):
            assert editrice.client.get(f"/etablissements/0190001A/{path}").status_code == 403, path

    def test_gone_from_the_school_the_right_is_gone_at_once(self, editrice, session):
        assert editrice.client.get(f"{A}/contenus").status_code == 200
        session.get(Rattachement, editrice.place.id).fin = now()
        session.commit()
        assert editrice.client.get(f"{A}/contenus").status_code == 403

    @pytest.mark.parametrize(("day", "after"), [("dernier_jour", -1), ("debut", 1)])
    def test_before_the_first_day_and_after_the_last_one_there_is_no_right(
        self, editrice, session, day, after
    ):
        setattr(session.get(Rattachement, editrice.place.id), day, now().date() + timedelta(days=after))
        session.commit()
        assert editrice.client.get(f"{A}/contenus").status_code == 403
        assert not soup(editrice.client.get("/mon-espace/")).select("a[href$=contenus]")

    def test_a_teacher_nobody_named_is_refused(self, app, session, editrice):
        session.delete(session.scalars(select(EditeurPage)).one())
        session.commit()
        assert editrice.client.get(f"{A}/contenus").status_code == 403
        assert not soup(editrice.client.get("/mon-espace/")).select("a[href$=contenus]")


class TestBlocs:
    @pytest.fixture
    def bloc(self, session, ecoles):
        row = blocs.creer(
            session, ecoles.ecole_a, titre="Inscriptions", texte="Un\n\nDeux", visible=True, acteur=CLAIRE
        )
        session.commit()
        return SimpleNamespace(id=row.id)

    def form(self, client, pk):
        fields = soup(client.get(f"{A}/contenus/{pk}")).select("main form input[type=hidden]")
        return {one["name"]: one.get("value", "") for one in fields}

    def test_who_writes_second_keeps_their_text_and_sees_the_other(
        self, correspondant, editrice, bloc, session
    ):
        late = self.form(correspondant, bloc.id)
        first = {
            **self.form(correspondant, bloc.id),
            "titre": "Inscriptions",
            "texte": "Premier",
            "visible": "on",
        }
        assert correspondant.post(f"{A}/contenus/{bloc.id}", data=first).status_code == 302
        sent = {**late, "titre": "Inscriptions", "texte": f"Second {HOSTILE}", "visible": "on"}
        answer = correspondant.post(f"{A}/contenus/{bloc.id}", data=sent)
        page = soup(answer)
        assert answer.status_code == 409
        assert page.select_one("#f-texte").text.strip() == f"Second {HOSTILE}"
        assert "Premier" in page.select_one(".pr-diff del").text
        assert not page.select("[onerror]")
        assert read(session, Bloc.texte) == ["Premier"]
        again = {**sent, "_version": page.select_one("[name=_version]")["value"]}
        assert correspondant.post(f"{A}/contenus/{bloc.id}", data=again).status_code == 302

    def test_versions_tell_what_changed_and_one_is_taken_up_again(self, correspondant, bloc, session):
        sent = {
            **self.form(correspondant, bloc.id),
            "titre": "Inscriptions",
            "texte": "Un\n\nTrois",
            "visible": "on",
        }
        correspondant.post(f"{A}/contenus/{bloc.id}", data=sent)
        page = soup(correspondant.get(f"{A}/contenus/{bloc.id}/versions"))
        newest = page.select(".pr-versions > li")[0]
        assert (newest.select_one("del").text, newest.select_one("ins").text) == ("Deux", "Trois")
        post(correspondant, f"{A}/contenus/{bloc.id}/versions", {"numero": "1"})
        assert read(session, Bloc.texte) == ["Un\n\nDeux"]

    def test_two_long_texts_are_compared_at_once(self):
        before, after = ("\n".join(f"{rank}{side}" for rank in range(5_000)) for side in "ab")
        began = time.monotonic()
        shown = _difference(f"Un\n{before}", f"Un\n{after}")
        assert time.monotonic() - began < 1
        assert [mark for mark, _line in shown] == [" "] + ["-"] * 5_000 + ["+"] * 5_000
        assert _difference("a\nb\nc\nd", "a\nc\nd\ne") == [
            (" ", "a"), ("-", "b"), (" ", "c"), (" ", "d"), ("+", "e"),
        ]  # fmt: skip

    def test_the_preview_is_what_will_be_shown(self, correspondant, bloc):
        sent = {**self.form(correspondant, bloc.id), "texte": f"## Titre\n\n{HOSTILE}<script>x</script>"}
        answer = correspondant.post(f"{A}/contenus/apercu", data=sent)
        seen = soup(answer)
        assert seen.select_one("h3").text == "Titre"
        assert not seen.select("img, script")

    def test_a_picture_of_the_text_goes_through_the_same_door(self, correspondant, bloc):
        token = self.form(correspondant, bloc.id)
        answer = correspondant.post(f"{A}/contenus/image", data={**token, "fichier": image()})
        assert answer.get_json()["adresse"].startswith("/media/")
        refused = correspondant.post(
            f"{A}/contenus/image", data={**token, "fichier": image(content=b"<html>")}
        )
        assert (refused.status_code, "PNG" in refused.get_json()["erreur"]) == (422, True)

    def test_taken_off_the_list_and_put_back(self, correspondant, bloc, session):
        answer = post(correspondant, f"{A}/contenus", {}, f"{A}/contenus/{bloc.id}/supprimer")
        page = soup(correspondant.get(answer.location))
        assert not page.select(".pr-blocs")
        assert correspondant.get(f"{A}/contenus/{bloc.id}").status_code == 404
        post(correspondant, answer.location, {}, page.select_one("form.pr-note")["action"])
        assert soup(correspondant.get(f"{A}/contenus")).select(".pr-blocs li")

    def test_refused_keeps_what_was_typed(self, correspondant, session):
        answer = post(
            correspondant, f"{A}/contenus/ajouter", {"titre": " ", "texte": "Mon texte", "visible": "on"}
        )
        page = soup(answer)
        assert page.select_one("#f-titre-erreur")
        assert page.select_one("#f-texte").text.strip() == "Mon texte"


class TestHome:
    def test_lists_cost_the_same_whatever_they_hold(self, correspondant, session, ecoles, statements):
        def cost():
            correspondant.get(f"{A}/contenus")
            statements.clear()
            correspondant.get(f"{A}/contenus")
            count = len(statements)
            session.rollback()
            return count

        counts = []
        for many in (3, 30):
            for rank in range(many):
                blocs.creer(session, ecoles.ecole_a, titre=f"B{rank}", texte="x", visible=True, acteur=CLAIRE)
            session.commit()
            counts.append(cost())
        assert counts[0] == counts[1]
