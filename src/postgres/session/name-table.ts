/**
 * What names stand for, as of the last message sent on. The server has not run it yet: what it said of a name is taken back if it fails, or
 * is skipped, whatever was said of the name by messages after it.
 *
 * Names are told apart as the server does, by their first 63 bytes: one character for each (`nameOf`).
 */

/** The server's hash tables of statements and portals compare this many bytes (NAMEDATALEN - 1). */
export const NAME_BYTES = 63;

export function keyOf(name: string): string {
  return name.length > NAME_BYTES ? name.slice(0, NAME_BYTES) : name;
}

export const isBeyondAscii = (name: string): boolean => /[^\0-\x7f]/.test(name);

/** How many replies were ever owed, and how many of them are no more. */
type Progress = { readonly begun: number; readonly ended: number };

type Change<Value> = {
  readonly name: string;
  /** Undefined: the name stands for nothing that is remembered. */
  readonly value: Value | undefined;
  /** The reply that says what becomes of it. */
  readonly reply: number;
};

export class NameTable<Value> {
  readonly #progress: Progress;
  /** By name: what is certain, and then what depends on replies to come, in order. */
  readonly #names = new Map<string, Change<Value>[]>();
  readonly #uncertain = new Set<Change<Value>>();

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  /** With those that stood for something a moment ago, which may come back. */
  get size(): number {
    return this.#names.size;
  }

  get(name: string): Value | undefined {
    return this.#names.get(keyOf(name))?.at(-1)?.value;
  }

  /** Whether it stands for something, or may again. */
  has(name: string): boolean {
    return this.#names.has(keyOf(name));
  }

  /**
   * Whether what the name stands for hangs on a reply to come, and a message that is sent now is run whatever it says: the last change was made
   * before the reply `since` (counted as `begun` is), and the name stood for something else before.
   */
  isInDoubt(name: string, since: number): boolean {
    this.#settle();
    const changes = this.#names.get(keyOf(name)) ?? [];
    const last = changes.at(-1);
    return (
      last !== undefined &&
      last.reply < since &&
      changes.some(({ value }) => value !== undefined && value !== last.value)
    );
  }

  /** All that names stand for, or may again. */
  *possible(): Generator<readonly [name: string, value: Value]> {
    this.#settle();
    for (const changes of this.#names.values())
      for (const { name, value } of changes) if (value !== undefined) yield [name, value];
  }

  /** By the message whose reply is expected next; gives what takes it back. */
  set(given: string, value: Value | undefined): () => void {
    this.#settle();
    const name = keyOf(given);
    const { begun } = this.#progress;
    const change = { name, value, reply: begun };
    const known = this.#names.get(name);
    if (known === undefined && value === undefined) return () => undefined;
    if (known === undefined) this.#names.set(name, [{ name, value: undefined, reply: begun }, change]);
    else known.push(change);
    this.#uncertain.add(change);
    return () => this.#takeBack(change);
  }

  /** As `set`: no name stands for anything. */
  clear(): () => void {
    const undo = [...this.#names.keys()].map((name) => this.set(name, undefined));
    return () => undo.forEach((restore) => restore());
  }

  /** What no reply to come can bring back: called while none is owed. */
  forget(which: (value: Value) => boolean): void {
    this.#settle();
    for (const [name, [certain, ...uncertain]] of this.#names) {
      if (certain?.value !== undefined && uncertain.length === 0 && which(certain.value)) this.#names.delete(name);
    }
  }

  #settle(): void {
    for (const change of this.#uncertain) {
      if (change.reply >= this.#progress.ended) return;
      this.#uncertain.delete(change);
      const changes = this.#names.get(change.name);
      changes?.splice(0, changes.indexOf(change));
      this.#clean(change.name);
    }
  }

  #takeBack(change: Change<Value>): void {
    if (!this.#uncertain.delete(change)) return;
    const changes = this.#names.get(change.name);
    changes?.splice(changes.indexOf(change), 1);
    this.#clean(change.name);
  }

  #clean(name: string): void {
    const changes = this.#names.get(name);
    if (changes?.length === 1 && changes[0]?.value === undefined) this.#names.delete(name);
  }
}
