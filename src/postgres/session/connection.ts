/**
 * Joins a session's handlers with its two sockets: bytes in, bytes out, back-pressure, and the end of either side.
 */
import type { Socket } from 'node:net';
import { shutdownError, TERMINATE, type Draining } from '../draining.ts';
import { PostgresError } from '../errors.ts';
import { LINGER_MS, MAX_PIPELINE_DEPTH } from '../limits.ts';
import { encodeOwnError } from '../messages/error-response.ts';
import { FrameStream, type FrameSink } from '../wire/frame-stream.ts';
import { Intake } from '../wire/intake.ts';
import { backendHandler } from './backend/index-table.ts';
import { frontendHandler } from './frontend/index-table.ts';
import { Session, type SessionOptions } from './session.ts';

export type ConnectionEnds = {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Read during startup and not yet handled. */
  readonly fromClient: Uint8Array;
  readonly fromUpstream: Uint8Array;
};

/** Runs the session until either side ends, or until it is idle while all sessions end. */
export function runSession(ends: ConnectionEnds, options: Omit<SessionOptions, 'wires'>, draining: Draining): void {
  const fromClient = new Intake(ends.client);
  const fromUpstream = new Intake(ends.upstream);
  const sockets = { client: fromClient.socket, upstream: fromUpstream.socket };
  const { client, upstream } = sockets;
  const session: Session = new Session({
    ...options,
    wires: {
      toUpstream: (bytes) => frontend.write(bytes),
      flushUpstream: () => frontend.flush(),
      toClient: (bytes) => backend.write(bytes),
      failed: (error) => fail(error),
    },
  });
  const fail = (error: unknown): void => {
    session.end();
    frontend.kill();
    endWith(error, sockets, backend.atBoundary, options);
  };
  const frontend: FrameStream = new FrameStream(frontendHandler(session), sinkTo(upstream, client, fail));
  const backend: FrameStream = new FrameStream(backendHandler(session), sinkTo(client, upstream, fail));
  const isDeep = (): boolean => {
    if (session.replies.size <= MAX_PIPELINE_DEPTH) return false;
    void session.replies.until(MAX_PIPELINE_DEPTH / 2).then(() => client.resume());
    return true;
  };
  let isEnding = false;
  const endIfIdle = (): void => {
    if (!isEnding || session.status !== 'idle' || session.replies.size > 0) return;
    if (!frontend.atBoundary || !backend.atBoundary) return;
    isEnding = false;
    frontend.kill();
    backend.kill();
    shutDown(sockets);
  };
  const leave = draining.add(() => {
    isEnding = true;
    endIfIdle();
  });
  const closed = (): void => {
    leave();
    session.made();
    session.end();
    frontend.kill();
    backend.kill();
  };
  const farewell = (): Uint8Array | undefined => {
    if (session.isOver || !backend.atBoundary) return undefined;
    return serverLost(options);
  };
  closeTogether(client, upstream, closed, farewell);
  if (ends.fromUpstream.length > 0) backend.push(ends.fromUpstream);
  const named = underKnownNames(frontend, session);
  if (ends.fromClient.length > 0) named.push(ends.fromClient);
  carryFrames(fromClient, upstream, named, isDeep);
  carryFrames(fromUpstream, client, backend, () => {
    endIfIdle();
    return false;
  });
}

/** Both sides are told, as by a server that is shut down. */
export function shutDown({ client, upstream }: Pick<ConnectionEnds, 'client' | 'upstream'>): void {
  client.end(shutdownError());
  upstream.end(TERMINATE);
}

/** Where a stream writes, and the source it wakes when it is free again. */
export function sinkTo(socket: Socket, source: Socket, failed: (error: unknown) => void): FrameSink {
  return {
    write: (chunks) => writeTogether(socket, chunks),
    failed,
    idle: () => {
      if (!socket.writableNeedDrain) source.resume();
    },
  };
}

/** Below this, copying the pieces together costs less than handing each to the kernel. */
const JOIN_BYTES = 16 * 1024;

/** One system call for all chunks. */
function writeTogether(socket: Socket, chunks: readonly Uint8Array[]): void {
  const [only, ...more] = chunks;
  if (only === undefined) return;
  if (more.length === 0) {
    socket.write(only);
    return;
  }
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  if (length <= JOIN_BYTES) {
    socket.write(Buffer.concat(chunks, length));
    return;
  }
  socket.cork();
  for (const chunk of chunks) socket.write(chunk);
  socket.uncork();
}

type Carrier = Pick<FrameStream, 'push' | 'busy'>;

/** What passes unseen is told by the names that are known: where nobody has looked at them for a while, that is done first. */
function underKnownNames(stream: FrameStream, { analyzer }: Session): Carrier {
  return {
    get busy() {
      return stream.busy;
    },
    push: (bytes) => {
      const looking = analyzer.catchUp();
      if (looking !== undefined) stream.after(looking);
      stream.push(bytes);
    },
  };
}

/** Reads from `source` while `sink` takes it and no handler is at work. */
export function carryFrames(source: Intake, sink: Socket, stream: Carrier, held: () => boolean): void {
  const from = source.socket;
  sink.on('drain', () => {
    if (!stream.busy) from.resume();
  });
  source.start({
    take: (bytes) => {
      stream.push(bytes);
      if (stream.busy || sink.writableNeedDrain || held()) from.pause();
    },
    keeps: () => stream.busy || sink.writableLength > 0,
  });
}

/**
 * When one side ends, what it sent is still delivered to the other, which then ends too. `farewell`: what the client is told of a server
 * that went without a word; undefined where it has been told, or its stream is within a message.
 */
export function closeTogether(
  client: Socket,
  upstream: Socket,
  closed: () => void,
  farewell: () => Uint8Array | undefined,
): void {
  const tell = (): void => {
    if (!client.writable) return;
    const last = farewell();
    if (last === undefined) client.end();
    else client.end(last);
  };
  client.on('error', () => upstream.destroy());
  client.on('end', () => upstream.end());
  upstream.on('error', tell);
  upstream.on('end', tell);
  const follow = (from: Socket, to: Socket): void => {
    from.on('close', () => {
      closed();
      if (to.writableFinished || to.destroyed) to.destroy();
      else endSoon(to);
    });
  };
  follow(client, upstream);
  follow(upstream, client);
  // What happened before anybody listened here, while the session was opened, is told to nobody any more.
  setImmediate(() => {
    if (client.destroyed) {
      closed();
      upstream.destroy();
    } else if (upstream.destroyed || upstream.readableEnded) {
      tell();
      endSoon(client);
    } else if (client.readableEnded) upstream.end();
  });
}

/** What was written is delivered, to whoever takes it in time. */
function endSoon(socket: Socket): void {
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  socket.destroySoon();
}

/** For a client, of a server that is gone: what a driver would say by itself, and that it was the server. */
export function serverLost({ logger, metrics, user, database }: Told): Uint8Array {
  const code = 'ERR_POSTGRES_UPSTREAM_CLOSED';
  metrics.failed?.(code);
  logger.warn({ code, user, database }, 'the server closed the connection');
  return encodeOwnError({
    severity: 'FATAL',
    sqlstate: '08006',
    code,
    message: 'the server behind the proxy closed the connection',
    hint: 'What became of a statement that was under way is not known.',
  });
}

type Told = Pick<SessionOptions, 'user' | 'database' | 'logger' | 'metrics'>;

/** A FATAL for the client where its stream is between two messages; in any case both connections end. */
export function endWith(
  error: unknown,
  { client, upstream }: Pick<ConnectionEnds, 'client' | 'upstream'>,
  atBoundary: boolean,
  options: Told,
): void {
  upstream.destroy();
  const known = error instanceof PostgresError ? error : internal(error);
  options.metrics.failed?.(known.code);
  options.logger.error(
    { code: known.code, err: known, user: options.user, database: options.database },
    'session ended',
  );
  if (!atBoundary) {
    client.destroy();
    return;
  }
  const { sqlstate, detail, hint } = known.fields;
  client.end(encodeOwnError({ severity: 'FATAL', sqlstate, code: known.code, message: known.message, detail, hint }));
}

export function internal(cause: unknown): PostgresError {
  return new PostgresError(
    'ERR_POSTGRES_INTERNAL',
    'the proxy met a condition it did not expect',
    { sqlstate: 'XX000' },
    { cause },
  );
}
