/**
 * What records of one caller's uses have in common, as JSON: most differ in time, resource, context and request alone. Putting the
 * whole of each into JSON anew was a tenth of the work of a use.
 *
 * Invariant: what is given is, member for member, what JSON.stringify gives of the entry.
 */
import type { AuditEntry } from './record.ts';

type Frame = {
  readonly of: AuditEntry;
  /** Up to the resource; between context and request. */
  readonly start: string;
  readonly middle: string;
  readonly detail: string;
};

/** Callers; with as many, what they have in common takes less than a megabyte. */
const MAX_CALLERS = 256;

export class RecordFrames {
  /** By principal and action: the last record's. */
  readonly #kept = new Map<string, Map<string, Frame>>();

  /** The members of a record, `time` first, without the braces around them. */
  membersOf(entry: AuditEntry): string {
    const { time, resource, context, request, detail } = entry;
    const frame = this.#frameOf(entry);
    const asked = request === undefined ? '' : `,"request":${JSON.stringify(request)}`;
    const details = detail === frame.of.detail ? frame.detail : detailJson(detail);
    return `"time":"${time}",${frame.start}${JSON.stringify(resource)},"context":${JSON.stringify(context)}${frame.middle}${asked}${details}`;
  }

  #frameOf(entry: AuditEntry): Frame {
    const ofCaller = this.#ofCaller(entry.principal);
    const known = ofCaller.get(entry.action);
    if (known !== undefined && isAlike(known.of, entry)) return known;
    const frame = makeFrame(entry);
    ofCaller.set(entry.action, frame);
    return frame;
  }

  #ofCaller(principal: string): Map<string, Frame> {
    const known = this.#kept.get(principal);
    if (known !== undefined) return known;
    if (this.#kept.size >= MAX_CALLERS) this.#kept.clear();
    const made = new Map<string, Frame>();
    this.#kept.set(principal, made);
    return made;
  }
}

function isAlike(a: AuditEntry, b: AuditEntry): boolean {
  return (
    a.key === b.key &&
    a.material === b.material &&
    a.via === b.via &&
    a.decision === b.decision &&
    a.why === b.why &&
    a.result === b.result
  );
}

function makeFrame(entry: AuditEntry): Frame {
  const { principal, action, key, material, via, decision, why, result, detail } = entry;
  return {
    of: entry,
    start: `${inner({ principal, action, key, material, via })},"resource":`,
    middle: `,${inner({ decision, why, result })}`,
    detail: detailJson(detail),
  };
}

const inner = (members: object): string => JSON.stringify(members).slice(1, -1);

const detailJson = (detail: AuditEntry['detail']): string =>
  detail === undefined ? '' : `,"detail":${JSON.stringify(detail)}`;
