/** Sequelize 6: models, associations, transactions, what it asks the catalog. */
import assert from 'node:assert/strict';
import { ANN, BOB, FOUND_BY, MANY, refused, same } from './values.mjs';

export async function withSequelize(require, url) {
  const { DataTypes, Op, Sequelize } = require('sequelize');
  const sequelize = new Sequelize(url, { logging: false, pool: { max: 4 } });
  const options = { timestamps: false };
  const Member = sequelize.define(
    'member',
    {
      name: DataTypes.TEXT,
      email: { type: DataTypes.STRING(100), unique: true },
      code: DataTypes.INTEGER,
      credit: DataTypes.DECIMAL(12, 2),
      born: DataTypes.DATEONLY,
      seen: DataTypes.DATE,
      ref: DataTypes.UUID,
      active: DataTypes.BOOLEAN,
      note: DataTypes.TEXT,
    },
    { ...options, tableName: 'members' },
  );
  const Visit = sequelize.define(
    'visit',
    { remark: DataTypes.TEXT, paid: DataTypes.DECIMAL(8, 2) },
    { ...options, tableName: 'visits' },
  );
  Member.hasMany(Visit, { foreignKey: 'member_id' });
  Visit.belongsTo(Member, { foreignKey: 'member_id' });
  try {
    await Member.destroy({ where: {} });
    await readsAndFinds(Member, Op, Sequelize);
    await changes(Member);
    await relations(Member, Visit);
    await transactions(sequelize, Member);
    await catalog(sequelize, Visit);
  } finally {
    await sequelize.close();
  }
}

async function readsAndFinds(Member, Op, Sequelize) {
  same(await Member.create(ANN), ANN);
  await Member.create(BOB);
  same(await Member.findOne({ where: { email: ANN.email } }), ANN);
  const names = async (where) =>
    (await Member.findAll({ where, order: ['id'], attributes: ['name'] })).map(({ name }) => name);
  for (const by of FOUND_BY) {
    assert.deepEqual(await names({ [by]: ANN[by] }), ['Ann'], by);
    assert.deepEqual(await names({ [by]: [ANN[by]] }), ['Ann'], by);
  }
  assert.deepEqual(await names({ code: { [Op.ne]: 8 } }), ['Ann']);
  assert.deepEqual(await names({ born: null }), ['Bob']);
  assert.deepEqual(await names({ [Op.or]: [{ code: 8 }, { ref: ANN.ref }] }), ['Ann', 'Bob']);
  assert.deepEqual(await names({ email: { [Op.any]: [ANN.email] } }), ['Ann']);
  assert.equal(await Member.count({ distinct: true, col: 'email' }), 2);
  assert.deepEqual(await Member.findAndCountAll({ where: { code: 8 }, limit: 1 }).then(({ count }) => count), 1);
  await refused(Member.findAll({ where: { note: { [Op.iLike]: '%tea%' } } }));
  await refused(Member.findAll({ where: { born: { [Op.gt]: '1980-01-01' } } }));
  await refused(Member.findAll({ order: ['email'] }));
  await refused(Member.sum('credit'));
  await refused(Member.findAll({ where: Sequelize.where(Sequelize.fn('lower', Sequelize.col('email')), 'x') }));
  await refused(Member.increment('code', { where: {} }));
}

async function changes(Member) {
  const made = await Member.bulkCreate(MANY);
  assert.ok(made.every(({ id }) => id > 0));
  await Member.bulkCreate([{ ...BOB, note: 'likes tea & scones' }], {
    updateOnDuplicate: ['note'],
    conflictAttributes: ['email'],
  });
  await Member.bulkCreate([BOB], { ignoreDuplicates: true });
  const bob = await Member.findOne({ where: { email: BOB.email } });
  assert.equal(bob.note, 'likes tea & scones');
  await bob.update({ note: 'forgot an umbrella', credit: '0.1', seen: ANN.seen });
  same(await bob.reload(), { note: 'forgot an umbrella', credit: '0.10', seen: ANN.seen });
  const [count, rows] = await Member.update({ active: null }, { where: { code: 8 }, returning: true });
  assert.deepEqual([count, rows[0].active], [1, null]);
  const [again, created] = await Member.findOrCreate({ where: { email: BOB.email }, defaults: { name: 'never' } });
  assert.deepEqual([again.id, created], [bob.id, false]);
  const [upserted] = await Member.upsert({ ...BOB, note: 'likes tea & scones' }, { conflictFields: ['email'] });
  assert.equal(upserted.note, 'likes tea & scones');
  assert.equal(await Member.destroy({ where: { code: MANY.map(({ code }) => code) } }), 50);
}

async function relations(Member, Visit) {
  const ann = await Member.findOne({ where: { code: -7 } });
  await Visit.create({ member_id: ann.id, remark: 'forgot an umbrella', paid: '9.90' });
  const [found] = await Member.findAll({ where: { email: ANN.email }, include: { model: Visit, separate: false } });
  assert.equal(found.visits[0].remark, 'forgot an umbrella');
  const visit = await Visit.findOne({ include: { model: Member, where: { ref: ANN.ref }, required: true } });
  assert.equal(visit.member.born, ANN.born);
}

async function transactions(sequelize, Member) {
  await refused(Member.create({ name: 'again', email: ANN.email }), '23505');
  await refused(Member.create({ name: 'long', email: 'x'.repeat(101) }), '22001');
  await sequelize.transaction(async (transaction) => {
    await Member.findAll({ where: { email: ANN.email }, lock: true, transaction });
    const inner = await sequelize.transaction({ transaction });
    await Member.update({ note: 'undone' }, { where: {}, transaction: inner });
    await inner.rollback();
  });
  assert.equal((await Member.findOne({ where: { email: ANN.email } })).note, ANN.note);
}

async function catalog(sequelize, Visit) {
  const queries = sequelize.getQueryInterface();
  const shown = await queries.describeTable('members');
  assert.deepEqual([shown.id.primaryKey, shown.email.allowNull], [true, false]);
  const indexes = await queries.showIndex('members');
  assert.ok(indexes.some(({ unique, fields }) => unique && fields[0].attribute === 'email'));
  assert.equal((await queries.getForeignKeyReferencesForTable('visits'))[0].referencedTableName, 'members');
  // A table that no rule names, made and changed through the proxy.
  const Other = sequelize.define('other', { body: 'text' }, { timestamps: false, tableName: 'other' });
  await Other.sync();
  await queries.addColumn('other', 'more', { type: 'integer' });
  await Other.sync({ alter: true });
  await Other.drop();
  // Nothing is to be done, so nothing is.
  await Visit.sync();
}
