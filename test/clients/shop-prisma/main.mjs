/** A shop's back office written with Prisma: `<packages' folder> <url>`. What it sends is captured; prints `ok`. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ADDRESS, ANN, BOB, COMMENT, failing, GIFT, MORE, NUMBER, PRODUCTS } from '../shop-node/rows.mjs';

const [folder, url] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const { Prisma, PrismaClient } = require('@prisma/client');
const { PrismaPg } = require('@prisma/adapter-pg');
const db = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 1 }) });
const { customer: customers, product: products, order: orders, item: items } = db;
const json = (value) => (value === null ? Prisma.DbNull : value);

const ann = await customers.create({ data: { ...ANN, birth: new Date(ANN.birth) } });
const bob = await customers.create({ data: BOB, select: { id: true, email: true } });
await customers.createMany({ data: MORE });
await products.createMany({ data: PRODUCTS.map((one) => ({ ...one, attributes: json(one.attributes) })) });
await orders.create({
  data: {
    customer: { connect: { email: ANN.email } },
    number: NUMBER,
    address: ADDRESS,
    comment: COMMENT,
    total: '18.80',
    items: {
      create: [
        { product: { connect: { sku: 'TEA-1' } }, quantity: 2, price: '4.90', giftNote: GIFT },
        { product: { connect: { id: 2 } }, price: '9' },
      ],
    },
  },
  include: { items: true, customer: true },
});
await orders.createManyAndReturn({
  data: [
    { customerId: bob.id, number: '2026-000018', status: 'paid', total: 9 },
    { customerId: ann.id, number: '2026-000019', total: 29 },
  ],
});

await customers.findUnique({ where: { email: ANN.email } });
await customers.findFirst({
  where: { externalId: ANN.externalId, deletedAt: null },
  select: { id: true, lastSeen: true, preferences: true, nicknames: true },
});
await customers.findMany({ where: { email: { in: [ANN.email, BOB.email] } }, orderBy: { id: 'asc' } });
await customers.findMany({
  where: { OR: [{ phone: BOB.phone }, { phone: null }], NOT: { loyalty: 103 } },
  orderBy: { id: 'asc' },
});
await customers.findMany({ where: { birth: new Date(ANN.birth), credit: ANN.credit, loyalty: { notIn: [7, 8] } } });
await customers.findMany({ where: { notes: { not: null } }, omit: { preferences: true }, orderBy: { id: 'desc' } });
for (const relationLoadStrategy of ['query', 'join']) {
  await customers.findMany({
    relationLoadStrategy,
    include: { orders: { include: { items: { include: { product: true } } }, orderBy: { id: 'asc' } } },
    orderBy: { id: 'asc' },
  });
  await customers.findUnique({
    relationLoadStrategy,
    where: { email: ANN.email },
    select: {
      email: true,
      vip: true,
      birth: true,
      credit: true,
      orders: { where: { status: 'open' }, select: { number: true, address: true }, orderBy: { id: 'desc' }, take: 1 },
      _count: { select: { orders: true } },
    },
  });
  await orders.findMany({
    relationLoadStrategy,
    where: { customer: { email: ANN.email } },
    include: { customer: true },
    orderBy: { id: 'asc' },
  });
  await customers.findMany({
    relationLoadStrategy,
    where: { orders: { some: { items: { some: { product: { sku: 'MUG-1' } } } } } },
  });
  await customers.findMany({
    relationLoadStrategy,
    where: { orders: { none: {} }, email: { not: MORE[3].email } },
    orderBy: { id: 'asc' },
    include: { orders: true },
  });
  await customers.findMany({
    relationLoadStrategy,
    where: { orders: { every: { number: { in: [NUMBER, '2026-000019'] } } } },
    orderBy: { id: 'asc' },
    select: { id: true, _count: true },
  });
}
await customers.findMany({
  where: { deletedAt: null },
  orderBy: [{ createdAt: 'asc' }, { id: 'desc' }],
  skip: 2,
  take: 2,
});
await customers.findMany({ cursor: { email: ANN.email }, orderBy: { id: 'asc' }, skip: 1, take: 2 });
await customers.findMany({ orderBy: { orders: { _count: 'desc' } }, take: 1, select: { id: true } });
await customers.count({ where: { notes: { not: null } } });
await customers.count({ select: { _all: true, email: true, notes: true } });

await orders.groupBy({
  by: ['status'],
  _count: true,
  _sum: { total: true },
  having: { total: { _avg: { gt: 0 } } },
  orderBy: { status: 'asc' },
});
await customers.groupBy({ by: ['email', 'loyalty'], _count: { _all: true }, where: { email: { not: null } } });
await orders.aggregate({ _sum: { total: true }, _avg: { total: true }, _max: { total: true }, _count: true });
await customers.findMany({ distinct: ['loyalty'], select: { loyalty: true }, orderBy: { id: 'asc' } });

await customers.upsert({
  where: { email: BOB.email },
  create: { name: 'No', email: BOB.email },
  update: { name: 'Bob B.', loyalty: 8 },
});
await customers.upsert({
  where: { email: 'gus@shop.example' },
  create: { name: 'Gus', email: 'gus@shop.example', notes: 'new' },
  update: { notes: 'old' },
  include: { orders: true },
});
await customers.createMany({
  data: [
    { name: 'Bob again', email: BOB.email },
    { name: 'Hal', email: 'hal@shop.example' },
  ],
  skipDuplicates: true,
});
await customers.update({
  where: { email: 'gus@shop.example' },
  data: { notes: 'called', vip: false, preferences: {}, nicknames: ['gg'] },
});
await customers.updateMany({ where: { id: ann.id, version: 1 }, data: { phone: null, version: { increment: 1 } } });
await customers.updateManyAndReturn({
  where: { loyalty: { in: [100, 101] } },
  data: { deletedAt: new Date('2026-03-03') },
  select: { id: true, email: true },
});
await customers.update({
  where: { id: bob.id },
  data: {
    lastSeen: new Date('2026-03-04T05:06:07Z'),
    preferences: Prisma.DbNull,
    orders: { update: { where: { number: '2026-000018' }, data: { comment: 'paid in cash' } } },
  },
  include: { orders: true },
});
await customers.update({ where: { id: ann.id }, data: { nicknames: { set: [] }, credit: null } });
await orders.update({
  where: { number: '2026-000019' },
  data: { items: { createMany: { data: [{ productId: 3, price: 29, giftNote: GIFT }] }, deleteMany: { quantity: 9 } } },
});

await products.findMany({ where: { attributes: { path: ['color'], equals: 'blue' } } });
await products.findMany({ where: { tags: { has: 'hot' } }, orderBy: { id: 'asc' } });
await db.$queryRaw`SELECT id, email, nicknames FROM customers WHERE email = ${ANN.email} OR id IN (${Prisma.join([2, 3])}) ORDER BY id`;
await db.$executeRaw`UPDATE customers SET notes = ${'raw'} WHERE email = ${BOB.email}`;

await failing(
  db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT id FROM customers WHERE email = ${ANN.email} FOR UPDATE`;
    await tx.customer.updateMany({ data: { notes: 'undone' } });
    throw new Error('undo');
  }),
);
await db.$transaction(
  [
    customers.update({ where: { email: ANN.email }, data: { vip: null } }),
    customers.findMany({ where: { email: ANN.email } }),
  ],
  { isolationLevel: 'Serializable' },
);
await failing(customers.create({ data: { name: 'Dup', email: ANN.email } }));
await failing(customers.create({ data: { name: 'Long', email: 'x'.repeat(101) } }));
await failing(orders.create({ data: { customerId: 9999, number: 'none' } }));

await customers.findMany({ where: { email: { contains: 'SHOP', mode: 'insensitive' } } });
await customers.findMany({ where: { email: { equals: ANN.email, mode: 'insensitive' } } });
await customers.findMany({ where: { birth: { lt: new Date('2000-01-01') } } });
await customers.findMany({ where: { credit: { gte: 1, lte: 2000 } } });
await customers.aggregate({ _sum: { credit: true }, _max: { lastSeen: true } });
await customers.findMany({ orderBy: { email: 'asc' }, select: { email: true } });
await customers.findMany({ where: { preferences: { path: ['language'], equals: 'de-AT' } } });
await customers.findMany({ where: { nicknames: { has: 'gg' } } });
await customers.update({ where: { id: bob.id }, data: { loyalty: { increment: 1 } } });
await customers.update({ where: { id: ann.id }, data: { nicknames: { push: 'AA' } } });

await items.deleteMany({ where: { order: { number: NUMBER }, product: { sku: 'MUG-1' } } });
await orders.delete({ where: { number: '2026-000018' } });
await customers.deleteMany({ where: { email: { in: MORE.map(({ email }) => email) } } });
await customers.delete({ where: { id: bob.id }, select: { email: true } });
await db.$disconnect();
console.log('ok');
