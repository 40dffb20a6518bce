/** What the memory held for an exchange is held against: how fast its client sends and takes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { S3Error } from '../errors.ts';
import type { ShareHolder } from '../sealing/governor.ts';

export function clientPace(incoming: IncomingMessage, outgoing: ServerResponse): ShareHolder {
  const { socket } = incoming;
  return {
    // What is written counts once the kernel has it.
    movedBytes: () => socket.bytesRead + socket.bytesWritten - socket.writableLength,
    awaitsClient: () => sends(incoming) || takes(outgoing),
    giveUp: () => {
      outgoing.destroy();
      incoming.destroy(new S3Error('ERR_S3_REQUEST_TIMEOUT'));
    },
  };
}

/** Bytes of its body are asked for. */
const sends = (incoming: IncomingMessage): boolean => incoming.readableFlowing === true && !incoming.complete;

const takes = (outgoing: ServerResponse): boolean =>
  outgoing.writableNeedDrain || (outgoing.writableEnded && !outgoing.writableFinished);
