"""A club's tables, with no word of sealing."""

from django.db import models


class Member(models.Model):
    name = models.TextField()
    email = models.CharField(max_length=100, unique=True)
    code = models.IntegerField(null=True)
    credit = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    born = models.DateField(null=True)
    seen = models.DateTimeField(null=True)
    ref = models.UUIDField(null=True, unique=True)
    active = models.BooleanField(null=True)
    note = models.TextField(null=True)

    class Meta:
        db_table = "members"


class Visit(models.Model):
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="visits")
    remark = models.TextField(null=True)
    paid = models.DecimalField(max_digits=8, decimal_places=2, default=0)

    class Meta:
        db_table = "visits"
