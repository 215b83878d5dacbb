"""A real LDAP server (OpenLDAP's slapd) with a few people, on the loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.certificats import autorite, serveur
from tests.support.services import slapd_path

BASE = "dc=exemple,dc=fr"
COMPTE = f"cn=preau,{BASE}"
SECRET = "compte de service"
SCHEMAS = Path("/etc/ldap/schema")

CONFIG = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
# what a careless server allows: a name without a password is an anonymous sign-in, and succeeds
allow bind_anon_cred bind_anon_dn
database mdb
maxsize 16777216
suffix "{base}"
rootdn "cn=admin,{base}"
directory {folder}/donnees
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{compte}" read by * none
"""

PEOPLE = {
    "claire.montagne": ("agents", "le sapin du col"),
    "marc.suspendu": ("agents", "le sapin du col"),
    "inconnue.ici": ("agents", "le sapin du col"),
    "homonyme": ("agents", "le sapin du col"),
    "élodie.çà": ("agents", "mot de passe accentué é€"),
}


@dataclass
class Annuaire:
    """Where the server listens and whom to believe."""

    process: subprocess.Popen[bytes]
    port: int
    port_tls: int
    autorite: Path
    autre_autorite: Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ldif() -> str:
    entries = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Exemple\ndc: exemple\n",
        f"dn: {COMPTE}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: preau\n"
        f"userPassword: {SECRET}\n",
        *(
            f"dn: ou={name},{BASE}\nobjectClass: organizationalUnit\nou: {name}\n"
            for name in ("agents", "autres")
        ),
    ]
    people = [*((uid, *where) for uid, where in PEOPLE.items()), ("homonyme", "autres", "le sapin du col")]
    entries += [
        f"dn: uid={uid},ou={place},{BASE}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n"
        f"userPassword: {password}\n"
        for uid, place, password in people
    ]
    return "\n".join(entries)


def _slapadd(binary: str) -> str:
    return shutil.which("slapadd") or str(Path(binary).with_name("slapadd"))


def start(folder: Path) -> Annuaire:
    """Fill a fresh directory and start its server."""
    binary = slapd_path()
    assert binary is not None
    (folder / "donnees").mkdir()
    believed, other = autorite("Autorité de l’académie"), autorite("Autorité inconnue")
    certificate, key = serveur(believed, "127.0.0.1").write(folder, "serveur")
    config = folder / "slapd.conf"
    config.write_text(
        CONFIG.format(
            schemas=SCHEMAS, folder=folder, certificate=certificate, key=key, base=BASE, compte=COMPTE
        )
    )
    (folder / "personnes.ldif").write_text(_ldif(), encoding="utf-8")
    subprocess.run(
        [_slapadd(binary), "-q", "-f", config, "-l", folder / "personnes.ldif"],
        check=True,
        capture_output=True,
    )
    port, port_tls = _free_port(), _free_port()
    process = subprocess.Popen(
        [
            *(binary, "-f", config, "-d", "0"),
            *("-h", f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{port_tls}"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait(process, port)
    return Annuaire(process, port, port_tls, believed.write(folder, "ac")[0], other.write(folder, "autre")[0])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "slapd stopped at its start"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("slapd does not answer")


def stop(annuaire: Annuaire) -> None:
    """End the server."""
    annuaire.process.terminate()
    annuaire.process.wait(20)
