"""What the shop's applications write."""

import datetime
import decimal
import uuid

D = decimal.Decimal
UTC = datetime.timezone.utc
ANN = dict(
    name="Ann Archer",
    email="ann@shop.example",
    phone="+43 1 5550101",
    birth_date=datetime.date(1984, 2, 29),
    external_id=uuid.UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2"),
    credit=D("1250.50"),
    last_seen=datetime.datetime(2026, 2, 3, 4, 5, 6, 789012, UTC),
    loyalty=41,
    notes="prefers parcels left with the neighbour",
    preferences={"newsletter": True, "channels": ["post", "phone"], "language": "de-AT"},
    nicknames=['Annie "the" first', "Archer,Ann"],
    vip=True,
)
BOB = dict(name="Bob Baker", email="bob@shop.example", phone="+43 1 5550102", loyalty=7)
MORE = [
    dict(name=name, email=f"{name}@shop.example", loyalty=100 + at, notes=f"{name} came by recommendation")
    for at, name in enumerate(("carol", "dave", "erin", "frank"))
]
PRODUCTS = [
    dict(sku="TEA-1", title="Green tea", price=D("4.90"), tags=["tea", "hot"], attributes={"weight": 100, "organic": True}),
    dict(sku="MUG-1", title="Mug", price=D("9.00"), tags=["kitchen"], attributes={"color": "blue"}),
    dict(sku="POT-1", title="Pot", price=D("29.00"), tags=["kitchen", "hot"], attributes=None),
]
ADDRESS = {"street": "Mariahilfer Straße 1", "city": "Wien", "zip": "1060"}
NUMBER = "2026-000017"
COMMENT = "ring twice, the dog is harmless"
GIFT = "happy birthday, dear Carol"


def failing(error, call):
    try:
        call()
    except error:
        return
    raise AssertionError("did not fail")
