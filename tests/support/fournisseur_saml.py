"""A SAML identity provider for tests: it signs with another library than the one that checks."""

from __future__ import annotations

import base64
import copy
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod, XMLSigner
from signxml.algorithms import CanonicalizationMethod

from tests.support.certificats import Autorite, autorite

NS = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"

RESPONSE = """<samlp:Response xmlns:samlp="{samlp}" xmlns:saml="{saml}" ID="_reponse{serial}" Version="2.0"
 IssueInstant="{now}" Destination="{acs}" InResponseTo="{envelope}"><saml:Issuer>{issuer}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status>
<saml:Assertion ID="_assertion{serial}" Version="2.0" IssueInstant="{now}"><saml:Issuer>{issuer}</saml:Issuer>
<saml:Subject><saml:NameID>{name}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData{question} NotOnOrAfter="{end}" Recipient="{recipient}"/>
</saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{start}" NotOnOrAfter="{end}">{audience}</saml:Conditions>
<saml:AuthnStatement AuthnInstant="{now}" SessionIndex="_s"><saml:AuthnContext>
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement><saml:Attribute Name="uid">{values}</saml:Attribute></saml:AttributeStatement>
</saml:Assertion></samlp:Response>"""


class OldSigner(XMLSigner):
    """Signs with what no one should accept any more."""

    def check_deprecated_methods(self) -> None:
        """Let SHA-1 pass."""


@dataclass
class Fournisseur:
    """What the provider says; tests change one thing and see the answer refused."""

    entite: str = "https://idp.ac-exemple.fr"
    sp: str = "https://console.ac-exemple.fr"
    acs: str = "https://console.ac-exemple.fr/connexion/guichet/retour"
    uid: list[str] = field(default_factory=lambda: ["claire.montagne"])
    nom: str = "claire.montagne"
    status: str = SUCCESS
    issuer: str = ""
    audience: str | None = None
    recipient: str | None = None
    question: str | None = None
    envelope: str | None = None
    start: timedelta = timedelta(minutes=-1)
    end: timedelta = timedelta(minutes=5)
    sign: str = "assertion"
    sha1: bool = False
    identite: Autorite = field(default_factory=lambda: autorite("idp"))
    signing: Autorite | None = None
    serial: int = 0

    def asked(self, location: str) -> etree._Element:
        """Read the question the console sent by redirection."""
        packed = parse_qs(urlsplit(location).query)["SAMLRequest"][0]
        return etree.fromstring(zlib.decompress(base64.b64decode(packed), -15))

    def tree(self, question: str) -> etree._Element:
        """Return the signed answer to a question."""
        self.serial += 1
        moment = datetime.now(UTC)
        mine = question if self.question is None else self.question
        audience = self.sp if self.audience is None else self.audience
        root = etree.fromstring(
            RESPONSE.format(
                **NS,
                serial=self.serial,
                now=_instant(moment),
                start=_instant(moment + self.start),
                end=_instant(moment + self.end),
                acs=self.acs,
                recipient=self.acs if self.recipient is None else self.recipient,
                envelope=mine if self.envelope is None else self.envelope,
                question=f' InResponseTo="{mine}"' if mine else "",
                issuer=self.issuer or self.entite,
                status=self.status,
                name=self.nom,
                audience=(
                    f"<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience>"
                    "</saml:AudienceRestriction>"
                    if audience
                    else ""
                ),
                values="".join(f"<saml:AttributeValue>{uid}</saml:AttributeValue>" for uid in self.uid),
            )
        )
        if self.sign == "assertion":
            assertion = root.find("saml:Assertion", NS)
            assert assertion is not None
            root.replace(assertion, self._signed(assertion))
        elif self.sign == "response":
            root = self._signed(root)
        return root

    def _signed(self, element: etree._Element) -> etree._Element:
        """Sign an element, the signature right after its issuer as the schema asks."""
        signer = (OldSigner if self.sha1 else XMLSigner)(
            signature_algorithm=SignatureMethod.RSA_SHA1 if self.sha1 else SignatureMethod.RSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA1 if self.sha1 else DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        place = etree.Element(f"{{{NS['ds']}}}Signature", Id="placeholder", nsmap={"ds": NS["ds"]})
        copied = copy.deepcopy(element)
        copied.insert(1, place)
        who = self.signing or self.identite
        signed: Any = signer.sign(copied, key=who.key, cert=who.pem, reference_uri=copied.get("ID"))
        return signed


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def posted(root: etree._Element) -> str:
    """Return what the browser posts."""
    return base64.b64encode(etree.tostring(root)).decode()


def _parts(root: etree._Element) -> tuple[etree._Element, etree._Element, etree._Element]:
    """Return the signed assertion, its signature, and a forged copy of it without signature."""
    signed = root.find("saml:Assertion", NS)
    assert signed is not None
    signature = signed.find("ds:Signature", NS)
    assert signature is not None
    forged = copy.deepcopy(signed)
    forged.set("ID", "_forge")
    forged.remove(forged.find("ds:Signature", NS))
    for value in forged.iterfind(".//saml:AttributeValue", NS):
        value.text = "marc.chef"
    forged.find(".//saml:NameID", NS).text = "marc.chef"
    return signed, signature, forged


def wrapped(root: etree._Element, how: str) -> etree._Element:
    """Return the answer with somebody else's assertion slipped around the signed one (XSW)."""
    root = copy.deepcopy(root)
    signed, signature, forged = _parts(root)
    match how:
        case "forged first":
            root.insert(root.index(signed), forged)
        case "forged last":
            root.append(forged)
        case "signed inside forged":
            root.replace(signed, forged)
            forged.append(signed)
        case "signed inside extensions":
            root.replace(signed, forged)
            extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
            extensions.append(signed)
            root.insert(1, extensions)
        case "signed inside the signature":
            root.replace(signed, forged)
            signed.remove(signature)
            forged.insert(1, signature)
            etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(signed)
        case "same identifier":
            forged.set("ID", signed.get("ID"))
            root.replace(signed, forged)
            signed.remove(signature)
            forged.insert(1, signature)
            etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(signed)
        case "whole answer inside":
            inner = copy.deepcopy(root)
            root.replace(signed, forged)
            extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
            extensions.append(inner)
            root.insert(1, extensions)
        case "changed after signing":
            signed.find(".//saml:AttributeValue", NS).text = "marc.chef"
        case "signature taken away":
            signed.remove(signature)
        case "signature of another element":
            signed.remove(signature)
            root.replace(signed, forged)
            forged.insert(1, signature)
        case _:
            raise AssertionError(how)
    return root
