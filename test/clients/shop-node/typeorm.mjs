/** The shop with TypeORM: repositories and its query builder. */
import { ADDRESS, ANN, BOB, COMMENT, failing, GIFT, MORE, NUMBER, PRODUCTS } from './rows.mjs';

const column = (type, more) => ({ type, nullable: true, ...more });
const ID = { type: 'integer', primary: true, generated: 'identity', generatedIdentity: 'BY DEFAULT' };

function entities(EntitySchema) {
  const Customer = new EntitySchema({
    name: 'Customer',
    tableName: 'customers',
    columns: {
      id: ID,
      name: { type: 'text' },
      email: column('varchar', { length: 100, unique: true }),
      phone: column('text'),
      externalId: column('uuid', { name: 'external_id' }),
      birth: column('date', { name: 'birth_date' }),
      credit: column('numeric', { precision: 12, scale: 2 }),
      lastSeen: column('timestamptz', { name: 'last_seen' }),
      loyalty: column('integer'),
      notes: column('text'),
      preferences: column('jsonb'),
      nicknames: column('text', { array: true }),
      vip: column('boolean'),
      version: { type: 'integer', version: true },
      createdAt: { type: 'timestamptz', name: 'created_at', default: () => "'2026-01-01 00:00:00+00'" },
      deletedAt: column('timestamptz', { name: 'deleted_at' }),
    },
    relations: { orders: { type: 'one-to-many', target: 'Order', inverseSide: 'customer' } },
  });
  const Product = new EntitySchema({
    name: 'Product',
    tableName: 'products',
    columns: {
      id: ID,
      sku: { type: 'varchar', length: 20 },
      title: { type: 'text' },
      price: { type: 'numeric' },
      tags: { type: 'text', array: true },
      attributes: column('jsonb'),
    },
  });
  const Order = new EntitySchema({
    name: 'Order',
    tableName: 'orders',
    columns: {
      id: ID,
      number: column('text'),
      address: column('jsonb'),
      comment: column('text'),
      status: { type: 'text', default: 'open' },
      total: { type: 'numeric', default: 0 },
    },
    relations: {
      customer: { type: 'many-to-one', target: 'Customer', joinColumn: { name: 'customer_id' }, inverseSide: 'orders' },
      items: { type: 'one-to-many', target: 'Item', inverseSide: 'order', cascade: true },
    },
  });
  const Item = new EntitySchema({
    name: 'Item',
    tableName: 'line_items',
    columns: {
      id: ID,
      quantity: { type: 'integer', default: 1 },
      price: { type: 'numeric' },
      giftNote: column('text', { name: 'gift_note' }),
    },
    relations: {
      order: { type: 'many-to-one', target: 'Order', joinColumn: { name: 'order_id' }, inverseSide: 'items' },
      product: { type: 'many-to-one', target: 'Product', joinColumn: { name: 'product_id' } },
    },
  });
  return [Customer, Product, Order, Item];
}

export async function work(require, url) {
  const {
    Between,
    DataSource,
    EntitySchema,
    ILike,
    In,
    IsNull,
    LessThan,
    Not,
    Any,
    ArrayContains,
  } = require('typeorm');
  const found = entities(EntitySchema);
  const db = await new DataSource({ type: 'postgres', url, entities: found, poolSize: 1 }).initialize();
  const [customers, products, orders, items] = found.map((one) => db.getRepository(one));

  const ann = await customers.save({ ...ANN });
  const bob = await customers.save({ ...BOB });
  await customers.save(MORE.map((one) => ({ ...one })));
  await products.insert(PRODUCTS);
  await db.transaction(async (tx) => {
    await tx.save('Order', {
      customer: ann,
      number: NUMBER,
      address: ADDRESS,
      comment: COMMENT,
      total: '18.80',
      items: [
        { product: { id: 1 }, quantity: 2, price: '4.90', giftNote: GIFT },
        { product: { id: 2 }, price: '9' },
      ],
    });
    await tx.update('Customer', { id: ann.id }, { lastSeen: new Date('2026-03-01') });
  });
  await orders.insert([
    { customer: bob, number: '2026-000018', status: 'paid', total: '9' },
    { customer: ann, number: '2026-000019', total: '29' },
  ]);

  await customers.findOneBy({ email: ANN.email });
  await customers.find({
    where: { externalId: ANN.externalId, deletedAt: IsNull() },
    select: { id: true, lastSeen: true },
  });
  await customers.find({ where: { email: In([ANN.email, BOB.email]) }, order: { id: 'ASC' } });
  await customers.find({ where: [{ phone: BOB.phone }, { phone: IsNull(), loyalty: Not(103) }], order: { id: 'ASC' } });
  await customers.find({ where: { birth: ANN.birth, credit: ANN.credit } });
  await customers.find({ where: { email: Any([ANN.email, 'nobody@shop.example']) } });
  await customers.exists({ where: { email: ANN.email } });
  await customers.find({
    relations: { orders: { items: { product: true } } },
    order: { id: 'ASC', orders: { id: 'ASC', items: { id: 'ASC' } } },
  });
  await customers.find({ relations: { orders: true }, order: { id: 'ASC' }, take: 2, skip: 1 });
  await customers.findOne({ where: { email: ANN.email }, relations: { orders: true } });
  await orders.find({ where: { customer: { email: ANN.email } }, relations: { customer: true }, order: { id: 'ASC' } });
  await customers.find({ relations: { orders: true }, relationLoadStrategy: 'query', order: { id: 'ASC' } });
  await customers.findAndCount({ where: { deletedAt: IsNull() }, order: { id: 'DESC' }, take: 2, skip: 2 });
  await customers.countBy({ notes: Not(IsNull()) });
  const q = (alias) => customers.createQueryBuilder(alias);
  await q('c')
    .innerJoinAndSelect('c.orders', 'o', 'o.status = :status', { status: 'paid' })
    .where('c.email IN (:...emails)', { emails: [ANN.email, BOB.email] })
    .orderBy('c.id')
    .getMany();
  await q('c')
    .leftJoin('c.orders', 'o')
    .select('c.email', 'email')
    .addSelect('SUM(o.total)', 'spent')
    .groupBy('c.email')
    .getRawMany();
  await q('c').select('COUNT(DISTINCT c.email)', 'n').getRawOne();
  await q('c')
    .where(
      (b) =>
        `c.id IN ${b.subQuery().select('o.customer_id').from('Order', 'o').where('o.number = :number').getQuery()}`,
    )
    .setParameter('number', NUMBER)
    .getMany();
  await q('c').leftJoinAndSelect('c.orders', 'o').orderBy('c.id').addOrderBy('o.id').take(2).getManyAndCount();
  await q('c').distinctOn(['c.loyalty']).select('c.loyalty', 'loyalty').getRawMany();
  await orders
    .createQueryBuilder('o')
    .select('o.status', 'status')
    .addSelect('COUNT(*)', 'n')
    .groupBy('o.status')
    .having('COUNT(*) > :least', { least: 0 })
    .orderBy('o.status')
    .getRawMany();
  await orders.sum('total', { status: 'paid' });
  await orders.maximum('total');

  await customers.upsert({ name: 'Bob B.', email: BOB.email, loyalty: 8 }, ['email']);
  await customers.upsert(
    [
      { name: 'Bob C.', email: BOB.email, notes: 'twice' },
      { name: 'Gus', email: 'gus@shop.example', notes: 'new' },
    ],
    { conflictPaths: ['email'], skipUpdateIfNoValuesChanged: false },
  );
  await failing(
    customers
      .upsert([{ name: 'Bob D.', email: BOB.email, notes: 'again' }], {
        conflictPaths: ['email'],
        skipUpdateIfNoValuesChanged: true,
      })
      .then(() => Promise.reject(new Error('it went'))),
  );
  await q()
    .insert()
    .values([{ name: 'Bob again', email: BOB.email }])
    .orIgnore()
    .execute();
  await q()
    .update()
    .set({ notes: 'called', vip: false, preferences: {} })
    .where('email = :email', { email: 'gus@shop.example' })
    .returning(['id', 'notes', 'vip'])
    .execute();
  await customers.update({ email: MORE[0].email }, { deletedAt: new Date('2026-03-03') });
  ann.notes = 'changed';
  ann.nicknames = [];
  await customers.save(ann);
  await customers.save([
    { id: bob.id, preferences: { newsletter: false }, lastSeen: new Date('2026-03-04T05:06:07Z') },
  ]);
  await customers.increment({ id: bob.id }, 'version', 1);
  await customers.preload({ id: bob.id, name: 'Preloaded' });

  await products.createQueryBuilder('p').where("p.attributes ->> 'color' = :color", { color: 'blue' }).getMany();
  await products.find({ where: { tags: ArrayContains(['hot']) }, order: { id: 'ASC' } });
  await db.query('SELECT id, email, preferences FROM customers WHERE email = $1', [ANN.email]);

  await failing(
    db.transaction(async (tx) => {
      await tx
        .createQueryBuilder('Customer', 'c')
        .setLock('pessimistic_write')
        .where('c.email = :email', { email: ANN.email })
        .getOne();
      await tx.update('Customer', {}, { notes: 'undone' });
      throw new Error('undo');
    }),
  );
  await db.transaction('SERIALIZABLE', async (tx) => {
    await failing(tx.transaction((inner) => inner.insert('Customer', { name: 'Dup', email: ANN.email })));
    await tx.update('Customer', { email: ANN.email }, { vip: null });
  });
  await failing(customers.insert({ name: 'Long', email: 'x'.repeat(101) }));
  await failing(orders.insert({ customer: { id: 9999 }, number: 'none' }));

  const hopeful = (promise) => promise.catch(() => undefined);
  await customers.findBy({ email: ILike('%SHOP%') });
  await customers.findBy({ birth: LessThan('2000-01-01') });
  await customers.findBy({ credit: Between('1', '2000') });
  await customers.sum('credit');
  await customers.find({ order: { email: 'ASC' }, select: { email: true } });
  await hopeful(q('c').where('LOWER(c.email) = LOWER(:email)', { email: ANN.email }).getMany());
  await hopeful(q('c').where("c.preferences ->> 'language' = :language", { language: 'de-AT' }).getMany());
  await customers.increment({ id: bob.id }, 'loyalty', 1);

  await items.delete({ order: { id: 1 }, product: { id: 2 } });
  await orders.delete({ number: '2026-000018' });
  await customers.delete({ email: In(MORE.map(({ email }) => email)) });
  await customers.remove(await customers.findOneByOrFail({ id: bob.id }));
  await db.destroy();
}
