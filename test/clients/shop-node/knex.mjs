/** The shop with Knex. */
import { ADDRESS, ANN, BOB, COMMENT, failing, GIFT, MORE, NUMBER, PRODUCTS } from './rows.mjs';

const row = ({
  name,
  email,
  phone,
  birth,
  externalId,
  credit,
  lastSeen,
  loyalty,
  notes,
  preferences,
  nicknames,
  vip,
}) => ({
  name,
  email,
  phone,
  birth_date: birth,
  external_id: externalId,
  credit,
  last_seen: lastSeen,
  loyalty,
  notes,
  preferences: preferences && JSON.stringify(preferences),
  nicknames,
  vip,
});

export async function work(require, url) {
  const knex = require('knex')({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
  const customers = () => knex('customers');
  const orders = () => knex('orders');

  const [{ id: ann }] = await customers().insert(row(ANN)).returning('id');
  const [bob] = await customers().insert(row(BOB), '*');
  await customers().insert(MORE.map(row));
  await knex.batchInsert(
    'products',
    PRODUCTS.map((one) => ({ ...one, attributes: JSON.stringify(one.attributes) })),
    2,
  );
  const products = await knex('products').select('id', 'price').orderBy('id');

  await knex.transaction(async (trx) => {
    const [{ id }] = await trx('orders')
      .insert({ customer_id: ann, number: NUMBER, address: JSON.stringify(ADDRESS), comment: COMMENT, total: '18.80' })
      .returning('id');
    await trx('line_items').insert(
      products.map(({ id: product_id, price }, at) => ({
        order_id: id,
        product_id,
        quantity: at + 1,
        price,
        gift_note: at ? null : GIFT,
      })),
    );
    await trx('customers').where({ id: ann }).increment('version', 1).update({ last_seen: '2026-03-01T00:00:00Z' });
  });
  await orders().insert([
    { customer_id: bob.id, number: '2026-000018', status: 'paid', total: '9.00' },
    { customer_id: ann, number: '2026-000019', status: 'paid', total: '29.00', comment: null },
  ]);

  // Finding.
  await customers().where({ email: ANN.email }).first();
  await customers().where('external_id', ANN.externalId).andWhere('deleted_at', null).select('id', 'name');
  await customers().whereIn('email', [ANN.email, BOB.email]).orderBy('id');
  await customers().whereNotIn('loyalty', [41, 7]).select('id', 'loyalty').orderBy('id');
  await customers()
    .where((q) => q.where({ phone: BOB.phone }).orWhereNull('phone'))
    .andWhereNot({ loyalty: 103 })
    .orderBy('id');
  await customers().where({ birth_date: ANN.birth, credit: ANN.credit }).select('email');
  await customers()
    .whereRaw('email = any(?)', [[ANN.email, 'nobody@shop.example']])
    .select('id');
  await customers().whereNotNull('notes').count({ many: 'id' });
  await customers().whereExists(
    orders().whereColumn('orders.customer_id', 'customers.id').where('orders.total', '>', 10),
  );
  await customers()
    .whereIn('id', orders().select('customer_id').where({ number: NUMBER }))
    .select('email');
  await orders()
    .join('customers as c', 'c.id', 'orders.customer_id')
    .where('c.email', ANN.email)
    .select('orders.*', 'c.email as mail')
    .orderBy('orders.id');
  await orders()
    .leftJoin('line_items as i', 'i.order_id', 'orders.id')
    .leftJoin('products as p', 'p.id', 'i.product_id')
    .select('orders.number', 'i.gift_note', 'p.title')
    .where('orders.number', NUMBER)
    .orderBy('i.id');
  await customers().distinct('email', 'loyalty').whereNotNull('loyalty');
  await customers()
    .distinctOn('loyalty')
    .orderBy('loyalty')
    .select('loyalty')
    .catch(() => undefined);

  // Paging.
  await customers().select('id', 'name', 'email').whereNull('deleted_at').orderBy('id', 'desc').limit(2).offset(2);
  await customers().select('id', 'email').where('id', '>', 2).orderBy('id').limit(2);
  await customers().select('*', knex.raw('count(*) over () as whole')).orderBy('created_at').orderBy('id').limit(2);

  // Aggregates.
  await orders()
    .select('status')
    .count('* as n')
    .sum('total as total')
    .groupBy('status')
    .having(knex.raw('count(*) > 0'))
    .orderBy('status');
  await orders()
    .join('customers', 'customers.id', 'orders.customer_id')
    .groupBy('customers.email')
    .select('customers.email')
    .sum('orders.total as spent')
    .avg('orders.total as mean');
  await customers().countDistinct('email as n');
  await customers().max('id as last').min('created_at as first');
  await orders()
    .select(
      'orders.id',
      knex.raw('json_agg(json_build_object(?::text, i.quantity, ?::text, i.gift_note) order by i.id) as items', [
        'quantity',
        'note',
      ]),
    )
    .join('line_items as i', 'i.order_id', 'orders.id')
    .groupBy('orders.id');
  await orders().select('id', knex.raw('row_number() over (partition by customer_id order by id) as n')).orderBy('id');
  await knex
    .with('spent', orders().select('customer_id').sum('total as total').groupBy('customer_id'))
    .from('customers')
    .join('spent', 'spent.customer_id', 'customers.id')
    .select('customers.email', 'spent.total')
    .orderBy('customers.id');
  await knex.union([customers().select('email as who'), orders().select('number as who')]);
  await knex.unionAll(
    [customers().select('name').where('loyalty', 7), customers().select('name').where('loyalty', 41)],
    true,
  );

  // Upserts and changes.
  await customers()
    .insert({ name: 'Bob B.', email: BOB.email, loyalty: 8 })
    .onConflict('email')
    .merge(['name', 'loyalty'])
    .returning(['id', 'name', 'loyalty']);
  await customers().insert({ name: 'Bob C.', email: BOB.email, notes: 'twice' }).onConflict('email').merge();
  await customers().insert({ name: 'Bob again', email: BOB.email }).onConflict('email').ignore();
  await customers()
    .insert([
      { name: 'Gus', email: 'gus@shop.example' },
      { name: 'Ann again', email: ANN.email },
    ])
    .onConflict()
    .ignore();
  await customers()
    .where({ email: 'gus@shop.example' })
    .update({ notes: 'new here', vip: false, preferences: '{}' }, ['id', 'notes', 'vip']);
  await customers().where({ id: ann, version: 2 }).update({ phone: null, version: 3 });
  await customers().where({ email: MORE[0].email }).update({ deleted_at: '2026-03-03T00:00:00Z' });
  await customers()
    .update({ notes: knex.ref('name') })
    .where({ id: 6 });
  await customers()
    .update({ loyalty: knex.raw('coalesce(loyalty, ?)', [1]) })
    .where({ id: bob.id });
  await knex.raw(
    'update customers set notes = v.notes from (values (?::text, ?::text), (?, ?)) as v (email, notes) where v.email = customers.email',
    [MORE[1].email, 'moved away', MORE[2].email, 'moved in'],
  );

  // JSON and arrays.
  await knex('products').whereRaw("attributes->>'color' = ?", ['blue']).select('sku');
  await knex('products')
    .whereRaw('tags @> ?::text[]', [['hot']])
    .orderBy('id');
  await knex('products').where('attributes', '@>', JSON.stringify({ organic: true }));
  await customers().select('preferences', 'nicknames').whereNotNull('preferences');

  // Transactions.
  await failing(
    knex.transaction(async (trx) => {
      await trx('customers').where({ id: ann }).forUpdate().first();
      await trx('customers').update({ notes: 'undone' });
      throw new Error('undo');
    }),
  );
  await knex.transaction(async (trx) => {
    await failing(trx.transaction(async (inner) => inner('customers').insert({ name: 'Dup', email: ANN.email })));
    await trx('customers').where({ email: ANN.email }).update({ vip: null });
  });
  await failing(customers().insert({ name: 'Long', email: 'x'.repeat(101) }));
  await failing(orders().insert({ customer_id: 9999, number: 'none' }));
  await failing(customers().insert({ name: null, email: 'null@shop.example' }));

  // What sealing may not allow.
  await customers().whereILike('email', '%SHOP%').orderBy('id');
  await customers().where('birth_date', '<', '2000-01-01');
  await customers().whereBetween('credit', ['1', '2000']);
  await customers().sum('credit as all');
  await customers().max('last_seen as latest');
  await customers().orderBy('email').select('email');
  await customers().whereRaw('lower(email) = ?', [ANN.email]).select('id');
  await customers().whereRaw("preferences->>'language' = ?", ['de-AT']).select('id');
  await customers().whereRaw('? = any(nicknames)', ['Archer,Ann']).select('id');
  await customers().where({ notes: 'twice' }).select('id');
  await customers().where({ id: bob.id }).increment('loyalty', 1);

  await knex('line_items').where({ order_id: 1, product_id: products[2].id }).del();
  await orders().where({ number: '2026-000018' }).del(['id', 'number']);
  await customers()
    .whereIn(
      'email',
      MORE.map(({ email }) => email),
    )
    .del();
  await knex.destroy();
}
