/** The shop with Sequelize. */
import { ADDRESS, ANN, BOB, COMMENT, failing, GIFT, MORE, NUMBER, PRODUCTS } from './rows.mjs';

export async function work(require, url) {
  const { Sequelize, DataTypes: T, Op, col, fn, literal, where } = require('sequelize');
  const db = new Sequelize(url, { logging: false, pool: { min: 0, max: 1 } });
  const define = (name, table, columns) =>
    db.define(name, columns, { tableName: table, timestamps: false, underscored: true });
  const Customer = define('customer', 'customers', {
    name: { type: T.TEXT, allowNull: false },
    email: T.STRING(100),
    phone: T.TEXT,
    externalId: T.UUID,
    birth: { type: T.DATEONLY, field: 'birth_date' },
    credit: T.DECIMAL(12, 2),
    lastSeen: T.DATE,
    loyalty: T.INTEGER,
    notes: T.TEXT,
    preferences: T.JSONB,
    nicknames: T.ARRAY(T.TEXT),
    vip: T.BOOLEAN,
    version: { type: T.INTEGER, defaultValue: 1 },
    deletedAt: T.DATE,
  });
  Customer.addScope('living', { where: { deletedAt: null } });
  const Product = define('product', 'products', {
    sku: T.STRING(20),
    title: T.TEXT,
    price: T.DECIMAL(10, 2),
    tags: T.ARRAY(T.TEXT),
    attributes: T.JSONB,
  });
  const Order = define('order', 'orders', {
    number: T.TEXT,
    address: T.JSONB,
    comment: T.TEXT,
    status: { type: T.TEXT, defaultValue: 'open' },
    total: { type: T.DECIMAL(12, 2), defaultValue: 0 },
  });
  const Item = define('item', 'line_items', { quantity: T.INTEGER, price: T.DECIMAL(10, 2), giftNote: T.TEXT });
  Customer.hasMany(Order, { foreignKey: 'customerId' });
  Order.belongsTo(Customer, { foreignKey: 'customerId' });
  Order.hasMany(Item, { foreignKey: 'orderId' });
  Item.belongsTo(Order, { foreignKey: 'orderId' });
  Item.belongsTo(Product, { foreignKey: 'productId' });

  await db.authenticate();
  const ann = await Customer.create(ANN);
  const bob = await Customer.create(BOB);
  await Customer.bulkCreate(MORE);
  await Product.bulkCreate(PRODUCTS, { returning: ['id', 'sku'] });
  const order = await db.transaction(async (transaction) => {
    const made = await Order.create(
      {
        customerId: ann.id,
        number: NUMBER,
        address: ADDRESS,
        comment: COMMENT,
        total: '18.80',
        items: [
          { productId: 1, quantity: 2, price: '4.90', giftNote: GIFT },
          { productId: 2, price: '9' },
        ],
      },
      { include: Item, transaction },
    );
    await Customer.increment('version', { where: { id: ann.id }, transaction });
    return made;
  });
  await Order.bulkCreate([
    { customerId: bob.id, number: '2026-000018', status: 'paid', total: '9' },
    { customerId: ann.id, number: '2026-000019', total: '29' },
  ]);

  await Customer.findOne({ where: { email: ANN.email } });
  await Customer.findByPk(bob.id);
  await Customer.scope('living').findAll({ where: { externalId: ANN.externalId }, attributes: ['id', 'lastSeen'] });
  await Customer.findAll({ where: { email: [ANN.email, BOB.email] }, order: ['id'] });
  await Customer.findAll({
    where: { [Op.or]: [{ phone: BOB.phone }, { phone: null }], loyalty: { [Op.notIn]: [41, 103] } },
    order: ['id'],
  });
  await Customer.findAll({ where: { birth: ANN.birth, credit: ANN.credit, loyalty: { [Op.ne]: 7 } } });
  await Customer.findAll({ where: { email: { [Op.any]: [ANN.email, 'nobody@shop.example'] } } });
  await Customer.findAll({
    where: { notes: { [Op.not]: null } },
    attributes: { exclude: ['preferences'] },
    order: [['id', 'DESC']],
  });
  await Customer.findAll({
    include: { model: Order, include: [{ model: Item, include: Product }] },
    order: [
      ['id', 'ASC'],
      [Order, 'id', 'ASC'],
      [Order, Item, 'id', 'ASC'],
    ],
  });
  await Customer.findAll({
    include: { model: Order, where: { status: 'paid' }, required: true },
    order: ['id'],
    limit: 2,
  });
  await Customer.findAll({ include: { model: Order, separate: true, order: ['id'] }, where: { email: ANN.email } });
  await Order.findAll({
    include: { model: Customer, where: { email: ANN.email }, attributes: ['name', 'email', 'preferences'] },
    order: ['id'],
  });
  await Order.findAll({ include: Customer, where: { '$customer.email$': ANN.email }, order: ['id'] });
  await Customer.findAndCountAll({ where: { deletedAt: null }, order: [['id', 'DESC']], limit: 2, offset: 2 });
  await Customer.findAndCountAll({ include: Order, distinct: true, limit: 2, order: ['id'] });
  await ann.getOrders({ order: ['id'] });
  await bob.countOrders();

  await Order.findAll({
    attributes: ['status', [fn('COUNT', col('id')), 'n'], [fn('SUM', col('total')), 'total']],
    group: ['status'],
    having: literal('COUNT(id) > 0'),
    order: ['status'],
    raw: true,
  });
  await Order.findAll({
    attributes: [[fn('SUM', col('total')), 'spent']],
    include: { model: Customer, attributes: ['email'] },
    group: ['customer.id', 'customer.email'],
    order: [[col('customer.id'), 'ASC']],
    raw: true,
  });
  await Customer.count({ distinct: true, col: 'email' });
  await Customer.count({ group: ['loyalty'] });
  await Order.max('total');
  await Customer.aggregate('email', 'DISTINCT', { plain: false });

  await Customer.upsert({ name: 'Bob B.', email: BOB.email, loyalty: 8 }, { conflictFields: ['email'] });
  await Customer.bulkCreate(
    [
      { name: 'Bob C.', email: BOB.email, notes: 'twice' },
      { name: 'Gus', email: 'gus@shop.example', notes: 'new' },
    ],
    { updateOnDuplicate: ['name', 'notes'], conflictAttributes: ['email'] },
  );
  await Customer.bulkCreate([{ name: 'Bob again', email: BOB.email }], { ignoreDuplicates: true });
  await Customer.findOrCreate({
    where: { email: 'hal@shop.example' },
    defaults: { name: 'Hal', notes: 'found or made' },
  });
  await Customer.findOrCreate({ where: { email: ANN.email }, defaults: { name: 'No' } });
  await Customer.update(
    { notes: 'called', vip: false, preferences: {} },
    { where: { email: 'gus@shop.example' }, returning: true },
  );
  await Customer.update({ phone: null, version: 3 }, { where: { id: ann.id, version: 2 } });
  await Customer.update({ deletedAt: new Date('2026-03-03') }, { where: { email: MORE[0].email } });
  ann.notes = 'changed';
  ann.nicknames = [];
  await ann.save();
  await ann.reload();
  await bob.update({ preferences: { newsletter: false }, lastSeen: new Date('2026-03-04T05:06:07Z') });
  await Order.update(
    { comment: literal(`(SELECT notes FROM customers WHERE customers.id = "orders".customer_id)`) },
    { where: { status: 'paid' } },
  );

  await Product.findAll({ where: { attributes: { color: 'blue' } } });
  await Product.findAll({ where: { tags: { [Op.contains]: ['hot'] } }, order: ['id'] });
  await Product.findAll({ where: { attributes: { [Op.contains]: { organic: true } } } });
  await db.query('SELECT id, email FROM customers WHERE email = :email', {
    replacements: { email: ANN.email },
    type: 'SELECT',
  });
  await db.query('SELECT id, notes FROM customers WHERE email = $1 AND vip IS NOT NULL', {
    bind: [ANN.email],
    type: 'SELECT',
  });

  await failing(
    db.transaction(async (transaction) => {
      await Customer.findOne({ where: { id: ann.id }, lock: transaction.LOCK.UPDATE, transaction });
      await Customer.update({ notes: 'undone' }, { where: {}, transaction });
      throw new Error('undo');
    }),
  );
  await db.transaction({ isolationLevel: 'SERIALIZABLE' }, async (outer) => {
    await failing(
      db.transaction({ transaction: outer }, (transaction) =>
        Customer.create({ name: 'Dup', email: ANN.email }, { transaction }),
      ),
    );
    await Customer.update({ vip: null }, { where: { email: ANN.email }, transaction: outer });
  });
  await failing(Customer.create({ name: 'Long', email: 'x'.repeat(101) }));
  await failing(Order.create({ customerId: 9999, number: 'none', total: 1 }));

  await Customer.findAll({ where: { email: { [Op.iLike]: '%SHOP%' } } });
  await Customer.findAll({ where: { birth: { [Op.lt]: '2000-01-01' } } });
  await Customer.findAll({ where: { credit: { [Op.between]: [1, 2000] } } });
  await Customer.sum('credit');
  await Customer.findAll({ order: ['email'], attributes: ['email'] });
  await Customer.findAll({ where: where(fn('lower', col('email')), ANN.email) });
  await Customer.findAll({ where: { preferences: { language: 'de-AT' } } });
  await bob.increment('loyalty');

  await Item.destroy({ where: { orderId: order.id, productId: 2 } });
  await Order.destroy({ where: { number: '2026-000018' } });
  await Customer.destroy({ where: { email: MORE.map(({ email }) => email) } });
  await bob.destroy();
  await db.close();
}
