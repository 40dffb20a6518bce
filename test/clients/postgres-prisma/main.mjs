/** Prisma's client, over its driver adapter for pg, on sealed columns: `<packages' folder> <url>`. Prints `ok`. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, url] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const { Prisma, PrismaClient } = require('@prisma/client');
const { PrismaPg } = require('@prisma/adapter-pg');

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 4 }) });

const ANN = {
  name: 'Ann',
  email: 'ann@club.example',
  code: -7,
  credit: new Prisma.Decimal('1234567890.05'),
  born: new Date('1984-02-29'),
  seen: new Date('2026-02-03T04:05:06.789Z'),
  ref: '7d444840-9dc0-11d1-b245-5ffdce74fad2',
  active: true,
  note: 'likes tea & scones',
};
const BOB = { name: 'Bob', email: 'bob@club.example', code: 8, active: false };
const FOUND_BY = ['email', 'code', 'credit', 'born', 'seen', 'ref'];

const refused = (promise, code = '0A000') =>
  assert.rejects(promise, (error) => {
    const shown = JSON.stringify([error.message, error.code, error.meta, error.cause]);
    assert.ok(shown.includes(code), shown);
    assert.ok(!shown.includes('@club.example'), shown);
    return true;
  });

async function readsAndFinds() {
  const ann = await prisma.member.create({ data: ANN });
  await prisma.member.create({ data: BOB });
  const { id, ...back } = await prisma.member.findUniqueOrThrow({ where: { email: ANN.email } });
  assert.deepEqual({ id, ...back }, ann);
  assert.deepEqual({ ...back, credit: String(back.credit) }, { ...ANN, credit: String(ANN.credit) });
  for (const by of FOUND_BY)
    for (const where of [{ [by]: ANN[by] }, { [by]: { in: [ANN[by]] } }])
      assert.deepEqual(
        (await prisma.member.findMany({ where })).map(({ name }) => name),
        ['Ann'],
        by,
      );
  const names = async (where) =>
    (await prisma.member.findMany({ where, orderBy: { id: 'asc' }, select: { name: true } })).map(({ name }) => name);
  assert.deepEqual(await names({ code: { not: 8 } }), ['Ann']);
  assert.deepEqual(await names({ code: { notIn: [8, 9] } }), ['Ann']);
  assert.deepEqual(await names({ OR: [{ code: 8 }, { email: ANN.email }] }), ['Ann', 'Bob']);
  assert.deepEqual(await names({ AND: [{ born: null }, { note: null }] }), ['Bob']);
  assert.equal(await prisma.member.count({ where: { email: { in: [ANN.email, BOB.email] } } }), 2);
  const grouped = await prisma.member.groupBy({ by: ['code'], _count: true });
  assert.deepEqual(grouped.map(({ code, _count }) => [code, _count]).sort(), [
    [-7, 1],
    [8, 1],
  ]);
  const distinct = await prisma.member.findMany({ distinct: ['code'], select: { code: true } });
  assert.equal(distinct.length, 2);
  assert.deepEqual(await prisma.member.aggregate({ _count: { email: true } }), { _count: { email: 2 } });
  const paged = await prisma.member.findMany({
    cursor: { email: ANN.email },
    orderBy: { id: 'asc' },
    take: 1,
    skip: 1,
  });
  assert.equal(paged[0].email, BOB.email);
  await refused(prisma.member.findMany({ where: { note: { contains: 'tea' } } }));
  await refused(prisma.member.findMany({ where: { email: { equals: 'ANN@club.example', mode: 'insensitive' } } }));
  await refused(prisma.member.findMany({ where: { born: { gt: new Date('1980-01-01') } } }));
  await refused(prisma.member.findMany({ orderBy: { email: 'asc' } }));
  await refused(prisma.member.aggregate({ _sum: { credit: true } }));
  await refused(prisma.member.updateMany({ data: { code: { increment: 1 } } }));
}

async function changes() {
  const data = Array.from({ length: 50 }, (_, n) => ({ name: `n${n}`, email: `${n}@club.example`, code: 100 + n }));
  assert.deepEqual(await prisma.member.createMany({ data }), { count: 50 });
  assert.deepEqual(await prisma.member.createMany({ data, skipDuplicates: true }), { count: 0 });
  const made = await prisma.member.createManyAndReturn({
    data: [{ name: 'x', email: 'x@club.example', seen: ANN.seen }],
  });
  assert.deepEqual(made[0].seen, ANN.seen);
  assert.deepEqual(
    await prisma.member.updateMany({ where: { code: { in: [100, 101] } }, data: { note: 'likes tea & scones' } }),
    { count: 2 },
  );
  const bob = await prisma.member.update({
    where: { email: BOB.email },
    data: { note: 'forgot an umbrella', credit: '0.1' },
  });
  assert.deepEqual([bob.note, String(bob.credit)], ['forgot an umbrella', '0.1']);
  const upsert = (email, note) =>
    prisma.member.upsert({ where: { email }, create: { name: 'new', email, note }, update: { note } });
  assert.equal((await upsert(BOB.email, 'likes tea & scones')).name, 'Bob');
  assert.equal((await upsert('new@club.example', 'likes tea & scones')).name, 'new');
  assert.equal((await prisma.member.delete({ where: { email: 'new@club.example' } })).note, 'likes tea & scones');
  assert.deepEqual(await prisma.member.deleteMany({ where: { code: { in: data.map(({ code }) => code) } } }), {
    count: 50,
  });
}

async function relations() {
  await prisma.member.update({
    where: { email: ANN.email },
    data: { visits: { create: [{ remark: 'forgot an umbrella', paid: '9.90' }, {}] } },
  });
  const ann = await prisma.member.findUnique({
    where: { ref: ANN.ref },
    include: { visits: { orderBy: { id: 'asc' } } },
  });
  assert.deepEqual(
    ann.visits.map(({ remark }) => remark),
    ['forgot an umbrella', null],
  );
  const [visit] = await prisma.visit.findMany({ where: { member: { email: ANN.email } }, include: { member: true } });
  assert.deepEqual(visit.member.born, ANN.born);
  assert.equal(
    (await prisma.member.findMany({ where: { visits: { some: { paid: { gt: 1 } } } } }))[0].email,
    ANN.email,
  );
  await prisma.visit.deleteMany();
}

async function transactions() {
  await refused(prisma.member.create({ data: { name: 'again', email: ANN.email } }), 'P2002');
  await refused(prisma.member.create({ data: { name: 'long', email: 'x'.repeat(101) } }), 'P2000');
  const note = () => prisma.member.findUnique({ where: { email: ANN.email }, select: { note: true } });
  await assert.rejects(
    prisma.$transaction(async (tx) => {
      await tx.member.updateMany({ data: { note: 'undone' } });
      throw new RangeError('undo');
    }),
    RangeError,
  );
  assert.deepEqual(await note(), { note: ANN.note });
  await prisma.$transaction([
    prisma.member.update({ where: { email: ANN.email }, data: { active: null } }),
    prisma.member.findMany({ where: { email: ANN.email } }),
  ]);
}

async function raw() {
  const rows =
    await prisma.$queryRaw`SELECT email, born, active FROM members WHERE code = ${8} OR ref = ${ANN.ref}::uuid ORDER BY id`;
  assert.deepEqual(
    rows.map(({ email }) => email),
    [ANN.email, BOB.email],
  );
  assert.equal(
    await prisma.$executeRaw`UPDATE members SET note = ${'likes tea & scones'} WHERE email = ${BOB.email}`,
    1,
  );
  await prisma.$executeRawUnsafe('CREATE TABLE IF NOT EXISTS other (id int)');
  await prisma.$executeRawUnsafe('DROP TABLE other');
}

await prisma.member.deleteMany();
for (const step of [readsAndFinds, changes, relations, transactions, raw]) await step();
await prisma.$disconnect();
console.log('ok');
