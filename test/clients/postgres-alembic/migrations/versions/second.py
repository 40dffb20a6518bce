import sqlalchemy as sa
from alembic import op

revision = "second"
down_revision = "first"


def upgrade():
    op.add_column("alembic_patient", sa.Column("born", sa.Date))
    op.add_column("alembic_patient", sa.Column("city", sa.Text, server_default="Rome"))
    op.create_index("alembic_patient_ssn_name", "alembic_patient", ["ssn", "name"])
    patient = sa.table(
        "alembic_patient",
        *(sa.column(name, sa.String) for name in ("name", "ssn", "note")),
        sa.column("born", sa.Date),
    )
    op.bulk_insert(patient, [{"name": "Ann", "ssn": "078-05-1120", "note": "canary of a migration"}])
    op.execute(patient.update().where(patient.c.ssn == "078-05-1120").values(born=sa.text("'1990-02-03'")))
    op.create_table(
        "alembic_visit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("ssn", sa.String(11), sa.ForeignKey("alembic_patient.ssn", ondelete="CASCADE")),
    )
    op.execute("INSERT INTO alembic_visit (id, ssn) SELECT id, ssn FROM alembic_patient")


def downgrade():
    op.drop_table("alembic_visit")
    op.drop_index("alembic_patient_ssn_name")
    op.drop_column("alembic_patient", "city")
    op.drop_column("alembic_patient", "born")
