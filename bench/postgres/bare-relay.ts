/**
 * A program of the bench: relays PostgreSQL connections in Node and understands nothing of them, reading as the proxy does. With `primitives` it also makes, for each message of a client that may be a lookup, what the formats ask of one: a value sealed
 * by equality, the MAC and the hash of an audit record of the usual length, and one write of it. Nothing that does a lookup's work in Node can
 * cost less.
 *
 * Arguments: port, the server's port, `relay` or the file that `primitives` writes to.
 */
import { createSecretKey, hash, randomBytes } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { keptHmacText } from '../../src/crypto/kept-hmac.ts';
import { takeKey } from '../../src/crypto/key-types.ts';
import { sealValue } from '../../src/envelope/sealed-value.ts';
import { Intake } from '../../src/postgres/wire/intake.ts';

const [port, upstreamPort, file] = process.argv.slice(2);
/** As the bench's own lookups have them. */
const RECORD_BYTES = 864;
/** Query, Parse and Bind. */
const LOOKUPS = new Set([0x51, 0x50, 0x42]);

function primitives(path: string): () => void {
  const log = openSync(path, 'a');
  const dek = takeKey('Dek', randomBytes(32));
  const auditKey = createSecretKey(randomBytes(32));
  const [dekId, aad] = [randomBytes(16), randomBytes(16)];
  const record = randomBytes(RECORD_BYTES);
  let number = 0;
  return () => {
    number += 1;
    sealValue({ dek, dekId, aad, plaintext: Buffer.from(String(number)), mode: 'deterministic' }, randomBytes);
    record.write(keptHmacText(auditKey, record, 'base64url'), RECORD_BYTES - 64, 'latin1');
    record.write(hash('sha256', record, 'hex'), 0, 'latin1');
    writeSync(log, record);
  };
}

const work = file === undefined || file === 'relay' ? undefined : primitives(file);

/** Small messages come whole here, and a client waits for each answer: so nothing is held back, and nothing has to be paused. */
function carry(from: Intake, to: Socket, each?: (bytes: Uint8Array) => void): void {
  from.start({
    take: (bytes) => {
      each?.(bytes);
      to.write(bytes);
    },
    keeps: () => to.writableLength > 0,
  });
  from.socket.on('end', () => to.end());
  from.socket.on('error', () => to.destroy());
}

createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port: Number(upstreamPort), host: '127.0.0.1', noDelay: true }, () => {
    const [ofClient, ofServer] = [new Intake(client), new Intake(upstream)];
    carry(ofClient, ofServer.socket, (bytes) => {
      if (work !== undefined && LOOKUPS.has(bytes[0] ?? 0)) work();
    });
    carry(ofServer, ofClient.socket);
  });
  upstream.on('error', () => client.destroy());
  client.on('error', () => upstream.destroy());
}).listen(Number(port), '127.0.0.1');
