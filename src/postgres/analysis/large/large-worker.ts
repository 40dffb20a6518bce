/** The thread of `large-thread.ts`: reads one statement after the other. */
import { parentPort } from 'node:worker_threads';
import { ServiceError } from '../../service/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { UnlockedShadows } from '../catalog/unlocked-shadows.ts';
import { confirmDrafts } from '../confirm.ts';
import { draftStatements, isPlain } from '../draft-statements.ts';
import { AnalysisError } from '../errors.ts';
import { withMessage } from '../one-by-one.ts';
import { refusePlan } from '../refuse-plan.ts';
import { SourceText } from '../text/source-text.ts';
import { loadGrammar, parseStatements } from '../text/syntax.ts';
import type { Ask, FromThread, LargeAnswer, LargeStatement, ToThread } from './messages.ts';
import { remoteService } from './remote-service.ts';

type Waiting = { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void };

const waiting = new Map<number, Waiting>();
let lastAsk = 0;
let catalog: Catalog | undefined;

const say = (message: FromThread): void => parentPort?.postMessage(message);

function ask(request: Ask): Promise<unknown> {
  const id = (lastAsk += 1);
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    say({ type: 'ask', id, ask: request });
  });
}

const service = remoteService(ask);
const shadows = new UnlockedShadows(service);

async function answer(job: LargeStatement, known: Catalog): Promise<LargeAnswer> {
  const { sql, declaredOids, settings, seesPhysicalTypes } = job;
  const source = new SourceText(sql);
  try {
    await loadGrammar();
    const statements = parseStatements(source.sql, source.byteLength);
    const drafted = draftStatements(statements, { catalog: known, source, declaredOids, settings, seesPhysicalTypes });
    const isAllPlain = drafted.refused === undefined && drafted.statements.every(isPlain);
    const plans = withMessage(await confirmDrafts(shadows, drafted, source), statements, source);
    return { plans, isPlain: isAllPlain, missesName: missesName(drafted.refused) };
  } catch (error) {
    return { plans: [refusePlan(error, source)], isPlain: false, missesName: missesName(error) };
  }
}

function missesName(error: unknown): boolean {
  return error instanceof AnalysisError && error.code === 'ERR_POSTGRES_NAME';
}

parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'asked') {
    const { id, result, failure } = message;
    const asking = waiting.get(id);
    waiting.delete(id);
    if (failure === undefined) asking?.resolve(result);
    else asking?.reject(new ServiceError(failure.code, failure.sqlstate, failure.message));
    return;
  }
  catalog = message.catalog ?? catalog;
  if (catalog === undefined) throw new TypeError('a statement came before the catalog');
  void answer(message.job, catalog).then((found) => say({ type: 'planned', answer: found }));
});
