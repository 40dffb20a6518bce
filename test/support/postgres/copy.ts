/** COPY over a raw connection: the data cut into CopyData messages as told, and everything that comes back. */
import { serialize } from 'pg-protocol';
import { errorOf, statusOf, type RawClient, type RawMessage } from './proxy.ts';

export type Protocol = 'simple' | 'extended';

export type CopyAnswer = {
  /** SQLSTATE, message and CONTEXT's first words of the error, where there is one. */
  readonly error: { readonly code: string; readonly message: string; readonly context: string | undefined } | undefined;
  readonly tag: string | undefined;
  readonly status: string | undefined;
  /** All CopyData together; how many there were. */
  readonly data: Buffer;
  readonly messages: number;
};

const { query, parse, bind, execute, sync, copyData, copyDone, copyFail } = serialize;

function start(sql: string, protocol: Protocol): Buffer {
  if (protocol === 'simple') return query(sql);
  return Buffer.concat([parse({ text: sql }), bind({}), execute({}), sync()]);
}

/** Sends the statement and, without waiting, its data in pieces of `pieceBytes`. */
export async function copyIn(
  client: RawClient,
  sql: string,
  data: Uint8Array | string,
  { protocol = 'simple', pieceBytes = 1 << 16, end = copyDone() }: CopyInWays = {},
): Promise<CopyAnswer> {
  const bytes = Buffer.from(data);
  client.send(start(sql, protocol));
  const before = await untilCopying(client);
  if (before.at(-1)?.type !== 'G') return answer(before);
  for (let at = 0; at < bytes.length; at += pieceBytes) client.send(copyData(bytes.subarray(at, at + pieceBytes)));
  client.send(end);
  if (protocol === 'extended') client.send(sync());
  return answer([...before, ...(await client.untilReady())]);
}

export type CopyInWays = {
  readonly protocol?: Protocol;
  readonly pieceBytes?: number;
  readonly end?: Uint8Array;
};

export { copyFail };

export async function copyOut(client: RawClient, sql: string, protocol: Protocol = 'simple'): Promise<CopyAnswer> {
  client.send(start(sql, protocol));
  return answer(await client.untilReady());
}

/** Up to CopyInResponse or ReadyForQuery. */
async function untilCopying(client: RawClient): Promise<RawMessage[]> {
  const messages: RawMessage[] = [];
  for (;;) {
    const message = await client.message();
    if (message === undefined) return messages;
    messages.push(message);
    if (message.type === 'G' || message.type === 'Z') return messages;
  }
}

function answer(messages: readonly RawMessage[]): CopyAnswer {
  const { C: code, M: message, W: context } = errorOf(messages);
  const data = messages.filter(({ type }) => type === 'd').map(({ body }) => body);
  const tag = messages.find(({ type }) => type === 'C')?.body;
  return {
    error: code === undefined ? undefined : { code, message: message ?? '', context },
    tag: tag?.subarray(0, -1).toString(),
    status: statusOf(messages),
    data: Buffer.concat(data),
    messages: data.length,
  };
}
