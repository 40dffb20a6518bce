/**
 * The policy of a form upload: until when, and which field may have which value. A field that no condition is about is refused, so that
 * whoever holds the form can do only what its maker foresaw. Source: AWS, "POST Policy" (S3 API reference).
 */
import { S3Error } from '../errors.ts';

export type FormPolicy = {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly conditions: readonly FieldCondition[];
  /** Of the file, in bytes. */
  readonly lengths: readonly LengthRange[];
};

type LengthRange = { readonly from: number; readonly to: number };

type FieldCondition = {
  readonly operator: 'eq' | 'starts-with';
  /** In small letters, without `$`. */
  readonly field: string;
  readonly value: string;
};

const invalid = (what: string): S3Error => new S3Error('ERR_S3_POLICY_DOCUMENT', `Invalid Policy: ${what}`);
const refused = (what: string): S3Error => new S3Error('ERR_S3_ACCESS_DENIED', `Invalid according to Policy: ${what}`);

/** From base64; ERR_S3_POLICY_DOCUMENT says what is wrong. */
export function parseFormPolicy(text: string): FormPolicy {
  const document = parseJson(text);
  const { expiration, conditions } = document;
  if (typeof expiration !== 'string') throw invalid('Policy missing expiration.');
  if (!Array.isArray(conditions)) throw invalid('Policy missing conditions.');
  const expiresAt = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/u.test(expiration) ? Date.parse(expiration) : NaN;
  if (Number.isNaN(expiresAt)) throw invalid(`Invalid 'expiration' value: '${expiration.slice(0, 40)}'`);
  const fields: FieldCondition[] = [];
  const lengths: LengthRange[] = [];
  for (const condition of conditions as readonly unknown[]) {
    const range = parseRange(condition);
    if (range === undefined) fields.push(...parseCondition(condition));
    else lengths.push(range);
  }
  return { expiresAt, conditions: fields, lengths };
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(withDollars(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'))));
  } catch {
    throw invalid('Invalid JSON.');
  }
  if (!isRecord(parsed)) throw invalid('Invalid JSON.');
  return parsed;
}

/** A policy may say `\$` for a dollar that begins no variable, which no other JSON may. */
const withDollars = (json: string): string => json.replaceAll(/\\[\s\S]/gu, (pair) => (pair === '\\$' ? '$' : pair));

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseRange(condition: unknown): LengthRange | undefined {
  if (!Array.isArray(condition) || !/^content-length-range$/iu.test(String(condition[0]))) return undefined;
  const [from, to] = condition
    .slice(1)
    .map((bound: unknown) => (/^\d{1,15}$/u.test(String(bound)) ? Number(bound) : NaN));
  if (
    condition.length !== 3 ||
    from === undefined ||
    to === undefined ||
    Number.isNaN(from) ||
    Number.isNaN(to) ||
    from > to
  )
    throw invalid('Invalid content-length-range.');
  return { from, to };
}

function parseCondition(condition: unknown): readonly FieldCondition[] {
  if (isRecord(condition)) {
    return Object.entries(condition).map(([field, value]) => {
      if (typeof value !== 'string') throw invalid(`Invalid Simple-Condition: value must be a string.`);
      return { operator: 'eq', field: field.toLowerCase(), value };
    });
  }
  const [operator, field, value] = Array.isArray(condition) ? (condition as readonly unknown[]) : [];
  if (typeof operator !== 'string' || typeof field !== 'string' || typeof value !== 'string' || !field.startsWith('$'))
    throw invalid('Invalid Condition.');
  const known = operator.toLowerCase();
  if (known !== 'eq' && known !== 'starts-with') throw invalid(`unknown Operation '${operator.slice(0, 40)}'.`);
  return [{ operator: known, field: field.slice(1).toLowerCase(), value }];
}

/** These are the policy, its proof and the file; and what a form's maker wants nobody to look at. */
const NEED_NO_CONDITION = /^(?:policy|x-amz-signature|file|x-ignore-.*)$/u;

/**
 * Throws ERR_S3_ACCESS_DENIED where a condition does not hold, or a field has none. `fields`: names in small letters, variables
 * replaced; `bucket` stands for where the form was sent.
 */
export function checkFields(
  policy: FormPolicy,
  fields: ReadonlyMap<string, string>,
  bucket: string,
  now: number,
): void {
  if (now >= policy.expiresAt) throw refused('Policy expired.');
  const all = new Map([...fields, ['bucket', bucket]]);
  for (const condition of policy.conditions) {
    const value = all.get(condition.field);
    // Fields that did not come are empty: a condition that they be something fails.
    if (!holds(condition, value ?? ''))
      throw refused(
        `Policy Condition failed: ${JSON.stringify([condition.operator, `$${condition.field}`, condition.value])}`,
      );
  }
  const covered = new Set(policy.conditions.map(({ field }) => field));
  const extra = [...fields.keys()].filter((name) => !NEED_NO_CONDITION.test(name) && !covered.has(name));
  if (extra.length > 0) throw refused(`Extra input fields: ${extra.join(', ').slice(0, 200)}`);
}

function holds({ operator, field, value }: FieldCondition, given: string): boolean {
  if (operator === 'eq') return given === value;
  // Of a list of types each must begin so.
  const values = field === 'content-type' ? given.split(',').map((one) => one.trim()) : [given];
  return values.every((one) => one.startsWith(value));
}

/** Throws ERR_S3_ENTITY_TOO_LARGE, ERR_S3_ENTITY_TOO_SMALL. */
export function checkLength({ lengths }: FormPolicy, length: number): void {
  for (const { from, to } of lengths) {
    if (length > to)
      throw new S3Error('ERR_S3_ENTITY_TOO_LARGE', undefined, {
        details: { ProposedSize: String(length), MaxSizeAllowed: String(to) },
      });
    if (length < from)
      throw new S3Error('ERR_S3_ENTITY_TOO_SMALL', 'Your proposed upload is smaller than the minimum allowed size', {
        details: { ProposedSize: String(length), MinSizeAllowed: String(from) },
      });
  }
}
