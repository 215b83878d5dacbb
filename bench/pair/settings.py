"""Django's admin as its own template starts it, set for production: no debug, connections kept."""

import os
from urllib.parse import urlsplit

BASE = urlsplit(os.environ["PAIR_BASE"])
SECRET_KEY = "the peer of a bench, never reachable from outside"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.pair.urls"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "bench.pair",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": BASE.path,
    "OPTIONS": {"init_command": PRAGMAS, "timeout": 15},
}
POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": BASE.path.lstrip("/"),
    "USER": BASE.username,
    "PASSWORD": BASE.password or "",
    "HOST": BASE.hostname,
    "PORT": BASE.port or 5432,
}
DATABASES = {"default": {**(SQLITE if BASE.scheme == "sqlite" else POSTGRESQL), "CONN_MAX_AGE": None}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_TZ = True
STATIC_URL = "/static/"
