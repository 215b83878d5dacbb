"""Certificates made for one run of the tests."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Autorite:
    """A key and the certificate that goes with it."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write the certificate and the key, and return where."""
        places = folder / f"{name}.pem", folder / f"{name}-cle.pem"
        places[0].write_text(self.pem)
        places[1].write_text(self.key_pem)
        return places


def autorite(nom: str) -> Autorite:
    """Return an authority that signs itself."""
    key = rsa.generate_private_key(65537, 2048)
    subject = _name(nom)
    certificate = (
        _builder(subject, subject, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Autorite(key, certificate)


def serveur(autorite: Autorite, adresse: str, *, perime: bool = False) -> Autorite:
    """Return the certificate of a server known by its address, one that expired if asked."""
    key = rsa.generate_private_key(65537, 2048)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(adresse))])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(autorite.key.public_key())
    certificate = (
        _builder(_name(adresse), autorite.certificate.subject, key, perime=perime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(names, critical=False)
        .add_extension(issuer, critical=False)
        .sign(autorite.key, hashes.SHA256())
    )
    return Autorite(key, certificate)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, *, perime: bool = False
) -> x509.CertificateBuilder:
    moment = datetime.now(UTC) - timedelta(days=30 if perime else 0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + timedelta(days=1))
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not ca,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
