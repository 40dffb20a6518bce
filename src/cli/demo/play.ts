/** What happens on the demo's stage: load, show both sides, check or wait. Imported when the demo runs: its clients are development packages. */
import { once } from 'node:events';
import { S3Client } from '@aws-sdk/client-s3';
import { EXIT, type CommandIo } from '../command.ts';
import type { Start } from '../start.ts';
import { CLAIMS, type DemoWorld } from './claims.ts';
import { makeDocuments, makeLedger, sha256 } from './files.ts';
import { loadCustomers, loadDocuments, uploadLedger } from './load.ts';
import { canariesOf, makeCustomers } from './people.ts';
import { showBothSides, showCommands } from './show.ts';
import { connect, withStage, type Stage, type WantedPorts } from './stage.ts';
import { createTerminal, type Terminal } from './terminal.ts';
import { CliError } from '../errors.ts';

const CUSTOMERS = 1000;

function objectClient(port: number, accessKeyId: string, secretAccessKey: string): S3Client {
  return new S3Client({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
}

async function openWorld({
  ports,
  secret,
  backends,
}: Stage): Promise<DemoWorld & { readonly close: () => Promise<void>; readonly ledger: Uint8Array }> {
  const customers = makeCustomers(CUSTOMERS);
  const ledger = makeLedger(customers);
  const sql = {
    sealed: await connect(ports.postgres, 'app', secret, 'shop'),
    direct: await connect(backends.postgresPort, 'postgres', secret, 'shop'),
  };
  const s3 = {
    sealed: objectClient(ports.s3, 'DEMOAPP', secret),
    direct: objectClient(backends.objectsPort, 'S3RVER', 'S3RVER'),
  };
  return {
    sql,
    s3,
    folders: { postgres: backends.postgresFolder, objects: backends.objectsFolder },
    customers,
    canaries: canariesOf(customers),
    documents: makeDocuments(customers),
    ledger,
    ledgerSha256: sha256(ledger),
    close: async () => {
      await Promise.all([sql.sealed.end(), sql.direct.end()]);
      s3.sealed.destroy();
      s3.direct.destroy();
    },
  };
}

async function loadAll(world: Awaited<ReturnType<typeof openWorld>>, terminal: Terminal): Promise<void> {
  await terminal.step(`loading ${CUSTOMERS} customers through Sealgate`, (progress) =>
    loadCustomers(world.sql.sealed, world.customers, progress),
  );
  await terminal.step(`storing ${world.documents.length} documents through Sealgate`, () =>
    loadDocuments(world.s3.sealed, world.documents),
  );
  await terminal.step('uploading a ledger of 64 MiB in parts through Sealgate', (progress) =>
    uploadLedger(world.s3.sealed, world.ledger, progress),
  );
}

/** Every claim, checked and printed; whether all hold. */
async function checkClaims(world: DemoWorld, terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  terminal.heading('Claims');
  let all = true;
  for (const check of CLAIMS) {
    signal.throwIfAborted();
    const { holds, text } = await check(world);
    terminal.claim(holds, text);
    all &&= holds;
  }
  return all;
}

async function play(stage: Stage, terminal: Terminal, io: CommandIo, justOnce: boolean): Promise<number> {
  const world = await openWorld(stage);
  try {
    await loadAll(world, terminal);
    await showBothSides(world, terminal);
    if (justOnce) {
      if (!(await checkClaims(world, terminal, io.signal)))
        throw new CliError('ERR_CLI_DEMO_CLAIM', 'not every claim of the demo holds');
      return EXIT.ok;
    }
    showCommands(stage, terminal);
    // The sessions of the display would only be in the way of an orderly end.
    if (!io.signal.aborted) await once(io.signal, 'abort');
    terminal.line('\nstopping …');
    return EXIT.ok;
  } finally {
    await world.close();
  }
}

/** The whole demo; resolves to the exit code. */
export function runDemo(start: Start, wanted: WantedPorts, io: CommandIo, justOnce: boolean): Promise<number> {
  const terminal = createTerminal(io.stdout, io.signal);
  terminal.heading('Sealgate demo');
  return withStage({ wanted, start, io, terminal }, (stage) => play(stage, terminal, io, justOnce));
}
