/** Knex: its query builder and its migrations. */
import assert from 'node:assert/strict';
import { ANN, BOB, FOUND_BY, MANY, refused, same } from './values.mjs';

export async function withKnex(require, url) {
  require('pg').types.setTypeParser(1082, (text) => text);
  const knex = require('knex')({ client: 'pg', connection: url, pool: { min: 0, max: 4 } });
  try {
    await knex('members').del();
    await readsAndFinds(knex);
    await changes(knex);
    await transactions(knex);
    await schema(knex);
  } finally {
    await knex.destroy();
  }
}

async function readsAndFinds(knex) {
  const members = () => knex('members');
  await members().insert([ANN, BOB]);
  const ann = await members().where({ email: ANN.email }).first();
  same(ann, ANN);
  for (const by of FOUND_BY) {
    assert.deepEqual(await members().where(by, ANN[by]).pluck('name'), ['Ann'], by);
    assert.deepEqual(await members().whereIn(by, [ANN[by]]).pluck('name'), ['Ann'], by);
  }
  assert.deepEqual(await members().whereNot({ code: 8 }).pluck('name'), ['Ann']);
  assert.deepEqual(await members().whereNull('born').pluck('name'), ['Bob']);
  assert.deepEqual(await members().where({ code: 8 }).orWhere({ ref: ANN.ref }).orderBy('id').pluck('name'), [
    'Ann',
    'Bob',
  ]);
  assert.deepEqual(await members().countDistinct('email as many'), [{ many: '2' }]);
  assert.equal((await members().select('code').count('* as many').groupBy('code')).length, 2);
  assert.equal((await members().distinct('code')).length, 2);
  const [id] = await members().where({ email: ANN.email }).pluck('id');
  await knex('visits').insert({ member_id: id, remark: 'forgot an umbrella', paid: '9.90' });
  const joined = await members()
    .join('visits', 'members.id', 'visits.member_id')
    .where('members.code', -7)
    .select('email', 'remark');
  assert.deepEqual(joined, [{ email: ANN.email, remark: 'forgot an umbrella' }]);
  const some = await knex
    .with('some', members().where({ code: -7 }))
    .select('note')
    .from('some');
  assert.deepEqual(some, [{ note: ANN.note }]);
  assert.deepEqual(await members().whereExists(knex('visits').whereRaw('member_id = members.id')).pluck('name'), [
    'Ann',
  ]);
  const seen = [];
  for await (const row of members().orderBy('id').stream({ highWaterMark: 1 })) seen.push(row.email);
  assert.deepEqual(seen, [ANN.email, BOB.email]);
  assert.deepEqual((await knex.raw('select note from members where email = ?', [ANN.email])).rows, [
    { note: ANN.note },
  ]);
  await refused(members().whereILike('note', '%TEA%'));
  await refused(members().whereBetween('born', ['1980-01-01', '1990-01-01']));
  await refused(members().orderBy('email'));
  await refused(members().max('credit'));
  await refused(members().increment('code', 1));
}

async function changes(knex) {
  const members = () => knex('members');
  await members().insert(MANY);
  await knex.batchInsert(
    'members',
    MANY.map((row) => ({ ...row, email: `b${row.email}`, code: row.code + 1000 })),
    20,
  );
  const changed = await members()
    .where({ email: BOB.email })
    .update({ note: 'forgot an umbrella', credit: '0.1' }, ['note', 'credit']);
  assert.deepEqual(changed, [{ note: 'forgot an umbrella', credit: '0.10' }]);
  const merged = await members()
    .insert({ ...BOB, note: 'likes tea & scones' })
    .onConflict('email')
    .merge()
    .returning(['name', 'note']);
  assert.deepEqual(merged, [{ name: 'Bob', note: 'likes tea & scones' }]);
  await members().insert(BOB).onConflict('email').ignore();
  assert.equal(
    await members()
      .where('code', '>=', 0)
      .del()
      .catch(({ code }) => code),
    '0A000',
  );
  assert.equal(
    await members()
      .whereIn(
        'code',
        MANY.map(({ code }) => code),
      )
      .del(),
    50,
  );
  assert.equal(
    (
      await members()
        .whereIn(
          'code',
          MANY.map(({ code }) => code + 1000),
        )
        .del(['email'])
    ).length,
    50,
  );
}

async function transactions(knex) {
  await refused(knex('members').insert({ name: 'again', email: ANN.email }), '23505');
  await refused(knex('members').insert({ name: 'long', email: 'x'.repeat(101) }), '22001');
  await refused(knex('members').insert({ name: 'wrong', email: 'w@club.example', born: 'soon' }), '22007');
  await knex.transaction(async (outer) => {
    await outer('members').forUpdate().where({ email: ANN.email });
    await assert.rejects(
      outer.transaction(async (inner) => {
        await inner('members').update({ note: 'undone' });
        await refused(inner('members').whereLike('note', '%x%'));
        throw new RangeError('undo');
      }),
      RangeError,
    );
    await outer('members').where({ email: ANN.email }).update({ active: null });
  });
  assert.deepEqual(await knex('members').where({ code: -7 }).select('note', 'active'), [
    { note: ANN.note, active: null },
  ]);
}

/** Its migrations of other tables, through the proxy; and what it finds in the catalog. */
async function schema(knex) {
  const migrations = [
    {
      up: (on) => on.schema.createTable('other', (table) => table.increments() && table.text('body').index()),
      down: (on) => on.schema.dropTable('other'),
    },
    {
      up: (on) => on.schema.alterTable('other', (table) => table.integer('other_id').references('other.id')),
      down: (on) => on.schema.alterTable('other', (table) => table.dropColumn('other_id')),
    },
  ];
  const migrationSource = {
    getMigrations: () => Promise.resolve(migrations.keys().toArray()),
    getMigrationName: (index) => `m${index}`,
    getMigration: (index) => Promise.resolve(migrations[index]),
  };
  const names = { migrationSource, tableName: 'knex_log' };
  assert.equal((await knex.migrate.latest(names))[1].length, 2);
  await knex.migrate.rollback(names, true);
  for (const table of ['knex_log', 'knex_log_lock']) await knex.schema.dropTable(table);
  assert.ok(await knex.schema.hasTable('members'));
  assert.ok(await knex.schema.hasColumn('members', 'email'));
  assert.ok('seen' in (await knex('members').columnInfo()));
}
