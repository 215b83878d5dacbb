"""The tables of the console as Django sees them: unmanaged, nothing is created or changed."""

from django.db import models


class Etablissement(models.Model):
    uai = models.CharField(max_length=8)
    nom = models.CharField(max_length=160)
    academie_id = models.IntegerField()

    class Meta:
        managed = False
        db_table = "etablissement"

    def __str__(self):
        return self.nom


class Division(models.Model):
    code = models.CharField(max_length=32)
    libelle = models.CharField(max_length=120)

    class Meta:
        managed = False
        db_table = "division"

    def __str__(self):
        return self.libelle or self.code


class Mef(models.Model):
    libelle = models.CharField(max_length=120)
    niveau = models.CharField(max_length=60, null=True)

    class Meta:
        managed = False
        db_table = "mef"

    def __str__(self):
        return self.libelle


class Personne(models.Model):
    nom = models.CharField(max_length=100)
    nom_usage = models.CharField(max_length=100, null=True)
    prenom = models.CharField(max_length=100)
    date_naissance = models.DateField("naissance", null=True)
    nom_recherche = models.CharField(max_length=220)
    login = models.CharField("identifiant", max_length=64, null=True)
    email = models.CharField("e-mail", max_length=255, null=True)
    cree_le = models.DateTimeField()
    suspendu_le = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "personne"
        verbose_name = "personne"

    def __str__(self):
        return f"{(self.nom_usage or self.nom).upper()} {self.prenom}"


class Compte(models.Model):
    personne = models.OneToOneField(Personne, models.DO_NOTHING, null=True, related_name="compte")
    supprime_le = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "ab_user"


class Rattachement(models.Model):
    personne = models.ForeignKey(Personne, models.DO_NOTHING, related_name="rattachements")
    etablissement = models.ForeignKey(Etablissement, models.DO_NOTHING)
    division = models.ForeignKey(Division, models.DO_NOTHING, null=True, verbose_name="classe")
    mef = models.ForeignKey(Mef, models.DO_NOTHING, null=True)
    profil = models.CharField(max_length=11)
    fin = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "rattachement"
        verbose_name = "élève"

    def __str__(self):
        return str(self.personne)
