/**
 * A replication connection to a database with rules, where the config passes them: what the server sends goes through as it is, and is
 * ciphertext wherever a column is sealed; of the client only replication commands do.
 *
 * Threat: with `replication=database` such a connection runs SQL too, which nobody here would have analysed.
 */
import { MAX_CONTROL_MESSAGE_BYTES } from '../limits.ts';
import { PostgresError } from '../errors.ts';
import type { Draining } from '../draining.ts';
import { FORWARD, FrameStream, type FrameHandler } from '../wire/frame-stream.ts';
import { Intake } from '../wire/intake.ts';
import { FRONTEND } from '../wire/message-types.ts';
import { protocolError } from '../wire/protocol-error.ts';
import { Reader } from '../wire/reader.ts';
import { carryFrames, closeTogether, endWith, shutDown, sinkTo, type ConnectionEnds } from './connection.ts';
import type { SessionOptions } from './session.ts';
import { carryBytes } from './splice.ts';

/**
 * By its first word the server tells a replication command from SQL, and takes nothing behind one (replication/repl_scanner.l,
 * replication_scanner_is_replication_command).
 */
const COMMAND =
  /^\s*(?:identify_system|base_backup|start_replication|create_replication_slot|drop_replication_slot|alter_replication_slot|read_replication_slot|timeline_history|upload_manifest|show)(?![\w$\u0080-\uffff])/iu;
/** What pg_recvlogical says first (fe_utils/connect.h, ALWAYS_SECURE_SEARCH_PATH_SQL): it reads nothing. */
const SECURE_SEARCH_PATH = "SELECT pg_catalog.set_config('search_path', '', false);";

export function runReplication(
  ends: ConnectionEnds,
  options: Pick<SessionOptions, 'user' | 'database' | 'logger' | 'metrics'>,
  draining: Draining,
): void {
  const fromClient = new Intake(ends.client);
  const fromUpstream = new Intake(ends.upstream);
  const sockets = { client: fromClient.socket, upstream: fromUpstream.socket };
  const { client, upstream } = sockets;
  const fail = (error: unknown): void => endWith(error, sockets, true, options);
  const commands = new FrameStream(ONLY_COMMANDS, sinkTo(upstream, client, fail));
  // It is never between two transactions.
  const leave = draining.add(() => shutDown(sockets));
  const closed = (): void => {
    leave();
    commands.kill();
  };
  closeTogether(client, upstream, closed, () => undefined);
  if (ends.fromClient.length > 0) commands.push(ends.fromClient);
  carryFrames(fromClient, upstream, commands, () => false);
  carryBytes(fromUpstream, client, ends.fromUpstream, () => undefined);
}

const ONLY_COMMANDS: FrameHandler = {
  need: (type, bodyLength) => {
    if (type !== FRONTEND.query) return 0;
    if (bodyLength > MAX_CONTROL_MESSAGE_BYTES) throw protocolError('a replication command that is too long');
    return bodyLength;
  },
  frame: (type, bytes, start, bodyLength) => {
    switch (type) {
      case FRONTEND.query:
        if (isCommand(new Reader(bytes, start, start + bodyLength).cstring())) return FORWARD;
        throw sqlRefused();
      case FRONTEND.copyData:
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
      case FRONTEND.terminate:
        return FORWARD;
      default:
        throw sqlRefused();
    }
  },
};

export function isCommand(text: string): boolean {
  return COMMAND.test(text) || text === SECURE_SEARCH_PATH;
}

function sqlRefused(): PostgresError {
  return new PostgresError(
    'ERR_POSTGRES_REPLICATION',
    'only replication commands go through a replication connection',
    {
      sqlstate: '0A000',
      hint: 'Run SQL on an ordinary connection.',
    },
  );
}
