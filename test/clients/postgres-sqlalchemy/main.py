"""SQLAlchemy 2 over sealed columns, by each driver of `DRIVERS`. `migrate <url>` makes the tables, `use <url>` works with them. Prints `ok`."""

import asyncio
import datetime
import decimal
import sys
import uuid

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    bindparam,
    case,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload

ACTION, URL = sys.argv[1:3]
DRIVERS = ("psycopg2", "psycopg", "asyncpg")


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(String(100), unique=True)
    code: Mapped[int | None]
    credit: Mapped[decimal.Decimal | None] = mapped_column(Numeric(12, 2))
    born: Mapped[datetime.date | None]
    seen: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    ref: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    active: Mapped[bool | None]
    note: Mapped[str | None]
    visits: Mapped[list["Visit"]] = relationship(cascade="all, delete-orphan", back_populates="member", order_by="Visit.id")


class Visit(Base):
    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    remark: Mapped[str | None]
    paid: Mapped[decimal.Decimal] = mapped_column(Numeric(8, 2), server_default=text("0"))
    member: Mapped[Member] = relationship(back_populates="visits")


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
EVERY = tuple(ANN)


def refused(session: Session, statement, sqlstate: str = "0A000") -> None:
    try:
        with session.begin_nested():
            session.execute(statement).all()
    except DBAPIError as error:
        found = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
        assert found == sqlstate, error
    else:
        raise AssertionError(f"was not refused: {statement}")


def names(session: Session, *where) -> list[str]:
    return list(session.scalars(select(Member.name).where(*where).order_by(Member.id)))


def reads_and_finds(session: Session) -> None:
    session.add_all([Member(**ANN), Member(**BOB)])
    session.commit()
    ann = session.scalars(select(Member).where(Member.email == ANN["email"])).one()
    assert {key: getattr(ann, key) for key in EVERY} == ANN, ann.__dict__
    for key in ("email", "code", "credit", "born", "seen", "ref"):
        column = getattr(Member, key)
        assert names(session, column == ANN[key]) == ["Ann"], key
        assert names(session, column.in_([ANN[key]])) == ["Ann"], key
        assert names(session, column == bindparam("wanted", ANN[key], literal_execute=True)) == ["Ann"], key
    assert names(session, Member.code != 8) == ["Ann"]
    assert names(session, Member.code.not_in([8])) == ["Ann"]
    assert names(session, Member.born.is_(None)) == ["Bob"]
    assert names(session, or_(Member.code == 8, Member.email == ANN["email"])) == ["Ann", "Bob"]
    assert names(session, tuple_(Member.code, Member.email).in_([(8, BOB["email"])])) == ["Bob"]
    assert names(session, Member.code.is_distinct_from(8)) == ["Ann"]
    assert session.scalar(select(func.count(Member.email.distinct()))) == 2
    grouped = session.execute(select(Member.code, func.count()).group_by(Member.code)).all()
    assert sorted(tuple(row) for row in grouped) == [(-7, 1), (8, 1)]
    newest = select(Member.note).where(Member.id == ann.id).scalar_subquery()
    assert session.execute(select(Member.name, newest)).all()[0][1] == ANN["note"]
    cte = select(Member).where(Member.code == -7).cte("some")
    assert session.execute(select(cte.c.seen)).scalar_one() == ANN["seen"]
    refused(session, select(Member).where(Member.note.contains("tea")))
    refused(session, select(Member).where(Member.born > datetime.date(1980, 1, 1)))
    refused(session, select(Member).order_by(Member.email))
    refused(session, select(func.sum(Member.credit)))
    refused(session, select(func.lower(Member.email)))


def changes(session: Session) -> None:
    many = [dict(name=f"n{n}", email=f"{n}@club.example", code=n, note=None) for n in range(100, 150)]
    session.execute(insert(Member), many)
    made = session.scalars(insert(Member).returning(Member, sort_by_parameter_order=True), [dict(name="x", email="x@club.example", code=1), dict(name="y", email="y@club.example", code=2)])
    assert [(one.email, one.code) for one in made] == [("x@club.example", 1), ("y@club.example", 2)]
    session.add_all([Member(name=f"o{n}", email=f"o{n}@club.example", seen=ANN["seen"], credit=n) for n in range(30)])
    session.flush()
    session.execute(update(Member), [dict(id=one.id, note=f"likes tea & scones {one.code}") for one in session.scalars(select(Member).where(Member.code.in_([101, 102])))])
    assert session.scalar(select(Member.note).where(Member.code == 102)) == "likes tea & scones 102"
    changed = update(Member).where(Member.email == BOB["email"]).values(note="forgot an umbrella", credit=decimal.Decimal("0.1")).returning(Member.note, Member.credit)
    assert tuple(session.execute(changed).one()) == ("forgot an umbrella", decimal.Decimal("0.10"))
    row = upsert(Member).values(**{**BOB, "note": "likes tea & scones"})
    row = row.on_conflict_do_update(index_elements=[Member.email], set_=dict(note=row.excluded.note)).returning(Member.name, Member.note)
    assert tuple(session.execute(row).one()) == ("Bob", "likes tea & scones")
    session.execute(upsert(Member).values(**BOB).on_conflict_do_nothing())
    bob = session.scalars(select(Member).where(Member.code == 8)).one()
    bob.active, bob.born = None, ANN["born"]
    session.commit()
    assert (bob.active, bob.born, bob.credit) == (None, ANN["born"], decimal.Decimal("0.10"))
    gone = session.scalars(delete(Member).where(Member.code.in_(range(100, 150))).returning(Member.email)).all()
    assert len(gone) == 50 and "149@club.example" in gone
    session.execute(delete(Member).where(Member.email.not_in([ANN["email"], BOB["email"]])))
    session.commit()


def relations(session: Session) -> None:
    ann = session.scalars(select(Member).where(Member.code == -7)).one()
    ann.visits = [Visit(remark="forgot an umbrella", paid=decimal.Decimal("9.90")), Visit()]
    session.commit()
    session.expunge_all()
    for load in (joinedload, selectinload):
        again = session.scalars(select(Member).options(load(Member.visits)).where(Member.email == ANN["email"])).unique().one()
        assert [visit.remark for visit in again.visits] == ["forgot an umbrella", None]
        session.expunge_all()
    spent = select(Member.email, func.sum(Visit.paid)).join(Visit).group_by(Member.email)
    assert session.execute(spent).all() == [(ANN["email"], decimal.Decimal("9.90"))]
    session.delete(session.scalars(select(Member).where(Member.code == -7)).one())
    session.commit()
    assert session.scalar(select(func.count()).select_from(Visit)) == 0


def transactions(session: Session) -> None:
    session.add(Member(**ANN))
    session.commit()
    refused(session, insert(Member).values(name="again", email=ANN["email"]).returning(Member.id), "23505")
    refused(session, insert(Member).values(name="long", email="x" * 101).returning(Member.id), "22001")
    try:
        with session.begin_nested():
            session.add(Member(name="again", email=ANN["email"]))
            session.flush()
        raise AssertionError("an address was taken twice")
    except IntegrityError as error:
        assert "club.example" not in str(error.orig), error.orig
    with session.begin_nested() as inner:
        session.execute(update(Member).values(note="undone"))
        inner.rollback()
    session.commit()
    assert session.scalar(select(Member.note).where(Member.code == -7)) == ANN["note"]
    found = select(Member).where(Member.code == -7).with_for_update(skip_locked=True).execution_options(yield_per=1)
    assert [one.ref for one in session.scalars(found)] == [ANN["ref"]]
    session.commit()


def declared(model: type[Base], without: str) -> list[Column]:
    return [Column(one.name, one.type, primary_key=one.primary_key) for one in model.__table__.columns if one.name != without]


def reflection(engine) -> None:
    shown = inspect(engine)
    assert {"members", "visits"} <= set(shown.get_table_names())
    assert [column["name"] for column in shown.get_columns("members")][:4] == ["id", "name", "email", "code"]
    assert shown.get_pk_constraint("members")["constrained_columns"] == ["id"]
    assert ["email"] in [one["column_names"] for one in shown.get_unique_constraints("members")]
    assert [one["referred_table"] for one in shown.get_foreign_keys("visits")] == ["members"]
    metadata = MetaData()
    # What is sealed shows as the type that it has at rest, so an application that reflects declares those columns itself.
    members = Table("members", metadata, *declared(Member, "id"), autoload_with=engine)
    assert isinstance(members.c.id.type, Integer)
    with engine.connect() as connection:
        row = connection.execute(select(members.c.email, members.c.born).where(members.c.ref == ANN["ref"])).one()
        assert tuple(row) == (ANN["email"], ANN["born"])


def with_driver(driver: str) -> None:
    engine = create_engine(URL.replace("postgres:", f"postgresql+{driver}:"))
    with Session(engine) as session:
        session.execute(delete(Member))
        for step in (reads_and_finds, changes, relations, transactions):
            step(session)
    reflection(engine)
    other = Table("other", MetaData(), *declared(Visit, "member_id"))
    other.create(engine)
    with engine.begin() as connection:
        connection.execute(insert(other).values(remark="plain"))
        assert connection.execute(select(case((other.c.remark.like("pl%"), 1)))).scalar() == 1
    other.drop(engine)
    engine.dispose()


async def with_asyncpg() -> None:
    engine = create_async_engine(URL.replace("postgres:", "postgresql+asyncpg:"))
    async with AsyncSession(engine) as session:
        for step in (lambda one: one.execute(delete(Member)), reads_and_finds, changes, relations, transactions):
            await session.run_sync(step)
    async with engine.connect() as connection:
        shown = await connection.run_sync(lambda one: inspect(one).get_columns("members"))
        assert len(shown) == 10
    await engine.dispose()


if ACTION == "migrate":
    Base.metadata.create_all(create_engine(URL.replace("postgres:", "postgresql+psycopg:")))
else:
    for name in DRIVERS:
        if name == "asyncpg":
            asyncio.run(with_asyncpg())
        else:
            with_driver(name)
print("ok")
