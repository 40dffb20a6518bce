/**
 * Whether the process can do its work: named checks (key store unsealed, upstreams reachable), each with a timeout. Results are
 * kept for a short time and asked once at a time, so that whoever polls cannot turn health into load on the upstreams.
 */

export type ReadinessCheck = {
  readonly name: string;
  /** Rejects while not ready. */
  readonly check: (signal: AbortSignal) => Promise<unknown>;
};

/** `reason` is an error code or a general word, never an address or an error's text: health endpoints are open. */
export type CheckResult =
  | { readonly name: string; readonly ready: true }
  | { readonly name: string; readonly ready: false; readonly reason: string };

export type Readiness = { readonly ready: boolean; readonly checks: readonly CheckResult[] };

export type ReadinessOptions = {
  readonly timeoutMs?: number;
  /** How long a result is given again without asking. */
  readonly keepMs?: number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
};

const TIMEOUT_MS = 2000;
const KEEP_MS = 2000;

/** A function that tells readiness, asking the checks at most once per `keepMs`. */
export function createReadiness(
  checks: readonly ReadinessCheck[],
  { timeoutMs = TIMEOUT_MS, keepMs = KEEP_MS, now = () => performance.now() }: ReadinessOptions = {},
): () => Promise<Readiness> {
  let kept: { readonly at: number; readonly result: Promise<Readiness> } | undefined;
  const ask = async (): Promise<Readiness> => {
    const results = await Promise.all(checks.map((check) => runCheck(check, timeoutMs)));
    return { ready: results.every(({ ready }) => ready), checks: results };
  };
  return () => {
    if (kept === undefined || now() - kept.at >= keepMs) kept = { at: now(), result: ask() };
    return kept.result;
  };
}

async function runCheck({ name, check }: ReadinessCheck, timeoutMs: number): Promise<CheckResult> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const timedOut = new Promise<never>((_resolve, reject) => {
    timeout.addEventListener('abort', () => {
      reject(new Error('timeout', { cause: 'timeout' }));
    });
  });
  try {
    await Promise.race([check(timeout), timedOut]);
    return { name, ready: true };
  } catch (error) {
    return { name, ready: false, reason: timeout.aborted ? 'timeout' : reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{2,60}$/u.test(code) ? code : 'failed';
}
