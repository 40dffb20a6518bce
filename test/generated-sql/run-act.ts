/** One act on one side, and all that a client sees of it. */
import { serialize } from 'pg-protocol';
import { copyIn, copyOut, type CopyAnswer } from '../support/postgres/copy.ts';
import { RawClient } from '../support/postgres/proxy.ts';
import { arrayText, ask, outcomeOf, type Outcome, type Parameter } from '../support/postgres/wire-asker.ts';
import type { Act } from './acts.ts';

export type Seen = { readonly isRefused: boolean; readonly status: string | undefined; readonly what: unknown };

export async function runAct(on: RawClient, act: Act): Promise<Seen> {
  switch (act.type) {
    case 'ask':
      return ofOutcome(await ask(on, act.sql, act.values, act.way), act.ordered);
    case 'portal':
      return ofOutcome(await askPortal(on, act), true);
    case 'named':
      return ofOutcome(await askNamed(on, act), act.ordered);
    case 'pipeline':
      return ofOutcome(await askPipeline(on, act), false);
    case 'copy out':
      return ofCopy(await copyOut(on, act.sql, act.extended ? 'extended' : 'simple'), act.ordered);
    case 'copy in':
      return ofCopy(await copyIn(on, act.sql, act.data, { protocol: act.extended ? 'extended' : 'simple' }), true);
  }
}

/** All Executes in one go: what the last ones give when there is nothing left belongs to it. */
async function askPortal(
  on: RawClient,
  { sql, values, rows, before }: Extract<Act, { type: 'portal' }>,
): Promise<Outcome> {
  on.send(
    serialize.parse({ text: sql }),
    serialize.bind({ portal: 'held', values: values.map(textOf) }),
    serialize.describe({ type: 'P', name: 'held' }),
    ...rows.flatMap((count, index) => [
      ...runBefore(before[index]),
      serialize.execute({ portal: 'held', rows: count }),
    ]),
    serialize.sync(),
  );
  const messages = await on.untilReady();
  const outcome = outcomeOf(messages);
  if (outcome.type === 'refused') return outcome;
  // Where each Execute ended: PortalSuspended or CommandComplete.
  return { ...outcome, tags: [...outcome.tags, messages.map(({ type }) => type).join('')] };
}

const runBefore = (text: string | undefined): readonly Uint8Array[] =>
  text === undefined ? [] : [serialize.parse({ text }), serialize.bind({}), serialize.execute({})];

const textOf = (value: Parameter): string | null =>
  value === null || typeof value === 'string' ? value : arrayText(value);

async function askNamed(on: RawClient, { sql, bound }: Extract<Act, { type: 'named' }>): Promise<Outcome> {
  on.send(
    serialize.parse({ name: 'named', text: sql }),
    ...bound.flatMap((values, index) => [
      serialize.bind({ statement: 'named', values: values.map(textOf), binary: index % 2 === 1 }),
      serialize.describe({ type: 'P' }),
      serialize.execute({}),
    ]),
    serialize.close({ type: 'S', name: 'named' }),
    serialize.sync(),
  );
  const outcome = outcomeOf(await on.untilReady());
  // After an error the Close was skipped.
  on.send(serialize.close({ type: 'S', name: 'named' }), serialize.sync());
  await on.untilReady();
  return outcome;
}

async function askPipeline(on: RawClient, { parts }: Extract<Act, { type: 'pipeline' }>): Promise<Outcome> {
  on.send(
    ...parts.flatMap(({ sql, values }, index) => [
      serialize.parse({ text: sql }),
      serialize.bind({ values: values.map(textOf), binary: index % 2 === 1 }),
      serialize.describe({ type: 'P' }),
      serialize.execute({}),
    ]),
    serialize.sync(),
  );
  return outcomeOf(await on.untilReady());
}

function ofOutcome(outcome: Outcome, ordered: boolean): Seen {
  if (outcome.type === 'refused') return { isRefused: true, status: undefined, what: outcome.refusal };
  const { error, status, rows } = outcome;
  // What comes before an error depends on where it is found: of several statements the proxy reads all before it sends any.
  const what = error === undefined ? { ...outcome, rows: ordered ? rows : [...rows].sort() } : { error, status };
  return { isRefused: false, status, what };
}

function ofCopy({ error, tag, status, data }: CopyAnswer, ordered: boolean): Seen {
  if (error?.code === '0A000') return { isRefused: true, status, what: error.message };
  // In hex, as rows are: arrays have the OID of their element, which differs for a database's own types.
  const lines = ordered ? data.toString('hex') : data.toString('latin1').split('\n').sort().join('\n');
  return {
    isRefused: false,
    status,
    what: { error: error?.code, tag, status, data: error === undefined ? lines : '' },
  };
}
