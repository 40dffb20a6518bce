// Steps as Knex's files have them.
export const first = {
  async up(knex) {
    await knex.schema.createTable('knex_patient', (table) => {
      table.increments('id');
      table.string('name', 100).notNullable();
      table.string('ssn', 11).notNullable().unique();
      table.text('note');
    });
  },
  down: (knex) => knex.schema.dropTable('knex_patient'),
};

export const second = {
  async up(knex) {
    await knex.schema.alterTable('knex_patient', (table) => {
      table.date('born');
      table.string('city').defaultTo('Rome');
      table.index(['ssn', 'name']);
    });
    await knex('knex_patient').insert({ name: 'Ann', ssn: '078-05-1120', note: 'canary of a migration' });
    await knex('knex_patient').where({ ssn: '078-05-1120' }).update({ born: '1990-02-03' });
    await knex.schema.createTable('knex_visit', (table) => {
      table.increments('id');
      table.string('ssn', 11).references('ssn').inTable('knex_patient').onDelete('CASCADE');
    });
    await knex('knex_visit').insert(knex('knex_patient').select('id', 'ssn'));
  },
  async down(knex) {
    await knex.schema.dropTable('knex_visit');
    await knex.schema.alterTable('knex_patient', (table) => {
      table.dropIndex(['ssn', 'name']);
      table.dropColumns('born', 'city');
    });
  },
};
