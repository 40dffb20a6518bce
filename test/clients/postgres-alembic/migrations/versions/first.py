import sqlalchemy as sa
from alembic import op

revision = "first"
down_revision = None


def upgrade():
    op.create_table(
        "alembic_patient",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("ssn", sa.String(11), nullable=False, unique=True),
        sa.Column("note", sa.Text),
    )


def downgrade():
    op.drop_table("alembic_patient")
