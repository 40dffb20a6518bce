/** Exchanges sent again, to the proxy before sealed columns and to a server with plain ones. */
import { RawClient, statusOf } from '../support/postgres/proxy.ts';
import { ask, outcomeOf, type Answer, type Outcome, type Refusal } from '../support/postgres/wire-asker.ts';
import { encodeMessage, type Captured, type Exchange, type Message } from './exchange.ts';
import { TABLES } from './shop.ts';

export type Replayed = {
  readonly exchange: Exchange;
  readonly isRefused: boolean;
  readonly refusal: Refusal | undefined;
  readonly ours: Outcome;
  /** Where it was refused, it did not run: an empty answer. */
  readonly theirs: Answer;
};

export type Side = {
  send(exchange: Exchange): Promise<Outcome>;
  /** Makes what is open on the exchange's connection fail as a refused statement does. */
  fail(on: number): Promise<void>;
  status(on: number): string;
  run(sql: string): Promise<void>;
  rows(): Promise<unknown>;
  end(): void;
};

const NOTHING: Answer = {
  type: 'answer',
  parameters: [],
  fields: [],
  rows: [],
  tags: [],
  error: undefined,
  status: 'I',
};

/** A connection for each that the application had, with the settings it started them with. */
export async function openSide(url: string, { connections }: Captured): Promise<Side> {
  const clients: RawClient[] = [];
  for (const parameters of connections) {
    const client = await RawClient.login(url);
    for (const [name, value] of Object.entries(parameters))
      await requireOk(client, `SET ${name} = '${value.replaceAll("'", '')}'`);
    clients.push(client);
  }
  const other = await RawClient.login(url);
  const statuses = connections.map(() => 'I');
  const clientOf = (on: number): RawClient => {
    const client = clients[on];
    if (client === undefined) throw new Error(`no connection ${on}`);
    return client;
  };
  return {
    send: async ({ on, sent }) => {
      const client = clientOf(on);
      client.send(...sent.map(encodeMessage));
      const answer = await client.untilReady();
      statuses[on] = statusOf(answer) ?? '';
      return comparable(sent, outcomeOf(answer));
    },
    fail: async (on) => void (await ask(clientOf(on), 'refused', [], 'simple')),
    status: (on) => statuses[on] ?? '',
    run: (sql) => requireOk(other, sql),
    rows: async () => {
      const all = [];
      for (const table of TABLES) {
        const found = await ask(other, `SELECT * FROM ${table}`, [], 'text');
        all.push(found.type === 'answer' ? { table, rows: [...found.rows].sort() } : found);
      }
      return all;
    },
    end: () => {
      for (const client of [...clients, other]) client.end();
    },
  };
}

/** Throws where an application goes on in a transaction that a refusal ended: what comes then would prove nothing. */
export async function replay({ exchanges }: Captured, sealed: Side, plain: Side): Promise<readonly Replayed[]> {
  const all: Replayed[] = [];
  const failed = new Map<number, string>();
  for (const exchange of exchanges) {
    const { on, sent } = exchange;
    const by = failed.get(on);
    if (by !== undefined && !ends(sent)) throw new Error(`${textOf(exchange)} comes after the refused ${by}`);
    failed.delete(on);
    const ours = await sealed.send(exchange);
    if (ours.type === 'answer') {
      const theirs = await plain.send(exchange);
      if (theirs.type === 'refused') throw new Error('a plain server refuses nothing');
      all.push({ exchange, isRefused: false, refusal: undefined, ours, theirs });
      continue;
    }
    if (sealed.status(on) === 'E') {
      failed.set(on, `${textOf(exchange)}: ${ours.refusal.message}`);
      await plain.fail(on);
    }
    all.push({ exchange, isRefused: true, refusal: ours.refusal, ours, theirs: NOTHING });
  }
  return all;
}

const ends = (sent: readonly Message[]): boolean =>
  sent.some((one) => /^\s*(?:rollback|commit)\b/iu.test(sqlOf(one) ?? ''));

const sqlOf = (message: Message): string | undefined =>
  'query' in message ? message.query : 'parse' in message ? message.parse : undefined;

/** The statements of an exchange; that of a prepared one is in an earlier exchange. */
export const textOf = ({ sent }: Exchange): string =>
  sent
    .map(sqlOf)
    .filter((sql) => sql !== undefined)
    .join('; ');

const OF_THE_CATALOG = /\b(?:pg_catalog|pg_type|pg_class|information_schema)\b/iu;

/** Rows without an order come in any; those that list a whole catalog have the database's own OIDs, and Sealgate's schema. */
function comparable(sent: readonly Message[], outcome: Outcome): Outcome {
  if (outcome.type === 'answer' && sent.some((one) => OF_THE_CATALOG.test(sqlOf(one) ?? '')))
    return { ...outcome, rows: [], tags: [] };
  if (outcome.type === 'refused' || sent.some((one) => /\border\s+by\b/iu.test(sqlOf(one) ?? ''))) return outcome;
  return { ...outcome, rows: [...outcome.rows].sort() };
}

async function requireOk(client: RawClient, sql: string): Promise<void> {
  const outcome = await ask(client, sql, [], 'simple');
  if (outcome.type === 'refused' || outcome.error !== undefined) throw new Error(`${sql}: ${JSON.stringify(outcome)}`);
}
