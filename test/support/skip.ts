import { beforeEach } from 'vitest';

/** For a file or a describe block: where there is a reason, each of its tests is skipped with it. */
export function skipBecause(reason: string | undefined): void {
  beforeEach(({ skip }) => {
    if (reason !== undefined) skip(reason);
  });
}
