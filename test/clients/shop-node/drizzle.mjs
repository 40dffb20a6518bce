/** The shop with drizzle, over pg. */
import { ADDRESS, ANN, BOB, COMMENT, failing, GIFT, MORE, NUMBER, PRODUCTS } from './rows.mjs';

function schema(require) {
  const p = require('drizzle-orm/pg-core');
  const { relations } = require('drizzle-orm');
  const time = (name) => p.timestamp(name, { withTimezone: true });
  const customers = p.pgTable('customers', {
    id: p.integer().primaryKey().generatedByDefaultAsIdentity(),
    name: p.text().notNull(),
    email: p.varchar({ length: 100 }).unique(),
    phone: p.text(),
    externalId: p.uuid('external_id'),
    birth: p.date('birth_date'),
    credit: p.numeric({ precision: 12, scale: 2 }),
    lastSeen: time('last_seen'),
    loyalty: p.integer(),
    notes: p.text(),
    preferences: p.jsonb(),
    nicknames: p.text().array(),
    vip: p.boolean(),
    version: p.integer().notNull().default(1),
    createdAt: time('created_at').notNull().defaultNow(),
    deletedAt: time('deleted_at'),
  });
  const products = p.pgTable('products', {
    id: p.integer().primaryKey().generatedByDefaultAsIdentity(),
    sku: p.varchar({ length: 20 }).notNull(),
    title: p.text().notNull(),
    price: p.numeric({ precision: 10, scale: 2 }).notNull(),
    tags: p.text().array().notNull(),
    attributes: p.jsonb(),
  });
  const orders = p.pgTable('orders', {
    id: p.integer().primaryKey().generatedByDefaultAsIdentity(),
    customerId: p.integer('customer_id').notNull(),
    number: p.text(),
    address: p.jsonb(),
    comment: p.text(),
    status: p.text().notNull().default('open'),
    total: p.numeric({ precision: 12, scale: 2 }).notNull(),
    placedAt: time('placed_at').notNull().defaultNow(),
  });
  const items = p.pgTable('line_items', {
    id: p.integer().primaryKey().generatedByDefaultAsIdentity(),
    orderId: p.integer('order_id').notNull(),
    productId: p.integer('product_id').notNull(),
    quantity: p.integer().notNull().default(1),
    price: p.numeric({ precision: 10, scale: 2 }).notNull(),
    giftNote: p.text('gift_note'),
  });
  const customerRelations = relations(customers, ({ many }) => ({ orders: many(orders) }));
  const orderRelations = relations(orders, ({ one, many }) => ({
    customer: one(customers, { fields: [orders.customerId], references: [customers.id] }),
    items: many(items),
  }));
  const itemRelations = relations(items, ({ one }) => ({
    order: one(orders, { fields: [items.orderId], references: [orders.id] }),
    product: one(products, { fields: [items.productId], references: [products.id] }),
  }));
  return { customers, products, orders, items, customerRelations, orderRelations, itemRelations };
}

const row = ({ lastSeen, ...rest }) => ({ ...rest, ...(lastSeen ? { lastSeen: new Date(lastSeen) } : {}) });

export async function work(require, url) {
  const { drizzle } = require('drizzle-orm/node-postgres');
  const o = require('drizzle-orm');
  const {
    and,
    asc,
    count,
    countDistinct,
    desc,
    eq,
    exists,
    gt,
    inArray,
    isNotNull,
    isNull,
    lt,
    ne,
    notInArray,
    or,
    sql,
    sum,
  } = o;
  const tables = schema(require);
  const { customers, products, orders, items } = tables;
  const pool = new (require('pg').Pool)({ connectionString: url, max: 1 });
  const db = drizzle(pool, { schema: tables });

  const [ann] = await db.insert(customers).values(row(ANN)).returning();
  const [bob] = await db.insert(customers).values(row(BOB)).returning({ id: customers.id });
  await db.insert(customers).values(MORE.map(row));
  await db.insert(products).values(PRODUCTS);
  await db.transaction(async (tx) => {
    const [order] = await tx
      .insert(orders)
      .values({ customerId: ann.id, number: NUMBER, address: ADDRESS, comment: COMMENT, total: '18.80' })
      .returning();
    await tx.insert(items).values(
      [1, 2, 3].map((productId) => ({
        orderId: order.id,
        productId,
        quantity: productId,
        price: '4.90',
        giftNote: productId === 1 ? GIFT : null,
      })),
    );
    await tx
      .update(customers)
      .set({ version: sql`${customers.version} + 1`, lastSeen: new Date('2026-03-01') })
      .where(eq(customers.id, ann.id));
  });
  await db.insert(orders).values([
    { customerId: bob.id, number: '2026-000018', status: 'paid', total: '9' },
    { customerId: ann.id, number: '2026-000019', total: '29' },
  ]);

  await db.select().from(customers).where(eq(customers.email, ANN.email)).limit(1);
  await db
    .select({ id: customers.id, at: customers.lastSeen })
    .from(customers)
    .where(and(eq(customers.externalId, ANN.externalId), isNull(customers.deletedAt)));
  await db
    .select()
    .from(customers)
    .where(inArray(customers.email, [ANN.email, BOB.email]))
    .orderBy(asc(customers.id));
  await db
    .select({ id: customers.id })
    .from(customers)
    .where(or(eq(customers.phone, BOB.phone), isNull(customers.phone), ne(customers.loyalty, 41)))
    .orderBy(customers.id);
  await db
    .select({ id: customers.id })
    .from(customers)
    .where(notInArray(customers.loyalty, [41, 7]))
    .orderBy(customers.id);
  await db
    .select({ n: customers.name, m: customers.notes })
    .from(customers)
    .where(and(eq(customers.birth, ANN.birth), eq(customers.credit, ANN.credit)));
  await db
    .select()
    .from(orders)
    .innerJoin(customers, eq(customers.id, orders.customerId))
    .where(eq(customers.email, ANN.email))
    .orderBy(orders.id);
  await db
    .select({ number: orders.number, gift: items.giftNote, title: products.title })
    .from(orders)
    .leftJoin(items, eq(items.orderId, orders.id))
    .leftJoin(products, eq(products.id, items.productId))
    .orderBy(orders.id, items.id);
  await db
    .select({ id: customers.id })
    .from(customers)
    .where(
      exists(
        db
          .select({ one: sql`1` })
          .from(orders)
          .where(and(eq(orders.customerId, customers.id), gt(orders.total, '10'))),
      ),
    )
    .orderBy(customers.id);
  await db.query.customers.findMany({
    with: { orders: { with: { items: { with: { product: true } } } } },
    orderBy: asc(customers.id),
  });
  await db.query.customers.findFirst({
    where: eq(customers.email, ANN.email),
    columns: { id: true, email: true, preferences: true },
    with: {
      orders: {
        columns: { number: true, address: true },
        where: eq(orders.status, 'open'),
        orderBy: desc(orders.id),
        limit: 5,
      },
    },
  });
  await db.query.orders.findMany({
    with: { customer: { columns: { name: true, email: true } }, items: { limit: 2, columns: { giftNote: true } } },
    orderBy: orders.id,
    extras: { label: sql`${orders.status} || '!'`.as('label') },
  });
  await db.query.items.findMany({
    with: { order: { with: { customer: true } } },
    orderBy: items.id,
    offset: 1,
    limit: 2,
  });
  await db.selectDistinct({ email: customers.email }).from(customers);
  await db
    .select({ id: customers.id, email: customers.email })
    .from(customers)
    .where(isNull(customers.deletedAt))
    .orderBy(desc(customers.id))
    .limit(2)
    .offset(2);
  await db
    .select({ id: customers.id, whole: sql`count(*) over ()` })
    .from(customers)
    .where(gt(customers.id, 2))
    .orderBy(customers.id)
    .limit(2);
  await db.$count(customers, isNotNull(customers.notes));

  await db
    .select({ status: orders.status, n: count(), total: sum(orders.total) })
    .from(orders)
    .groupBy(orders.status)
    .having(({ n }) => gt(n, 0))
    .orderBy(orders.status);
  await db
    .select({ email: customers.email, spent: sum(orders.total).mapWith(Number) })
    .from(customers)
    .leftJoin(orders, eq(orders.customerId, customers.id))
    .groupBy(customers.email);
  await db.select({ n: countDistinct(customers.email) }).from(customers);
  const spent = db.$with('spent').as(
    db
      .select({ who: orders.customerId, total: sum(orders.total).as('total') })
      .from(orders)
      .groupBy(orders.customerId),
  );
  await db
    .with(spent)
    .select({ email: customers.email, total: spent.total })
    .from(customers)
    .innerJoin(spent, eq(spent.who, customers.id))
    .orderBy(customers.id);
  const sub = db
    .select({ id: customers.id, mail: customers.email })
    .from(customers)
    .where(gt(customers.loyalty, 0))
    .as('sub');
  await db
    .select()
    .from(sub)
    .where(eq(sub.mail, ANN.email))
    .catch(() => undefined);
  const some = db
    .select({ id: customers.id, mail: customers.email, note: customers.notes })
    .from(customers)
    .where(eq(customers.loyalty, 41))
    .as('some');
  await db.select().from(some).where(eq(some.mail, ANN.email));
  const { union, except } = require('drizzle-orm/pg-core');
  await union(
    db.select({ who: customers.email }).from(customers),
    db.select({ who: customers.email }).from(customers).where(isNull(customers.phone)),
  );
  await except(db.select({ who: customers.id }).from(customers), db.select({ who: orders.customerId }).from(orders))
    .orderBy(asc(customers.id))
    .catch(() => undefined);

  await db
    .insert(customers)
    .values({ name: 'Bob B.', email: BOB.email, loyalty: 8 })
    .onConflictDoUpdate({ target: customers.email, set: { name: 'Bob B.', loyalty: 8 } })
    .returning({ id: customers.id, loyalty: customers.loyalty });
  await db
    .insert(customers)
    .values([
      { name: 'Bob C.', email: BOB.email, notes: 'twice' },
      { name: 'Gus', email: 'gus@shop.example', notes: 'new' },
    ])
    .onConflictDoUpdate({ target: customers.email, set: { notes: sql`excluded.notes`, name: sql`excluded.name` } });
  await db.insert(customers).values({ name: 'Bob again', email: BOB.email }).onConflictDoNothing();
  await db
    .insert(customers)
    .values({ name: 'Bob again', email: BOB.email })
    .onConflictDoNothing({ target: customers.email });
  await db
    .update(customers)
    .set({ notes: 'called', vip: false, preferences: {} })
    .where(eq(customers.email, 'gus@shop.example'))
    .returning({ notes: customers.notes, vip: customers.vip });
  await db
    .update(customers)
    .set({ phone: null, version: 3 })
    .where(and(eq(customers.id, ann.id), eq(customers.version, 2)));
  await db
    .update(customers)
    .set({ deletedAt: new Date('2026-03-03') })
    .where(eq(customers.email, MORE[0].email));
  await db
    .update(orders)
    .set({ comment: sql`${customers.notes}` })
    .from(customers)
    .where(and(eq(customers.id, orders.customerId), eq(orders.status, 'paid')));
  await db
    .update(customers)
    .set({
      notes: sql`case when ${customers.id} = ${ann.id} then ${'first of all'} when ${customers.id} = ${bob.id} then ${'second'} end`,
    })
    .where(inArray(customers.id, [ann.id, bob.id]));

  await db
    .select({ sku: products.sku })
    .from(products)
    .where(sql`${products.attributes}->>'color' = ${'blue'}`);
  await db
    .select({ sku: products.sku })
    .from(products)
    .where(o.arrayContains(products.tags, ['hot']))
    .orderBy(products.id);
  await db
    .select({ p: customers.preferences, n: customers.nicknames })
    .from(customers)
    .where(isNotNull(customers.preferences));
  const prepared = db
    .select({ id: customers.id, email: customers.email })
    .from(customers)
    .where(eq(customers.email, sql.placeholder('email')))
    .prepare('by_email');
  for (const email of [ANN.email, BOB.email, 'nobody@shop.example']) await prepared.execute({ email });

  await failing(
    db.transaction(async (tx) => {
      await tx.select().from(customers).where(eq(customers.id, ann.id)).for('update', { skipLocked: true });
      await tx.update(customers).set({ notes: 'undone' });
      tx.rollback();
    }),
  );
  await db.transaction(
    async (tx) => {
      await failing(tx.transaction((inner) => inner.insert(customers).values({ name: 'Dup', email: ANN.email })));
      await tx.update(customers).set({ vip: null }).where(eq(customers.email, ANN.email));
    },
    { isolationLevel: 'repeatable read' },
  );
  await failing(db.insert(customers).values({ name: 'Long', email: 'x'.repeat(101) }));
  await failing(db.insert(orders).values({ customerId: 9999, number: 'none', total: '1' }));

  await db.select({ id: customers.id }).from(customers).where(o.ilike(customers.email, '%SHOP%'));
  await db.select({ id: customers.id }).from(customers).where(lt(customers.birth, '2000-01-01'));
  await db
    .select({ id: customers.id })
    .from(customers)
    .where(o.between(customers.credit, '1', '2000'));
  await db.select({ all: sum(customers.credit) }).from(customers);
  await db.select({ email: customers.email }).from(customers).orderBy(customers.email);
  await db
    .select({ id: customers.id })
    .from(customers)
    .where(eq(sql`lower(${customers.email})`, ANN.email));
  await db.select({ lang: sql`${customers.preferences}->>'language'` }).from(customers);
  await db
    .update(customers)
    .set({ loyalty: sql`${customers.loyalty} + 1` })
    .where(eq(customers.id, bob.id));

  await db.delete(orders).where(eq(orders.number, '2026-000018')).returning({ id: orders.id, comment: orders.comment });
  await db.delete(customers).where(
    inArray(
      customers.email,
      MORE.map(({ email }) => email),
    ),
  );
  await pool.end();
}
