"""Feeds of the net, kind and hostile (ATTACKS S6, X1)."""

from __future__ import annotations

import time

import pytest

from app.errors import RuleViolationError, UserError
from app.imports import syndication
from tests.support.site import HERE, serving

RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>
<title>Le &lt;b&gt;Journal&lt;/b&gt;</title>
{}</channel></rss>"""
ITEM = """<item><title>{title}</title><link>{link}</link><guid>{guid}</guid>
<pubDate>Tue, 24 Nov 2026 08:30:00 +0100</pubDate><description>{text}</description></item>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Atome</title><entry><id>tag:1</id><title>Un</title>
<link href="https://exemple.fr/1"/><updated>2026-11-20T10:00:00Z</updated><summary>Texte</summary></entry></feed>"""


def item(title="Sortie au musée", link="https://exemple.fr/1", guid="1", text="Lundi"):
    return ITEM.format(title=title, link=link, guid=guid, text=text)


def parse(*items):
    return syndication.parse(RSS.format("".join(items)).encode())


class TestParse:
    def test_rss_with_its_title_in_plain_text(self):
        titre, (article,) = parse(item(text="&lt;p&gt;Le &lt;b&gt;lundi&lt;/b&gt; &amp;amp; mardi&lt;/p&gt;"))
        assert titre == "Le Journal"
        assert (article.titre, article.lien) == ("Sortie au musée", "https://exemple.fr/1")
        assert article.resume == "Le lundi & mardi"
        assert article.publiee_le.isoformat() == "2026-11-24T07:30:00+00:00"

    def test_atom_and_an_old_encoding(self):
        titre, (article,) = syndication.parse(ATOM.encode())
        assert (titre, article.titre, article.resume) == ("Atome", "Un", "Texte")
        old = RSS.replace("utf-8", "windows-1252").format(item("Été à l’école")).encode("cp1252")
        assert syndication.parse(old)[1][0].titre == "Été à l’école"

    @pytest.mark.parametrize(
        "link",
        [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "http://a@b.fr/",
            "//b.fr",
            "https://" + "a" * 2000,
        ],
    )
    def test_a_link_that_is_not_of_the_web_is_left_out(self, link):
        _titre, (article,) = parse(item(link=link))
        assert article.lien is None

    def test_script_is_text_or_nothing(self):
        hostile = "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;Bonjour"
        _titre, (article,) = parse(item(title=hostile, text=hostile))
        assert "<" not in article.titre + article.resume
        assert article.titre.endswith("Bonjour")

    def test_a_hundred_thousand_items_cost_what_a_few_cost(self):
        body = RSS.format("".join(f"<item><title>n{rank}</title></item>" for rank in range(60_000))).encode()
        began = time.monotonic()
        _titre, articles = syndication.parse(body)
        assert [article.titre for article in articles] == [f"n{rank}" for rank in range(20)]
        assert time.monotonic() - began < 2

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"<html><body>Bonjour</body></html>", b"bonjour", b"%PDF-1.7", b"{}", b"<rss>\0</rss>",
            b'<rss version="2.0"><channel>' + b"<a>" * 100_000,
            "<rss version='2.0'/>".encode("utf-16"),
        ],
    )  # fmt: skip
    def test_what_is_no_feed(self, body):
        began = time.monotonic()
        with pytest.raises(RuleViolationError, match="RSS ou Atom"):
            syndication.parse(body)
        assert time.monotonic() - began < 2

    @pytest.mark.parametrize(
        ("encoding", "rest"),
        [
            ("punycode", b"-" + b"a" * 500_000),
            ("unicode_escape", b"\\x3ca\\x3e" * 60_000),
            ("utf-7", b"+ADw-a+AD4-" * 60_000),
            ("rot13", b""),
        ],
    )
    def test_an_encoding_no_feed_needs_neither_takes_hours_nor_hides_tags(self, encoding, rest):
        body = RSS.replace("utf-8", encoding).format(item()).encode().replace(b"</channel>", rest)
        began = time.monotonic()
        _titre, articles = syndication.parse(body)
        assert [article.titre for article in articles] == ["Sortie au musée"]
        assert time.monotonic() - began < 2

    @pytest.mark.parametrize("head", ["\n" * 100_000, "\n<!ENTITY a" * 50_000])
    def test_a_head_without_end_is_refused_at_once(self, head):
        began = time.monotonic()
        with pytest.raises(RuleViolationError, match="RSS ou Atom"):
            syndication.parse(RSS.replace("?>", f"?><!-- -->{head}").format(item()).encode())
        assert time.monotonic() - began < 2

    def test_ebcdic_hides_no_item(self):
        body = '<?xml version="1.0" encoding="cp037"?>' + RSS.split("?>", 1)[1].format(item())
        with pytest.raises(RuleViolationError, match="RSS ou Atom"):
            syndication.parse(body.encode("cp037"))

    @pytest.mark.parametrize(
        "inside", ["<a>" * 150 + "<!--" + "</a>" * 150 + "-->", "<a>" * 150 + "<!--" + "</a>" * 150]
    )
    def test_ends_in_a_comment_hide_no_depth(self, inside):
        with pytest.raises(RuleViolationError, match="RSS ou Atom"):
            parse(inside * 100)

    def test_html_that_is_quoted_is_not_depth(self):
        items = [item(guid=str(rank), text=f"<![CDATA[{'Un<br>' * 12}]]>") for rank in range(25)]
        assert len(parse(*items)[1]) == 20

    @pytest.mark.parametrize("wrong", ["&#xD800;", "&#99999999999999999999;", "&#x110000;", "&#-1;"])
    def test_a_character_that_does_not_exist_breaks_nothing(self, wrong):
        try:
            _titre, articles = parse(item(f"Un{wrong}", guid=f"1{wrong}", text=wrong), item(guid="2"))
        except RuleViolationError:
            articles = []
        for article in articles:
            article.titre.encode()

    def test_billion_laughs_and_outside_entities_give_nothing(self):
        entities = '<!ENTITY a "aaaaaaaaaa"><!ENTITY x SYSTEM "file:///etc/passwd">' + "".join(
            f'<!ENTITY {name} "{f"&{before};" * 10}">'
            for before, name in zip("abcdefgh", "bcdefghi", strict=True)
        )
        body = f"<!DOCTYPE rss [{entities}]>" + RSS.split("?>", 1)[1].format(item(title="&i;&x;", text="ok"))
        began = time.monotonic()
        _titre, articles = syndication.parse(body.encode())
        assert time.monotonic() - began < 2
        assert all("root" not in article.titre and len(article.titre) < 100 for article in articles)


class TestRead:
    def test_marks_come_back_and_an_unchanged_feed_says_so(self):
        with serving() as site:
            site.pages["/f"] = (200, {"ETag": '"7"', "Last-Modified": "hier"}, RSS.format(item()).encode())
            lu = syndication.read(site.url("/f"), permitted=HERE)
            assert (lu.etag, lu.modifie, len(lu.articles)) == ('"7"', "hier", 1)
            site.pages["/f"] = (304, {}, b"")
            again = syndication.read(site.url("/f"), permitted=HERE, etag=lu.etag, modifie=lu.modifie)
            assert again.articles is None
            assert site.asked[1][2]["If-None-Match"] == '"7"'

    @pytest.mark.parametrize(("status", "word"), [(404, "404"), (500, "500"), (304, "304")])
    def test_another_answer_is_said_by_its_number(self, status, word):
        with serving() as site:
            site.pages["/f"] = (status, {}, b"secret")
            with pytest.raises(UserError) as refused:
                syndication.read(site.url("/f"), permitted=HERE)
            assert word in refused.value.message
            assert "secret" not in refused.value.message
