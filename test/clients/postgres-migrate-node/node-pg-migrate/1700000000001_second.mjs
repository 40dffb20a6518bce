export const up = (pgm) => {
  pgm.addColumns('node_pg_patient', { born: { type: 'date' }, city: { type: 'text', default: 'Rome' } });
  pgm.createIndex('node_pg_patient', ['ssn', 'name']);
  pgm.sql("INSERT INTO node_pg_patient (name, ssn, note) VALUES ('Ann', '078-05-1120', 'canary of a migration')");
  pgm.sql("UPDATE node_pg_patient SET born = '1990-02-03' WHERE ssn = '078-05-1120'");
  pgm.createTable('node_pg_visit', {
    id: 'id',
    ssn: { type: 'varchar(11)', references: 'node_pg_patient (ssn)', onDelete: 'CASCADE' },
  });
  pgm.sql('INSERT INTO node_pg_visit (id, ssn) SELECT id, ssn FROM node_pg_patient');
};
// The other way round is its own to find; what SQL did it leaves to be told.
export const down = (pgm) => {
  pgm.dropTable('node_pg_visit');
  pgm.dropIndex('node_pg_patient', ['ssn', 'name']);
  pgm.dropColumns('node_pg_patient', ['born', 'city']);
};
