export const up = (pgm) => {
  pgm.createTable('node_pg_patient', {
    id: 'id',
    name: { type: 'varchar(100)', notNull: true },
    ssn: { type: 'varchar(11)', notNull: true, unique: true },
    note: 'text',
  });
};
export const down = (pgm) => pgm.dropTable('node_pg_patient');
