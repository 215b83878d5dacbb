"""Say which groups of tests this machine cannot run, before they are left out."""

from tests.support.services import chromium_path, postgresql_available, redis_available, slapd_path

GROUPS = (
    ("PostgreSQL", postgresql_available, "les essais sur PostgreSQL (SQLite reste essayé)"),
    ("Redis", redis_available, "les essais de la file de travaux et des limites sur Redis"),
    ("slapd (OpenLDAP)", lambda: slapd_path() is not None, "les essais de connexion par un annuaire LDAP"),
    ("Chromium", lambda: chromium_path() is not None, "les essais dans un navigateur"),
)


def main() -> None:
    """Print one sentence a missing service, or that nothing is left out."""
    missing = [(name, tests) for name, is_present, tests in GROUPS if not is_present()]
    for name, tests in missing:
        print(f"{name} est absent : {tests} sont laissés de côté.")  # noqa: T201
    if not missing:
        print("PostgreSQL, Redis, slapd et Chromium sont là : tous les essais seront joués.")  # noqa: T201


if __name__ == "__main__":
    main()
