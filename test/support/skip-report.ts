/** A vitest reporter: after a run it says what was skipped and why, so that nothing is skipped in silence. */
import type { Reporter, TestModule, Vitest } from 'vitest/node';

export default class SkipReport implements Reporter {
  /** With `-t`, whatever does not match counts as skipped: a choice, and not a lack. */
  #filtered = false;

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const reasons = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        // Where a file fails before its tests, they count as skipped: its error is reported by others.
        if (module.state() === 'failed') continue;
        const { note } = test.result() as { readonly note?: string };
        if (note === undefined && this.#filtered) continue;
        const reason = note ?? `no reason given: ${module.relativeModuleId} > ${test.fullName}`;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    for (const [reason, count] of reasons)
      process.stdout.write(`  skipped: ${count} test${count === 1 ? '' : 's'}, ${reason}\n`);
  }
}
