"""The rule of new passwords, and their digests."""

from __future__ import annotations

import pytest

from app.errors import UserError
from app.models import Compte
from app.security.passwords import hash_password, needs_rehash, verify_password
from app.security.regle_mot_de_passe import check_new_password, common_passwords

CLAIRE = Compte(
    username="claire.montagne", first_name="Claire", last_name="Montagne", email="cmontagne@ac-exemple.fr"
)


class TestRule:
    @pytest.mark.parametrize(
        "text",
        [
            "quatre hérissons au marché",
            "tuvoudraisbienlesavoir",
            "Xk2-lune-Pq9-sable",
            "🌧 sur le préau ce soir",
            "ma tante repeint son vélo",
        ],
    )
    def test_sentences_of_ones_own_pass_without_any_recipe(self, text):
        check_new_password(text, CLAIRE)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "trop court"),
            ("onze lettre", "trop court"),
            ("x" * 201, "dépasse 200"),
            ("motdepasse2026", "trop courant"),
            ("MotDePasse-2026!", "trop courant"),
            ("m0td3p4ss3m0td3p4ss3", "trop courant"),
            ("Marseille13000!", "trop courant"),
            ("jeanpierre1962", "trop courant"),
            ("soleilbonjour", "trop courant"),
            ("2026-11-21 08:00", "trop courant"),
            ("azertyuiopqs", "se devine"),
            ("poiuytrezaml", "se devine"),
            ("1234567890123", "se devine"),
            ("abcabcabcabc", "se devine"),
            ("aaaaaaaaaaaaaa", "se devine"),
            ("1a2z3e4r5t6y", "se devine"),
            ("la-montagne-est-belle", "votre nom"),
            ("CLAIREetlereste!!", "votre nom"),
            ("cmontagne et le reste", "votre nom"),
        ],
    )
    def test_what_attackers_try_first_is_refused(self, text, why):
        with pytest.raises(UserError, match=why) as refused:
            check_new_password(text, CLAIRE)
        assert refused.value.field == "nouveau"

    def test_the_list_is_long_enough(self):
        assert len(common_passwords()) >= 1000


class TestDigest:
    def test_owasp_parameters(self):
        digest = hash_password("quatre hérissons")
        assert digest.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert not needs_rehash(digest)

    def test_right_and_wrong(self):
        digest = hash_password("quatre hérissons")
        assert verify_password(digest, "quatre hérissons")
        assert not verify_password(digest, "quatre herissons")

    @pytest.mark.parametrize("digest", [None, "", "scrypt:32768:8:1$a$b", "en clair"])
    def test_no_usable_digest_never_lets_in(self, digest):
        assert not verify_password(digest, "mot de passe de personne")
        assert not verify_password(digest, digest or "")

    def test_odd_texts_neither_fail_nor_match(self):
        digest = hash_password("x")
        for text in ("", "\0", "\ud800", "x" * 1_000_000):
            assert not verify_password(digest, text)
