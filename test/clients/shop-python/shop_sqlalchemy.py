"""The shop with SQLAlchemy 2, over the driver after the dash: psycopg2, psycopg or asyncpg."""

import asyncio
import datetime
from typing import Any

from rows import ADDRESS, ANN, BOB, COMMENT, D, GIFT, MORE, NUMBER, PRODUCTS, UTC, failing
from sqlalchemy import ForeignKey, Numeric, String, Text, and_, bindparam, case, create_engine, delete, distinct, exists, func, insert, literal, or_, select, Uuid, text, tuple_, union, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, contains_eager, joinedload, mapped_column, relationship, selectinload, subqueryload


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[Any] = mapped_column(Uuid, nullable=True)
    birth_date: Mapped[datetime.date | None]
    credit: Mapped[D | None] = mapped_column(Numeric(12, 2))
    last_seen: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    loyalty: Mapped[int | None]
    notes: Mapped[str | None] = mapped_column(Text)
    preferences: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    nicknames: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    vip: Mapped[bool | None]
    version: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    orders: Mapped[list["Order"]] = relationship(back_populates="customer", cascade="all, delete-orphan", order_by="Order.id")
    __mapper_args__ = {"version_id_col": version}


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(Text)
    price: Mapped[D] = mapped_column(Numeric(10, 2))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    number: Mapped[str | None] = mapped_column(Text)
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    comment: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default="open")
    total: Mapped[D] = mapped_column(Numeric(12, 2), default=0)
    customer: Mapped[Customer] = relationship(back_populates="orders")
    items: Mapped[list["Item"]] = relationship(cascade="all, delete-orphan", order_by="Item.id")


class Item(Base):
    __tablename__ = "line_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int] = mapped_column(default=1)
    price: Mapped[D] = mapped_column(Numeric(10, 2))
    gift_note: Mapped[str | None] = mapped_column(Text)
    product: Mapped[Product] = relationship()


def filling(s):
    ann, bob = Customer(**ANN), Customer(**BOB)
    s.add_all([ann, bob])
    s.commit()
    s.add_all([Customer(**row) for row in MORE])
    s.execute(insert(Product), PRODUCTS)
    s.commit()
    items = [Item(product_id=at, quantity=at, price=D("4.90"), gift_note=GIFT if at == 1 else None) for at in (1, 2, 3)]
    ann.orders.append(Order(number=NUMBER, address=ADDRESS, comment=COMMENT, total=D("18.80"), items=items))
    ann.last_seen = datetime.datetime(2026, 3, 1, tzinfo=UTC)
    s.commit()
    s.execute(insert(Order).returning(Order.id), [dict(customer_id=bob.id, number="2026-000018", status="paid", total=9), dict(customer_id=ann.id, number="2026-000019", total=29)])
    s.commit()


def finding(s):
    C, O = Customer, Order
    one = lambda q: (s.execute(q).unique().all(), s.commit())
    one(select(C).where(C.email == ANN["email"]))
    one(select(C.id, C.last_seen).where(C.external_id == ANN["external_id"], C.deleted_at.is_(None)))
    one(select(C).where(C.email.in_([ANN["email"], BOB["email"]])).order_by(C.id))
    one(select(C.id).where(or_(C.phone == BOB["phone"], C.phone.is_(None)), C.loyalty != 103).order_by(C.id))
    one(select(C.id).where(C.loyalty.not_in([41, 7])).order_by(C.id))
    one(select(C.email).where(and_(C.birth_date == ANN["birth_date"], C.credit == ANN["credit"])))
    one(select(C.id).where(C.email == func.any(bindparam("many", [ANN["email"], "nobody@shop.example"], type_=ARRAY(String)))))
    one(select(C.id).where(tuple_(C.loyalty, C.email).in_([(41, ANN["email"]), (7, BOB["email"])])).order_by(C.id))
    one(select(C.id).where(C.email.is_distinct_from(ANN["email"])).order_by(C.id))
    one(select(exists().where(C.email == ANN["email"])))
    one(select(C).options(joinedload(C.orders).joinedload(O.items).joinedload(Item.product)).order_by(C.id))
    one(select(C).options(selectinload(C.orders).selectinload(O.items)).order_by(C.id))
    one(select(C).options(subqueryload(C.orders)).where(C.email == ANN["email"]))
    one(select(O).options(joinedload(O.customer, innerjoin=True)).join(O.customer).where(C.email == ANN["email"]).order_by(O.id))
    one(select(C).join(C.orders).options(contains_eager(C.orders)).where(O.status == "paid").order_by(C.id))
    one(select(C).options(joinedload(C.orders)).order_by(C.id).limit(2).offset(1))
    one(select(C.email).where(C.orders.any(O.number == NUMBER)))
    one(select(C.id, C.email, select(func.max(O.total)).where(O.customer_id == C.id).scalar_subquery()).order_by(C.id))
    other = aliased(C)
    one(select(C.id, other.id).join(other, and_(other.loyalty == C.loyalty, other.id != C.id), isouter=True).order_by(C.id))
    one(select(C.id, C.email).where(C.deleted_at.is_(None)).order_by(C.id.desc()).limit(2).offset(2))
    one(select(C, func.count().over().label("whole")).order_by(C.id).limit(2))
    newest = select(O).where(O.customer_id == C.id).order_by(O.id.desc()).limit(1).lateral("newest")
    one(select(C.email, newest.c.number, newest.c.comment).join(newest, literal(True), isouter=True).order_by(C.id))
    s.execute(text("SELECT id, email, preferences FROM customers WHERE email = :email").bindparams(email=ANN["email"])).all()


def counting(s):
    C, O = Customer, Order
    one = lambda q: (s.execute(q).all(), s.commit())
    one(select(func.count()).select_from(C).where(C.notes.is_not(None)))
    one(select(O.status, func.count(), func.sum(O.total)).group_by(O.status).having(func.count() > 0).order_by(O.status))
    one(select(C.email, func.coalesce(func.sum(O.total), 0)).outerjoin(O).group_by(C.email))
    one(select(C, func.count(O.id)).outerjoin(O).group_by(C.id).order_by(C.id))
    one(select(func.count(distinct(C.email)), func.min(C.id)))
    one(select(C.loyalty).distinct())
    one(select(C.email).distinct(C.email))
    one(select(O.id, func.row_number().over(partition_by=O.customer_id, order_by=O.id)).order_by(O.id))
    one(select(func.array_agg(C.email), func.json_agg(C.loyalty)).where(C.id < 3))
    cte = select(O.customer_id, func.sum(O.total).label("spent")).group_by(O.customer_id).cte("spent")
    one(select(C.email, cte.c.spent).join(cte, cte.c.customer_id == C.id).order_by(C.id))
    one(union(select(C.email), select(C.phone)))
    one(select(C.id, case((C.email == ANN["email"], "first"), (C.vip.is_(None), "unknown"), else_="other")).order_by(C.id))
    one(select(func.coalesce(C.phone, "none")).order_by(C.id))


def changing(s):
    C, O = Customer, Order
    run = lambda *words: (s.execute(*words), s.commit())
    row = upsert(C).values(name="Bob B.", email=BOB["email"], loyalty=8)
    run(row.on_conflict_do_update(index_elements=["email"], set_=dict(name=row.excluded.name, loyalty=row.excluded.loyalty)).returning(C.id, C.loyalty))
    rows = upsert(C).values([dict(name="Bob C.", email=BOB["email"], notes="twice"), dict(name="Gus", email="gus@shop.example", notes="new")])
    run(rows.on_conflict_do_update(index_elements=["email"], set_=dict(notes=rows.excluded.notes)))
    run(upsert(C).values(name="Bob again", email=BOB["email"]).on_conflict_do_nothing())
    run(update(C).where(C.email == "gus@shop.example").values(notes="called", vip=False, preferences={}).returning(C.id, C.notes, C.vip))
    run(update(C).where(C.email == MORE[0]["email"]).values(deleted_at=datetime.datetime(2026, 3, 3, tzinfo=UTC)))
    run(update(C), [dict(id=4, version=1, notes="a first note"), dict(id=5, version=1, notes="a second note")])
    run(update(O).where(O.customer_id == C.id, C.email == BOB["email"]).values(comment=C.notes).execution_options(synchronize_session=False))
    run(update(C).where(C.id == 6).values(notes=select(O.comment).where(O.number == NUMBER).scalar_subquery()).execution_options(synchronize_session=False))
    ann = s.scalars(select(C).where(C.email == ANN["email"])).one()
    ann.nicknames, ann.notes, ann.phone = [], "changed", None
    bob = s.scalars(select(C).where(C.email == BOB["email"])).one()
    bob.preferences, bob.last_seen = {"newsletter": False}, datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    s.commit()
    s.refresh(ann)
    s.commit()
    s.scalars(select(Product).where(Product.attributes["color"].astext == "blue")).all()
    s.scalars(select(Product).where(Product.tags.contains(["hot"])).order_by(Product.id)).all()
    s.commit()


def transactions(s):
    C = Customer
    s.scalars(select(C).where(C.email == ANN["email"]).with_for_update(skip_locked=True)).one()
    s.execute(update(C).values(notes="undone").execution_options(synchronize_session=False))
    s.rollback()

    def nested(statement):
        with s.begin_nested():
            s.execute(statement)

    failing(DBAPIError, lambda: nested(insert(C).values(name="Dup", email=ANN["email"])))
    s.execute(update(C).where(C.email == ANN["email"]).values(vip=None).execution_options(synchronize_session=False))
    s.commit()
    failing(DBAPIError, lambda: nested(insert(C).values(name="Long", email="x" * 101)))
    failing(DBAPIError, lambda: nested(insert(Order).values(customer_id=9999, number="none")))
    s.rollback()
    for one in s.scalars(select(C).order_by(C.id).execution_options(yield_per=2)):
        one.email
    s.commit()


def hoping(s):
    C = Customer
    for statement in (
        select(C.id).where(C.email.ilike("%SHOP%")),
        select(C.id).where(C.birth_date < datetime.date(2000, 1, 1)),
        select(C.id).where(C.credit.between(1, 2000)),
        select(func.sum(C.credit)),
        select(func.max(C.last_seen)),
        select(C.email).order_by(C.email),
        select(C.id).where(func.lower(C.email) == ANN["email"]),
        select(C.id).where(C.preferences["language"].astext == "de-AT"),
        select(C.id).where(C.nicknames.any("Archer,Ann")),
        select(C.id).where(C.notes == "changed"),
        update(C).where(C.email == BOB["email"]).values(loyalty=C.loyalty + 1).execution_options(synchronize_session=False),
    ):
        s.execute(statement)
        s.rollback()


def leaving(s):
    C = Customer
    s.execute(delete(Item).where(Item.order_id == 1, Item.product_id == 2).execution_options(synchronize_session=False))
    s.commit()
    s.scalars(delete(Order).where(Order.number == "2026-000018").returning(Order.id, Order.number).execution_options(synchronize_session=False)).all()
    s.commit()
    s.execute(delete(C).where(C.email.in_([row["email"] for row in MORE])).execution_options(synchronize_session=False))
    s.commit()
    s.delete(s.scalars(select(C).where(C.email == BOB["email"])).one())
    s.commit()


STEPS = (filling, finding, counting, changing, transactions, hoping, leaving)


async def by_asyncpg(url):
    engine = create_async_engine(url, pool_size=1)
    async with AsyncSession(engine) as session:
        for step in STEPS:
            await session.run_sync(step)
    await engine.dispose()


def work(which, url):
    driver = which.split("-")[1]
    full = url.replace("postgres:", f"postgresql+{driver}:", 1)
    if driver == "asyncpg":
        return asyncio.run(by_asyncpg(full))
    engine = create_engine(full, pool_size=1)
    with Session(engine) as session:
        for step in STEPS:
            step(session)
    engine.dispose()
