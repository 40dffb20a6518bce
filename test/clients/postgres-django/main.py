"""Django's ORM over sealed columns. `migrate <url>` makes the tables by its own migrations; `use <url>` works with them. Prints `ok`."""

import datetime
import decimal
import sys
import uuid
from urllib.parse import urlparse

import django
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, NotSupportedError, connection, transaction
from django.db.models import Count, F, Prefetch, Q, Sum

ACTION, URL = sys.argv[1:3]
PARTS = urlparse(URL)

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": PARTS.hostname,
            "PORT": PARTS.port,
            "USER": PARTS.username,
            "PASSWORD": PARTS.password,
            "NAME": PARTS.path[1:],
            "OPTIONS": {"server_side_binding": len(sys.argv) > 3},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["club", "django.contrib.contenttypes", "django.contrib.auth"],
    USE_TZ=True,
    TIME_ZONE="Europe/Vienna",
)
django.setup()

from club.models import Member, Visit  # noqa: E402

ANN = dict(
    name="Ann",
    email="ann@club.example",
    code=-7,
    credit=decimal.Decimal("1234567890.05"),
    born=datetime.date(1984, 2, 29),
    seen=datetime.datetime(2026, 2, 3, 4, 5, 6, 789012, datetime.timezone.utc),
    ref=uuid.UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2"),
    active=True,
    note="likes tea & scones",
)
BOB = dict(name="Bob", email="bob@club.example", code=8, active=False)


def refused(call) -> None:
    try:
        with transaction.atomic():
            call()
    except NotSupportedError as error:
        assert error.__cause__.sqlstate == "0A000", error
    else:
        raise AssertionError("was not refused")


def names(**where) -> list[str]:
    return list(Member.objects.filter(**where).order_by("id").values_list("name", flat=True))


def reads_and_finds() -> None:
    ann = Member.objects.create(**ANN)
    Member.objects.create(**BOB)
    back = Member.objects.get(pk=ann.pk)
    assert {key: getattr(back, key) for key in ANN} == ANN, back.__dict__
    for key in ("email", "code", "credit", "born", "seen", "ref"):
        assert names(**{key: ANN[key]}) == ["Ann"], key
        assert names(**{f"{key}__in": [ANN[key]]}) == ["Ann"], key
    assert names(credit=decimal.Decimal("1234567890.050")) == ["Ann"]
    assert names(born__isnull=True) == ["Bob"] and names(note__isnull=False) == ["Ann"]
    assert list(Member.objects.exclude(code=8).values_list("name", flat=True)) == ["Ann"]
    assert Member.objects.filter(Q(code=8) | Q(email=ANN["email"])).count() == 2
    assert Member.objects.filter(email="ann@club.example").exists()
    assert not Member.objects.filter(email="nobody@club.example").exists()
    assert [row["many"] for row in Member.objects.values("code").annotate(many=Count("id"))] == [1, 1]
    assert Member.objects.values("code").distinct().count() == 2
    assert Member.objects.aggregate(many=Count("email", distinct=True)) == {"many": 2}
    assert Member.objects.only("note").get(pk=ann.pk).seen == ANN["seen"]
    assert list(Member.objects.filter(pk=ann.pk).iterator(chunk_size=1))[0].note == ANN["note"]
    refused(lambda: list(Member.objects.filter(note__contains="tea")))
    refused(lambda: list(Member.objects.filter(email__iexact="ANN@club.example")))
    refused(lambda: list(Member.objects.filter(born__gte=datetime.date(1980, 1, 1))))
    refused(lambda: list(Member.objects.filter(born__year=1984)))
    refused(lambda: list(Member.objects.order_by("email")))
    refused(lambda: Member.objects.aggregate(total=Sum("credit")))
    refused(lambda: Member.objects.update(code=F("code") + 1))


def changes() -> None:
    assert Member.objects.filter(email=BOB["email"]).update(note="forgot an umbrella", code=9, seen=ANN["seen"]) == 1
    bob = Member.objects.get(code=9)
    assert (bob.note, bob.seen) == ("forgot an umbrella", ANN["seen"])
    bob.credit = decimal.Decimal("0.10")
    bob.active = None
    bob.save()
    bob.refresh_from_db()
    assert (str(bob.credit), bob.active) == ("0.10", None)
    got, made = Member.objects.get_or_create(email=BOB["email"], defaults={"name": "never"})
    assert (got.pk, made) == (bob.pk, False)
    got, made = Member.objects.update_or_create(email="eve@club.example", defaults={"name": "Eve", "ref": uuid.uuid4()})
    assert made
    Member.objects.bulk_create([Member(name=f"n{n}", email=f"{n}@club.example", code=n) for n in range(100, 150)])
    Member.objects.bulk_create(
        [Member(name="Bob", email=BOB["email"], note="likes tea & scones")],
        update_conflicts=True,
        unique_fields=["email"],
        update_fields=["note"],
    )
    bob.refresh_from_db()
    assert bob.note == "likes tea & scones"
    Member.objects.bulk_create([Member(name="Bob", email=BOB["email"])], ignore_conflicts=True)
    some = list(Member.objects.filter(code__in=range(100, 110)))
    for member in some:
        member.note = f"likes tea & scones {member.code}"
    Member.objects.bulk_update(some, ["note"])
    assert Member.objects.get(code=103).note == "likes tea & scones 103"
    assert Member.objects.filter(code__in=range(100, 150)).delete()[0] == 50


def relations() -> None:
    ann = Member.objects.get(email=ANN["email"])
    ann.visits.create(remark="forgot an umbrella", paid="9.90")
    Visit.objects.create(member=ann)
    joined = Visit.objects.select_related("member").filter(member__email=ANN["email"]).order_by("id")
    assert [(v.remark, v.member.born) for v in joined] == [("forgot an umbrella", ANN["born"]), (None, ANN["born"])]
    fetched = Member.objects.prefetch_related(Prefetch("visits", Visit.objects.order_by("id"))).get(code=-7)
    assert [v.remark for v in fetched.visits.all()] == ["forgot an umbrella", None]
    spent = Member.objects.filter(code=-7).annotate(spent=Sum("visits__paid"), many=Count("visits")).get()
    assert (str(spent.spent), spent.many, spent.note) == ("9.90", 2, ANN["note"])
    assert Member.objects.filter(visits__in=Visit.objects.filter(paid__gt=1)).get().email == ANN["email"]
    ann.delete()
    assert Visit.objects.count() == 0


def transactions() -> None:
    Member.objects.create(**ANN)
    try:
        with transaction.atomic():
            Member.objects.create(name="again", email=ANN["email"])
    except IntegrityError as error:
        assert error.__cause__.sqlstate == "23505" and "club.example" not in str(error), error
    else:
        raise AssertionError("an address was taken twice")
    try:
        with transaction.atomic():
            Member.objects.create(name="long", email="x" * 101)
    except DatabaseError as error:
        assert error.__cause__.sqlstate == "22001", error
    else:
        raise AssertionError("a long address was taken")
    with transaction.atomic():
        Member.objects.select_for_update().get(email=ANN["email"])
        try:
            with transaction.atomic():
                Member.objects.update(note="undone")
                refused(lambda: list(Member.objects.filter(note__contains="tea")))
                raise KeyError
        except KeyError:
            pass
        assert Member.objects.get(email=ANN["email"]).note == ANN["note"]


def introspection() -> None:
    with connection.cursor() as cursor:
        shown = connection.introspection
        assert {"members", "visits"} <= set(shown.table_names(cursor))
        assert [field.name for field in shown.get_table_description(cursor, "members")][1:3] == ["name", "email"]
        assert shown.get_primary_key_column(cursor, "members") == "id"
        constraints = shown.get_constraints(cursor, "members").values()
        assert any(one["unique"] and one["columns"] == ["email"] for one in constraints)
        assert shown.get_relations(cursor, "visits") == {"member_id": ("id", "members")}


def other_tables() -> None:
    """Django's own tables, which no rule names: its migrations have run, or run now, through the proxy."""
    from django.contrib.auth.models import Group, User

    call_command("migrate", verbosity=0)
    call_command("migrate", "auth", "zero", verbosity=0)
    call_command("migrate", verbosity=0)
    user = User.objects.create_user("root", "root@example.org", "secret")
    user.groups.add(Group.objects.create(name="all"))
    assert User.objects.filter(groups__name="all", username__startswith="ro").get().check_password("secret")
    user.delete()
    Group.objects.all().delete()


if ACTION == "migrate":
    call_command("migrate", verbosity=0)
else:
    Member.objects.all().delete()
    reads_and_finds()
    changes()
    relations()
    transactions()
    introspection()
    other_tables()
print("ok")
