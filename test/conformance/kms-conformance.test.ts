/**
 * Every action, error and limit of AWS's current model of KMS against a server of ours, over HTTP; and docs/KMS-CONFORMANCE.md, which
 * is what came out.
 */
import * as sdk from '@aws-sdk/client-kms';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callsOf, type Json } from '../support/kms/calls.ts';
import { startKms, type KmsAnswer, type TestKms } from '../support/kms/edge.ts';
import { KMS_ERRORS } from '../../src/kms/error-catalogue.ts';
import { done, REQUESTS } from './calls.ts';
import { recipeOf } from './errors.ts';
import { REFUSED_ACTIONS, REFUSED_VALUES, UNPROVEN_ERRORS, whyUnproven } from './exceptions.ts';
import { makeFullKey } from './full-key.ts';
import { ACTION_NAMES, actionNamed, inputOf, strangeIn } from './model.ts';
import { conformancePage } from './page.ts';
import { ITEMS, LISTINGS } from './pages.ts';
import { probesOf, type Probe } from './probes.ts';
import { Proofs } from './proofs.ts';
import { REFUSALS } from './requests.ts';

const proofs = new Proofs();
const ANSWERED = ACTION_NAMES.filter((action) => REFUSED_ACTIONS[action] === undefined);
/** What fails on our side, whatever is asked: proven for all actions together. */
const OURS = ['KMSInternalException', 'DependencyTimeoutException'];
/** Needs a store of its own. */
const FULL = 'CreateGrant.LimitExceededException';

let kms: TestKms;
const answered: { readonly action: string; readonly answer: KmsAnswer }[] = [];
beforeAll(async () => {
  const started = await startKms();
  const call: TestKms['call'] = async (action, ...rest) => {
    const answer = await started.call(action, ...rest);
    answered.push({ action, answer });
    return answer;
  };
  kms = { ...started, call };
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok } = callsOf(() => kms);

const usual = (action: string, server = kms): Promise<Json> => {
  const made = REQUESTS[action];
  if (made === undefined) throw new Error(`no request for ${action}`);
  return made(server);
};

test('The model has the actions of the SDK that is installed (derive-model.ts writes a newer one)', () => {
  const commands = Object.keys(sdk).flatMap((name) => /^([A-Z]\w+)Command$/u.exec(name)?.[1] ?? []);
  expect([...ACTION_NAMES].sort()).toEqual(commands.sort());
});

describe('Every action', () => {
  test.each(ANSWERED)('%s answers with what AWS’s model says', async (action) => {
    const { output } = actionNamed(action);
    const answer = await ok(action, await usual(action));
    if (output === undefined) expect(answer).toEqual({});
    else expect(strangeIn(answer, output, action)).toEqual([]);
    proofs.add({ type: 'answer', action });
  });

  test.each(Object.keys(REFUSED_ACTIONS))('%s is refused', async (action) => {
    const { status, json } = await kms.call(action, {});
    expect([status, json]).toEqual([
      400,
      { __type: 'UnsupportedOperationException', message: expect.stringMatching(/ not supported\.$/u) as string },
    ]);
    proofs.add({ type: 'refusal', action });
  });
});

describe('Values that are refused', () => {
  test.each(REFUSED_VALUES)('$what', async ({ what, why, action, members }) => {
    const { status, json } = await kms.call(action, { ...(await usual(action)), ...members });
    expect([status, json?.['__type']]).toEqual([400, 'UnsupportedOperationException']);
    proofs.add({ type: 'value', what, why });
  });
});

describe('Every error', () => {
  const errors = ANSWERED.flatMap((action) =>
    actionNamed(action)
      .errors.filter(
        (error) => !OURS.includes(error) && `${action}.${error}` !== FULL && whyUnproven(action, error) === undefined,
      )
      .map((error) => [action, error] as const),
  );

  test.each(errors)('%s answers %s', async (action, error) => {
    const recipe = recipeOf(action, error);
    if (recipe === undefined) throw new Error('nothing says how it comes about');
    const input = (await recipe.request(kms, action)) as Json; // a request's body
    const { status, json } = await kms.call(action, input);
    kms.clock.ms = 0;
    expect([status, json?.['__type'], json?.['message']]).toEqual([400, error, json?.['message']]);
    const says = recipe.says(input);
    if (says instanceof RegExp) expect(json?.['message']).toMatch(says);
    else expect(json?.['message']).toBe(says);
    proofs.add({ type: 'error', action, error, how: recipe.how });
  });

  test('CreateGrant answers LimitExceededException', async () => {
    let KeyId = '';
    await using full = await startKms({ prepare: async (folder) => (KeyId = await makeFullKey(folder)) });
    const { json } = await full.call('CreateGrant', { ...(await usual('CreateGrant', full)), KeyId });
    expect(json).toEqual({ __type: 'LimitExceededException', message: expect.stringContaining('50000') as string });
    proofs.add({
      type: 'error',
      action: 'CreateGrant',
      error: 'LimitExceededException',
      how: 'the 50 001st grant on a key',
    });
  });

  async function allAnswer(server: TestKms, fault: () => unknown, error: string, how: string): Promise<void> {
    const inputs = new Map<string, Json>();
    for (const action of ANSWERED) inputs.set(action, await usual(action, server));
    await fault();
    const others: unknown[] = [];
    for (const [action, input] of inputs) {
      const { status, json } = await server.call(action, input);
      if (json?.['__type'] === error && status >= 500) proofs.add({ type: 'error', action, error, how });
      else others.push([action, status, json?.['__type']]);
    }
    expect(others).toEqual([]);
  }

  test('All answer KMSInternalException where something breaks that no error describes', async () => {
    let isBroken = false;
    const decide = (): { allow: boolean; why: string } => {
      if (isBroken) throw new TypeError('broken for a test');
      return { allow: true, why: 'test' };
    };
    await using broken = await startKms({ ports: { authorizer: { decide } } });
    await allAnswer(broken, () => (isBroken = true), 'KMSInternalException', 'a fault of ours');
  });

  test('All answer DependencyTimeoutException where the key manager cannot serve', async () => {
    await using closed = await startKms();
    await allAnswer(closed, () => closed.keys.close(), 'DependencyTimeoutException', 'the key manager is closed');
  });
});

describe('Every limit', () => {
  test.each(ANSWERED)('%s', async (action) => {
    const wrong: unknown[] = [];
    for (const probe of probesOf(action)) {
      const found = await heldTo(action, probe);
      if (found === undefined) proofs.add({ type: 'limit', action, member: probe.member, limit: probe.limit });
      else wrong.push({ member: probe.member, limit: probe.limit, ...found });
    }
    expect(wrong).toEqual([]);
  });

  /** What is wrong; undefined: nothing. */
  async function heldTo(action: string, { beyond, says, within }: Probe): Promise<object | undefined> {
    const refused = await kms.call(action, beyond);
    if (!isViolation(refused, says)) return { says, answered: refused.text };
    for (const input of within) {
      const { json } = await kms.call(action, input);
      const message = String(json?.['message']);
      const constraint = says?.replace(/^.*? failed to satisfy constraint: /u, '') ?? '';
      const place = /at '[^']*'/u.exec(says ?? '')?.[0] ?? '';
      if (message.includes(place) && message.includes(constraint)) return { on: 'its limit', message };
    }
    return undefined;
  }

  function isViolation({ status, json }: KmsAnswer, says: string | undefined): boolean {
    const { __type, message = '' } = (json ?? {}) as { readonly __type?: string; readonly message?: string }; // an error
    if (says === undefined) return status === 400 && __type === 'SerializationException';
    const isShaped = /^(?:1 validation error|[2-9] validation errors) detected: Value/u.test(message);
    return status === 400 && __type === 'ValidationException' && isShaped && message.includes(says);
  }
});

describe('Every list', () => {
  const lists = ANSWERED.filter((action) => inputOf(action).members?.['Marker'] !== undefined);

  test.each(lists)('%s comes in pages, each item once, and takes no marker but its own', async (action) => {
    await using fresh = await startKms();
    const listing = LISTINGS[action];
    if (listing === undefined) throw new Error('nothing says how it is filled');
    const { fill, items, name, count = ITEMS } = listing;
    const input = await fill(fresh);
    for (const Limit of [1, 2, count, 1000]) {
      const seen: unknown[] = [];
      let Marker: unknown;
      do {
        const page = await done(fresh, action, { ...input, Limit, Marker });
        const found = page[items] as readonly Json[]; // a list of AWS's
        expect(found.length).toBeLessThanOrEqual(Limit);
        seen.push(...found.map(name));
        Marker = page['NextMarker'];
        expect(page['Truncated']).toBe(Marker !== undefined);
      } while (Marker !== undefined);
      expect([seen.length, new Set(seen).size]).toEqual([count, count]);
    }
    for (const Marker of ['nonsense', Buffer.from('others:x').toString('base64url')]) {
      const { json } = await fresh.call(action, { ...input, Marker });
      expect(json?.['__type']).toBe('InvalidMarkerException');
    }
    proofs.add({ type: 'pages', action });
  });
});

describe('Whatever the action', () => {
  test.each(REFUSALS)('$how is answered $error', async ({ error, how, status, answered }) => {
    const answer = await answered(kms);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `, 'u'));
    expect(answer).toContain(`"__type":"${error}"`);
    proofs.add({ type: 'request', error, how });
  });
});

/** Of whom nobody is known. */
const UNKNOWN_CALLER =
  /"__type":"(?:InvalidSignature|UnrecognizedClient|IncompleteSignature|MissingAuthenticationToken)Exception"/u;

test('Every request above of a known caller is in the audit trail, however it was answered', () => {
  const trail = readFileSync(kms.folder.options.audit.path, 'utf8');
  const recorded = new Set(Array.from(trail.matchAll(/"request":"([^"]+)"/gu), ([, request]) => request));
  const known = answered.filter(({ answer }) => !UNKNOWN_CALLER.test(answer.text));
  const missing = known.filter(({ answer }) => !recorded.has(String(answer.headers['x-amzn-requestid'])));
  expect(missing.map(({ action, answer }) => [action, answer.text])).toEqual([]);
  expect(answered.length).toBeGreaterThan(1000);
});

describe('What the tests above proved', () => {
  test('is every error that a listener has', () => {
    const given = new Set(Object.values(KMS_ERRORS).map(({ wireType }) => wireType));
    const proven = [...proofs.of('error'), ...proofs.of('request')].map(({ error }) => error);
    expect([...given.difference(new Set(proven))]).toEqual([]);
  });

  test('is all that AWS’s model has, but for what is excepted with a reason', () => {
    expect(ANSWERED.filter((action) => !proofs.has('answer', action))).toEqual([]);
    const limits = proofs.of('limit').map(({ action, member, limit }) => `${action} ${member} ${limit}`);
    const asked = ANSWERED.flatMap((action) =>
      probesOf(action).map(({ member, limit }) => `${action} ${member} ${limit}`),
    );
    expect(limits).toEqual(asked);
    expect(
      rows().filter(([action, error]) => !isProven(action, error) && whyUnproven(action, error) === undefined),
    ).toEqual([]);
  });

  test('makes no exception needless', () => {
    const needless = Object.keys(UNPROVEN_ERRORS).filter((name) => {
      const own = rows().filter(([action, error]) => name === error || name === `${action}.${error}`);
      return own.length === 0 || own.some(([action, error]) => isProven(action, error));
    });
    expect(needless).toEqual([]);
    expect(Object.keys(REFUSED_ACTIONS).filter((action) => !proofs.has('refusal', action))).toEqual([]);
  });

  test('is what docs/KMS-CONFORMANCE.md says (npm test -- test/conformance -u writes it)', async () => {
    await expect(conformancePage(proofs)).toMatchFileSnapshot('../../docs/KMS-CONFORMANCE.md');
  });

  const rows = (): readonly (readonly [string, string])[] =>
    ANSWERED.flatMap((action) => actionNamed(action).errors.map((error) => [action, error] as const));
  const isProven = (action: string, error: string): boolean => proofs.howOf(action, error) !== undefined;
});
