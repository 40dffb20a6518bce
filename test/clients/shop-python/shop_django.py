"""The shop with Django's ORM; `django-bound` has its parameters bound by the server."""

import datetime
from urllib.parse import urlparse

import django
from django.conf import settings
from rows import ADDRESS, ANN, BOB, COMMENT, D, GIFT, MORE, NUMBER, PRODUCTS, UTC, failing


def setup(which, url):
    parts = urlparse(url)
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": parts.hostname,
                "PORT": parts.port,
                "USER": parts.username,
                "PASSWORD": parts.password,
                "NAME": parts.path[1:],
                "OPTIONS": {"server_side_binding": which.endswith("-bound")},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=["shop_django_models"],
        USE_TZ=True,
        TIME_ZONE="Europe/Vienna",
    )
    django.setup()


def work(which, url):
    setup(which, url)
    from django.db import DataError, IntegrityError, connection, transaction
    from django.db.models import Avg, Case, Count, Exists, F, Max, Min, OuterRef, Prefetch, Q, Subquery, Sum, TextField, Value, When, Window
    from django.db.models.functions import Coalesce, Lower, RowNumber, TruncMonth
    from shop_django_models.models import Customer, Item, Order, Product

    objects = Customer.objects
    ann = objects.create(**ANN)
    bob = objects.create(**BOB)
    objects.bulk_create([Customer(**row) for row in MORE])
    Product.objects.bulk_create([Product(**row) for row in PRODUCTS])
    products = list(Product.objects.order_by("id"))
    with transaction.atomic():
        order = Order.objects.create(customer=ann, number=NUMBER, address=ADDRESS, comment=COMMENT, total=D("18.80"))
        Item.objects.bulk_create([Item(order=order, product=one, quantity=at + 1, price=one.price, gift_note=None if at else GIFT) for at, one in enumerate(products)])
        objects.filter(pk=ann.pk).update(version=F("version") + 1, last_seen=datetime.datetime(2026, 3, 1, tzinfo=UTC))
    Order.objects.bulk_create([Order(customer=bob, number="2026-000018", status="paid", total=9), Order(customer=ann, number="2026-000019", total=29)])

    objects.get(email=ANN["email"])
    list(objects.filter(external_id=ANN["external_id"], deleted_at__isnull=True).only("id", "last_seen"))
    list(objects.filter(email__in=[ANN["email"], BOB["email"]]).order_by("id"))
    list(objects.filter(Q(phone=BOB["phone"]) | Q(phone__isnull=True)).exclude(loyalty=103).order_by("id"))
    list(objects.exclude(email__in=[ANN["email"]]).values_list("id", flat=True).order_by("id"))
    list(objects.filter(birth_date=ANN["birth_date"], credit=ANN["credit"]).defer("preferences"))
    objects.filter(email=ANN["email"]).exists()
    objects.in_bulk([ANN["email"], BOB["email"]], field_name="email")
    list(Order.objects.select_related("customer").filter(customer__email=ANN["email"]).order_by("id"))
    list(objects.prefetch_related(Prefetch("orders", Order.objects.order_by("id")), "orders__items__product").order_by("id"))
    list(objects.filter(orders__items__product__sku="MUG-1").distinct())
    list(objects.filter(Exists(Order.objects.filter(customer=OuterRef("pk"), total__gt=10))).order_by("id"))
    list(objects.annotate(newest=Subquery(Order.objects.filter(customer=OuterRef("pk")).order_by("-id").values("number")[:1])).values_list("email", "newest").order_by("id"))
    list(objects.filter(pk__in=Order.objects.filter(number=NUMBER).values("customer")))
    list(objects.filter(email=Subquery(objects.filter(pk=ann.pk).values("email"))))
    list(objects.filter(deleted_at=None).order_by("-id")[2:4])
    list(objects.filter(id__gt=2).order_by("id").values("id", "email", "vip", "preferences")[:2])
    objects.filter(notes__isnull=False).count()
    objects.first()
    objects.order_by("created_at", "id").last()

    list(Order.objects.values("status").annotate(n=Count("id"), total=Sum("total")).filter(n__gt=0).order_by("status"))
    list(objects.values("email").annotate(spent=Coalesce(Sum("orders__total"), D(0)), mean=Avg("orders__total")).order_by())
    objects.aggregate(n=Count("email", distinct=True), first=Min("id"), made=Max("created_at"))
    list(objects.annotate(many=Count("orders")).filter(many__gte=1).order_by("id"))
    list(objects.values("loyalty").distinct().order_by())
    list(Order.objects.annotate(n=Window(RowNumber(), partition_by=F("customer"), order_by="id")).order_by("id"))
    list(Order.objects.annotate(month=TruncMonth("placed_at")).values("month").annotate(n=Count("id")).order_by("month"))
    list(objects.values_list("email").union(Order.objects.values_list("number")))
    list(objects.annotate(kind=Case(When(email=ANN["email"], then=Value("first")), When(vip__isnull=True, then=Value("unknown")), default=Value("other"), output_field=TextField())).values_list("id", "kind").order_by("id"))
    list(objects.annotate(said=Coalesce("phone", Value("none"), output_field=TextField())).values_list("said").order_by("id"))

    objects.bulk_create([Customer(name="Bob C.", email=BOB["email"], notes="twice"), Customer(name="Gus", email="gus@shop.example", notes="new")], update_conflicts=True, unique_fields=["email"], update_fields=["name", "notes"])
    objects.bulk_create([Customer(name="Bob again", email=BOB["email"])], ignore_conflicts=True)
    objects.update_or_create(email=BOB["email"], defaults=dict(loyalty=8, notes="changed"))
    objects.get_or_create(email="hal@shop.example", defaults=dict(name="Hal"))
    objects.get_or_create(email=ANN["email"], defaults=dict(name="No"))
    objects.filter(email="gus@shop.example").update(notes="called", vip=False, preferences={})
    objects.filter(pk=ann.pk, version=2).update(phone=None, version=3)
    objects.filter(email=MORE[0]["email"]).update(deleted_at=datetime.datetime(2026, 3, 3, tzinfo=UTC))
    ann.refresh_from_db()
    ann.nicknames = []
    ann.save(update_fields=["nicknames", "name"])
    bob.refresh_from_db(fields=["email", "notes"])
    bob.preferences = {"newsletter": False}
    bob.save()
    some = list(objects.filter(loyalty__in=[101, 102]))
    for one in some:
        one.notes, one.credit = f"written to {one.name}", D("0.10")
    objects.bulk_update(some, ["notes", "credit"])
    objects.filter(pk=bob.pk).update(notes=F("name"))
    Order.objects.filter(status="paid").update(comment=Subquery(objects.filter(pk=OuterRef("customer")).values("notes")))

    list(Product.objects.filter(attributes__color="blue"))
    list(Product.objects.filter(tags__contains=["hot"]).order_by("id"))
    list(Product.objects.filter(attributes__contains={"organic": True}))
    list(objects.raw("SELECT id, email, preferences FROM customers WHERE email = %s", [ANN["email"]]))
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE customers SET notes = %s WHERE email = %s", [("a first note", MORE[1]["email"]), ("a second note", MORE[2]["email"])])

    def undone():
        with transaction.atomic():
            objects.select_for_update(skip_locked=True).get(email=ANN["email"])
            objects.update(notes="undone")
            raise KeyError

    failing(KeyError, undone)
    with transaction.atomic():

        def again():
            with transaction.atomic():
                objects.create(name="Dup", email=ANN["email"])

        failing(IntegrityError, again)
        objects.filter(email=ANN["email"]).update(vip=None)
    failing(DataError, lambda: objects.create(name="Long", email="x" * 101))
    with transaction.atomic():
        chunks = objects.order_by("id").iterator(chunk_size=2)
        [one.email for one in chunks]

    list(objects.filter(email__iexact=ANN["email"]))
    list(objects.filter(email__icontains="SHOP"))
    list(objects.filter(email__startswith="ann"))
    list(objects.filter(birth_date__lt=datetime.date(2000, 1, 1)))
    list(objects.filter(birth_date__year=1984))
    list(objects.filter(credit__range=(1, 2000)))
    objects.aggregate(Sum("credit"))
    objects.aggregate(Max("last_seen"))
    list(objects.order_by("email").values_list("email"))
    list(objects.annotate(low=Lower("email")).values_list("low"))
    list(objects.filter(preferences__language="de-AT"))
    list(objects.filter(nicknames__contains=["Archer,Ann"]))
    objects.filter(pk=bob.pk).update(loyalty=F("loyalty") + 1)

    Item.objects.filter(order=order, product__sku="MUG-1").delete()
    Order.objects.filter(number="2026-000018").delete()
    objects.filter(email__in=[row["email"] for row in MORE]).delete()
    bob.delete()
