/** TypeORM: repositories, its query builder, relations, transactions, its migrations' log. */
import assert from 'node:assert/strict';
import { ANN, BOB, FOUND_BY, MANY, refused, same } from './values.mjs';

export async function withTypeorm(require, url) {
  const { DataSource, EntitySchema, In, IsNull, Like, MoreThan, Not } = require('typeorm');
  const column = (type, more) => ({ type, nullable: true, ...more });
  const Member = new EntitySchema({
    name: 'Member',
    tableName: 'members',
    columns: {
      id: { type: 'integer', primary: true, generated: 'increment' },
      name: { type: 'text' },
      email: { type: 'varchar', length: 100, unique: true },
      code: column('integer'),
      credit: column('numeric', { precision: 12, scale: 2 }),
      born: column('date'),
      seen: column('timestamptz'),
      ref: column('uuid', { unique: true }),
      active: column('boolean'),
      note: column('text'),
    },
    relations: { visits: { type: 'one-to-many', target: 'Visit', inverseSide: 'member', cascade: true } },
  });
  const Visit = new EntitySchema({
    name: 'Visit',
    tableName: 'visits',
    columns: {
      id: { type: 'integer', primary: true, generated: 'increment' },
      remark: column('text'),
      paid: { type: 'numeric', precision: 8, scale: 2, default: 0 },
    },
    relations: {
      member: { type: 'many-to-one', target: 'Member', joinColumn: { name: 'member_id' }, onDelete: 'CASCADE' },
    },
  });
  const source = await new DataSource({
    type: 'postgres',
    url,
    entities: [Member, Visit],
    migrations: [Made1700000000000],
  }).initialize();
  try {
    const members = source.getRepository('Member');
    await members.createQueryBuilder().delete().execute();
    await readsAndFinds(members, { In, IsNull, Like, MoreThan, Not });
    await changes(members, { In });
    await relations(source);
    await transactions(source, members);
    await source.runMigrations();
    await source.undoLastMigration();
    await source.query('DROP TABLE migrations');
  } finally {
    await source.destroy();
  }
}

class Made1700000000000 {
  name = 'Made1700000000000';
  up = (runner) => runner.query('CREATE TABLE other (id serial PRIMARY KEY, body text)');
  down = (runner) => runner.query('DROP TABLE other');
}

async function readsAndFinds(members, { In, IsNull, Like, MoreThan, Not }) {
  await members.save([{ ...ANN }, { ...BOB }]);
  same(await members.findOneBy({ email: ANN.email }), ANN);
  const names = async (where) =>
    (await members.find({ where, order: { id: 'ASC' }, select: { name: true } })).map(({ name }) => name);
  for (const by of FOUND_BY) {
    assert.deepEqual(await names({ [by]: ANN[by] }), ['Ann'], by);
    assert.deepEqual(await names({ [by]: In([ANN[by]]) }), ['Ann'], by);
  }
  assert.deepEqual(await names({ code: Not(8) }), ['Ann']);
  assert.deepEqual(await names({ born: IsNull() }), ['Bob']);
  assert.deepEqual(await names([{ code: 8 }, { ref: ANN.ref }]), ['Ann', 'Bob']);
  assert.equal(await members.countBy({ email: ANN.email }), 1);
  assert.equal(await members.existsBy({ email: 'nobody@club.example' }), false);
  await refused(members.findBy({ note: Like('%tea%') }));
  await refused(members.findBy({ born: MoreThan('1980-01-01') }));
  await refused(members.find({ order: { email: 'ASC' } }));
  await refused(members.sum('credit'));
}

async function changes(members, { In }) {
  await members.insert(MANY);
  const bob = await members.findOneByOrFail({ code: 8 });
  await members.save({ ...bob, note: 'forgot an umbrella', credit: '0.1', seen: ANN.seen });
  same(await members.findOneBy({ id: bob.id }), { note: 'forgot an umbrella', credit: '0.10', seen: ANN.seen });
  await members.upsert({ ...BOB, note: 'likes tea & scones' }, ['email']);
  assert.equal((await members.findOneBy({ email: BOB.email })).note, 'likes tea & scones');
  const updated = await members
    .createQueryBuilder()
    .update()
    .set({ active: null })
    .where('email = :email', { email: BOB.email })
    .returning(['email', 'active'])
    .execute();
  assert.deepEqual(updated.raw, [{ email: BOB.email, active: null }]);
  assert.equal((await members.delete({ code: In(MANY.map(({ code }) => code)) })).affected, 50);
}

async function relations(source) {
  const members = source.getRepository('Member');
  const ann = await members.findOneBy({ email: ANN.email });
  await members.save({ ...ann, visits: [{ remark: 'forgot an umbrella', paid: '9.90' }] });
  const [found] = await members.find({ where: { email: ANN.email }, relations: { visits: true } });
  assert.equal(found.visits[0].remark, 'forgot an umbrella');
  const paged = await members.find({ relations: { visits: true }, order: { id: 'ASC' }, take: 1 });
  assert.equal(paged[0].email, ANN.email);
  const spent = await members
    .createQueryBuilder('m')
    .innerJoin('m.visits', 'v')
    .select('m.email', 'email')
    .addSelect('SUM(v.paid)', 'spent')
    .groupBy('m.email')
    .getRawMany();
  assert.deepEqual(spent, [{ email: ANN.email, spent: '9.90' }]);
  const visit = await source
    .getRepository('Visit')
    .findOne({ where: { member: { ref: ANN.ref } }, relations: { member: true } });
  assert.equal(visit.member.born, ANN.born);
}

async function transactions(source, members) {
  await refused(members.insert({ name: 'again', email: ANN.email }), '23505');
  await refused(members.insert({ name: 'long', email: 'x'.repeat(101) }), '22001');
  await source.transaction('SERIALIZABLE', async (outer) => {
    await assert.rejects(
      outer.transaction(async (inner) => {
        await inner.update('Member', { email: ANN.email }, { note: 'undone' });
        throw new RangeError('undo');
      }),
      RangeError,
    );
    await outer.getRepository('Member').findOne({ where: { email: ANN.email }, lock: { mode: 'pessimistic_write' } });
  });
  assert.equal((await members.findOneBy({ email: ANN.email })).note, ANN.note);
}
