/**
 * COPY of sealed columns within a session: what the client sends is sealed while the server reads it, and what fails here fails there.
 *
 * A COPY into sealed columns that is over before its CopyDone leaves data on its way from the client, which the server ignores; that
 * data is dropped here, so that nothing unsealed is sent on.
 */
import { CopyIn } from '../copy/copy-in.ts';
import { CopyOut } from '../copy/copy-out.ts';
import { refusedAt } from '../copy/errors.ts';
import { encodeCopyFail } from '../messages/copy.ts';
import type { ErrorFields } from '../messages/error-response.ts';
import type { Refusal } from '../plan.ts';
import { refusalOf } from './refusals.ts';
import type { ResultOpening } from './reply.ts';
import type { Session } from './session.ts';

/** What the server is told where a COPY fails here; its error then says so, and is swapped. */
const FAILED_HERE = 'SEALGATE ENDED THIS COPY';
const COPY_FAIL = encodeCopyFail(FAILED_HERE);

/** The COPY whose data is on its way. */
export type Copying =
  | { readonly direction: 'in'; readonly work: CopyIn; refusal: Refusal | undefined }
  | { readonly direction: 'out'; readonly work: CopyOut };

/** The server reads, or sends, a COPY's data: what is to be done with it, where it holds sealed columns. */
export function beginCopy(session: Session, opening: ResultOpening | undefined): void {
  const copy = opening?.plan.copy;
  if (opening?.columns === undefined || copy === undefined) return;
  const { columns, plan } = opening;
  if (copy.direction === 'out') {
    const results = plan.results ?? [];
    if (results.some((column) => column !== undefined))
      session.copying = { direction: 'out', work: new CopyOut({ plan: copy, results, columns }) };
    return;
  }
  const { settings, wires } = session;
  const write = (message: Uint8Array): void => {
    wires.toUpstream(message);
    wires.flushUpstream();
  };
  session.copying = { direction: 'in', work: new CopyIn({ plan: copy, columns, settings, write }), refusal: undefined };
}

/** The COPY is over, one way or the other. `failed`: with an error, so that data may still come, unless its end did before. */
export function endCopy(session: Session, failed: boolean): void {
  const mayCome = session.copyIn || session.copying === undefined;
  if (failed && mayCome && session.opening?.plan.copy?.direction === 'in') session.dropsCopyData = 'until-message';
  session.copyIn = false;
  session.copying = undefined;
}

/** What the COPY in progress fails of here; the server is made to fail too, and what else the client sends is dropped. */
export function failCopy(session: Session, error: unknown): void {
  const { copying } = session;
  if (copying?.direction !== 'in' || copying.refusal !== undefined) return;
  const refusal = refusalOf(error);
  copying.refusal = refusedAt(refusal, copying.work.place);
  giveUp(session);
}

/** CopyFail of the client: its reason may quote a row, and stays here. */
export function abandonCopy(session: Session, reason: string): void {
  const { copying } = session;
  if (copying?.direction !== 'in' || copying.refusal !== undefined) return;
  copying.refusal = {
    sqlstate: '57014',
    code: 'ERR_POSTGRES_COPY_FAILED',
    message: `COPY from stdin failed: ${reason}`,
  };
  copying.refusal = refusedAt(copying.refusal, copying.work.place);
  giveUp(session);
}

function giveUp(session: Session): void {
  session.copyIn = false;
  session.dropsCopyData = 'until-message';
  session.wires.toUpstream(COPY_FAIL);
  session.wires.flushUpstream();
}

/** The refusal that an error of the server stands for; undefined where the error is its own. */
export function copyRefusal({ copying }: Session, fields: ErrorFields): Refusal | undefined {
  if (copying?.direction !== 'in' || fields.get('M')?.includes(FAILED_HERE) !== true) return undefined;
  return copying.refusal;
}
