"""The shop's tables for Django, with no word of sealing."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Customer(models.Model):
    name = models.TextField()
    email = models.CharField(max_length=100, unique=True, null=True)
    phone = models.TextField(null=True)
    external_id = models.UUIDField(null=True, unique=True)
    birth_date = models.DateField(null=True)
    credit = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    last_seen = models.DateTimeField(null=True)
    loyalty = models.IntegerField(null=True)
    notes = models.TextField(null=True)
    preferences = models.JSONField(null=True)
    nicknames = ArrayField(models.TextField(), null=True)
    vip = models.BooleanField(null=True)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(default="2026-01-01T00:00:00+00:00")
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "customers"


class Product(models.Model):
    sku = models.CharField(max_length=20, unique=True)
    title = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    tags = ArrayField(models.TextField())
    attributes = models.JSONField(null=True)

    class Meta:
        db_table = "products"


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    number = models.TextField(unique=True, null=True)
    address = models.JSONField(null=True)
    comment = models.TextField(null=True)
    status = models.TextField(default="open")
    total = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    placed_at = models.DateTimeField(default="2026-01-02T00:00:00+00:00")

    class Meta:
        db_table = "orders"


class Item(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    quantity = models.IntegerField(default=1)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    gift_note = models.TextField(null=True)

    class Meta:
        db_table = "line_items"
