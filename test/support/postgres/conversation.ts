/** A program that is asked line by line, and answers each with one: for what has to happen between two steps of it. */
import { spawn, type ChildProcessWithoutNullStreams, type SpawnOptionsWithoutStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class Conversation {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #complaints = '';

  constructor(program: string, words: readonly string[], options: SpawnOptionsWithoutStdio = {}) {
    this.#child = spawn(program, words, options);
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#complaints += chunk.toString('utf8')));
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`it ended: ${this.#complaints}`);
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}
