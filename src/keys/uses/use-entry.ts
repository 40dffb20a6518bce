/** What the audit record of a use says. */
import { KEY_BYTES } from '../../crypto/key-types.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { MAX_CONTEXT_BYTES } from '../../envelope/limits.ts';
import type { AuditEntry } from '../audit/record.ts';
import type { AuthorizationDecision } from '../options.ts';
import type { KeyUse } from './data-keys.ts';
import type { UseTrace } from './use-recorder.ts';

/** The use failed before anybody was asked. */
const UNDECIDED: AuthorizationDecision = { allow: false, why: 'not reached' };

export function entryOf(
  time: string,
  action: string,
  use: KeyUse,
  context: EncryptionContext | null,
  trace: UseTrace,
  result: string,
): AuditEntry {
  const { allow, why } = trace.decision ?? UNDECIDED;
  const entry: { -readonly [Name in keyof AuditEntry]: AuditEntry[Name] } = {
    time,
    principal: shortened(use.principal),
    action,
    key: trace.key?.arn ?? null,
    material: trace.material?.name ?? null,
    via: use.via,
    resource: shortened(use.resource),
    context: recordable(context),
    decision: allow ? 'allow' : 'deny',
    why: shortened(why),
    result,
  };
  if (use.requestId !== undefined) entry.request = shortened(use.requestId);
  if (trace.detail !== undefined) entry.detail = shortenedDetail(trace.detail);
  if (trace.bytes !== undefined) entry.detail = withBytes(entry.detail, trace.bytes);
  return entry;
}

/** Of most uses that protect something: one object, which is put into words once. */
const OF_DATA_KEY: NonNullable<AuditEntry['detail']> = Object.freeze({ bytes: KEY_BYTES });

function withBytes(detail: AuditEntry['detail'], bytes: number): NonNullable<AuditEntry['detail']> {
  return detail === undefined && bytes === KEY_BYTES ? OF_DATA_KEY : { ...detail, bytes };
}

/** ISO 8601; the many uses of one millisecond share one text. */
export class IsoTimes {
  #ms = Number.NaN;
  #text = '';

  at(ms: number): string {
    if (ms !== this.#ms) {
      this.#text = new Date(ms).toISOString();
      this.#ms = ms;
    }
    return this.#text;
  }
}

/** A record stays far below MAX_AUDIT_LINE_BYTES, whatever a caller gave and however JSON writes it. */
const MAX_TEXT_CHARS = 4096;

const shortened = (text: string): string => (text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}…` : text);

function shortenedDetail(detail: NonNullable<UseTrace['detail']>): NonNullable<UseTrace['detail']> {
  return Object.fromEntries(
    Object.entries(detail).map(([name, value]) => [name, typeof value === 'string' ? shortened(value) : value]),
  );
}

/** Too large for an encryption context: the use was refused for it, and it is not written down. */
function recordable(context: EncryptionContext | null): EncryptionContext | null {
  if (context === null) return null;
  let chars = 0;
  for (const name of Object.keys(context)) chars += name.length + (context[name]?.length ?? 0);
  return chars > MAX_CONTEXT_BYTES ? null : context;
}
