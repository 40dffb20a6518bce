/** A program of the bench: one use of keys and nothing else. Argument: its name. Prints what each round has cost, as JSON. */
import { ALONE_ROUNDS, measureInTurns } from './in-process.ts';

const [name] = process.argv.slice(2);
const measured = await measureInTurns(name, ALONE_ROUNDS);
process.stdout.write(JSON.stringify(measured.flatMap(([, costs]) => costs)));
