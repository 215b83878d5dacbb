"""Create the accounts of the peer; they may do everything, which costs Django no look-up of rights."""

import os

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402  (Django first)

for name in os.environ["PAIR_COMPTES"].split():
    if not User.objects.filter(username=name).exists():
        User.objects.create_superuser(name, f"{name}@exemple.fr", os.environ["PAIR_MOT_DE_PASSE"])
