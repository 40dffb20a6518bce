/**
 * Memory for segments larger than usual. A segment leaves only after its tag has verified, so one is held for each stream that opens;
 * parts beyond 32 MiB have larger ones (a part of 5 GiB: 10 MiB; part 10 000: of 0.5 GiB 5 MiB, of 5 GiB 53), for which a request's
 * common share has no room.
 *
 * These shares are of a bound of their own, taken after the common one and after the store's answer, and never before them: who holds one
 * waits for nobody. They are taken before an answer begins, so that who finds no room can still be told; and whenever a segment has left,
 * whoever waits has its turn, so that nobody waits for the end of a large object.
 */
import { MIN_SEGMENT_BYTES } from '../../envelope/limits.ts';
import type { Take } from '../bodies/byte-source.ts';
import type { GatewayContext, S3Request } from '../operation.ts';

export type SegmentRoom = {
  /** Somebody waits for room. */
  readonly isAwaited: boolean;
  /** To be called while no segment is held: lets others have their turn. Rejects with ERR_S3_REQUEST_TIMEOUT where the client vanished. */
  pass(): Promise<void>;
  giveBack(): void;
};

const NO_ROOM: SegmentRoom = { isAwaited: false, pass: () => Promise.resolve(), giveBack: () => undefined };

/**
 * `size`: of the largest segment that is opened, in bytes. One that is larger than the bound has all of it, and is alone. The room is given back also when the request's signal is aborted: a body that is
 * never read gives nothing back itself. Rejects with ERR_S3_SLOW_DOWN, ERR_S3_REQUEST_TIMEOUT.
 */
export async function segmentRoom(
  { segments }: Pick<GatewayContext, 'segments'>,
  { signal, client }: Pick<S3Request, 'signal' | 'client'>,
  size: number,
): Promise<SegmentRoom> {
  if (size <= MIN_SEGMENT_BYTES) return NO_ROOM;
  let share = await segments.take(size, { signal, holder: client });
  const giveBack = (): void => {
    signal.removeEventListener('abort', giveBack);
    share.giveBack();
  };
  if (signal.aborted) giveBack();
  else signal.addEventListener('abort', giveBack);
  const pass = async (): Promise<void> => {
    if (!segments.isContended) return;
    share.giveBack();
    share = await segments.take(size, { signal, holder: client, isAdmitted: true });
    if (signal.aborted) giveBack();
  };
  return {
    get isAwaited() {
      return segments.isContended;
    },
    pass,
    giveBack,
  };
}

/** Takes stored bytes, gives out what `push` opens of them; then, where others wait for room, they have their turn. */
export function opened(push: (chunk: Uint8Array, out: Uint8Array[]) => void, take: Take, room: SegmentRoom): Take {
  return (chunks) => {
    const out: Uint8Array[] = [];
    for (const chunk of chunks) push(chunk, out);
    if (out.length === 0) return undefined;
    const taking = take(out);
    if (room === NO_ROOM) return taking;
    if (taking === undefined) return room.isAwaited ? room.pass() : undefined;
    // Others may come while the client takes it.
    return taking.then(() => room.pass());
  };
}
