/** The current catalog of one database: loaded, watched for changes, replaced as a whole. */
import type { SealedColumn } from '../../plan.ts';
import type { ServiceConnection } from '../../service/connection.ts';
import { repeated } from '../../service/repeated.ts';
import { inTurns } from '../../turns.ts';
import { readRoutines } from './routine-texts.ts';
import { FINGERPRINT_SQL, SNAPSHOT_SQL, UNREAD_BODY } from './sql.ts';
import { buildCatalog } from './snapshot.ts';
import { parseSnapshot, type CatalogSnapshot } from './snapshot-shape.ts';
import { namesChanging, withComing, type Catalog, type ComingRelation } from './catalog.ts';
import { AnalysisError } from '../errors.ts';
import { mayConcernTest, type MayConcern } from '../may-concern.ts';
import type { RuledColumn } from './rules.ts';

const SNAPSHOT = repeated(SNAPSHOT_SQL);
const FINGERPRINT = repeated(FINGERPRINT_SQL);

export type CatalogSourceOptions = {
  readonly service: ServiceConnection;
  readonly rules: readonly RuledColumn[];
  readonly resolveColumns: () => Promise<readonly SealedColumn[]>;
  readonly allowRoutines: ReadonlySet<string>;
  readonly shadowsApart?: string | undefined;
  readonly now: () => number;
};

/** `began`: how often the catalog had been distrusted by then. */
type Refreshing = { readonly began: number; readonly done: Promise<void> };

/** `rows`: another after every change; `contents`: not where a relation was only emptied or written anew. */
type Fingerprint = { readonly rows: string; readonly contents: string };

/** `holds`: every rule does. One that does not may come to hold when its table is emptied. */
type Seen = Fingerprint & { readonly holds: boolean };

type Loaded = {
  readonly catalog: Catalog;
  readonly mayConcern: MayConcern;
  /** What it looks for. */
  readonly hotNames: string;
  readonly seen: Seen;
};

/** `until`: how often the catalog has to have been distrusted when a look begins that tells what became of them. */
type Coming = { readonly relations: readonly ComingRelation[]; until: number };

/** A catalog that changes on every look is a catalog that cannot be known. */
const MAX_LOADS = 5;

export class CatalogSource {
  readonly #options: CatalogSourceOptions;
  #loaded: Loaded | undefined;
  #checkedAt = -Infinity;
  #refreshing: Refreshing | undefined;
  /** How often the catalog was distrusted. */
  #distrusted = 0;
  #loadsAnew = false;
  #epoch = 0;
  #hotNames = 0;
  readonly #coming = new Set<Coming>();
  #expected = 0;

  constructor(options: CatalogSourceOptions) {
    this.#options = options;
  }

  /** Undefined before the first load. */
  get catalog(): Catalog | undefined {
    return this.#loaded?.catalog;
  }

  /** Errors: ERR_POSTGRES_CATALOG before the first load. */
  requireCatalog(): Catalog {
    if (this.#loaded === undefined)
      throw new AnalysisError('ERR_POSTGRES_CATALOG', '57P03', 'the catalog of the database has not been read');
    return this.#loaded.catalog;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Another than before where names may mean something else than before; temporary tables, which are of one session each, aside. */
  get meaning(): string {
    return `${this.#loaded?.seen.contents ?? ''} ${this.#expected}`;
  }

  /** When the server was last seen to have this catalog. */
  get checkedAt(): number {
    return this.#checkedAt;
  }

  /** Another number whenever the names that `mayConcern` looks for are others. */
  get hotNames(): number {
    return this.#hotNames;
  }

  mayConcern(sql: string): boolean {
    return this.#loaded === undefined || this.#loaded.mayConcern(sql);
  }

  /** The next use looks at the server first; a look that is under way came too early. */
  distrust(): void {
    this.#distrusted += 1;
    this.#checkedAt = -Infinity;
  }

  /** As `distrust`, and loads it anew in any case: the fingerprint leaves temporary tables out. */
  outdate(): void {
    this.distrust();
    this.#loadsAnew = true;
  }

  /** Their names are hot from now on, and until the catalog is looked at after the release. */
  expect(relations: readonly ComingRelation[]): () => void {
    const coming: Coming = { relations, until: Infinity };
    this.#coming.add(coming);
    this.#expected += 1;
    if (this.#loaded !== undefined) this.#replace(this.#loaded.catalog, this.#loaded.seen);
    return () => {
      if (coming.until !== Infinity) return;
      this.outdate();
      coming.until = this.#distrusted;
    };
  }

  #replace(catalog: Catalog, seen: Seen): void {
    this.#epoch += 1;
    const relations = [...this.#coming].flatMap((coming) => coming.relations);
    const whole = withComing({ ...catalog, epoch: this.#epoch }, relations);
    const hotNames = JSON.stringify(
      [...whole.hotRelationNames, ...whole.hotRoutines.keys(), ...namesChanging(whole)].sort(),
    );
    if (hotNames !== this.#loaded?.hotNames) this.#hotNames += 1;
    this.#loaded = { catalog: whole, mayConcern: mayConcernTest(whole), hotNames, seen };
  }

  /** Asks the server whether the catalog is still this one, and loads it anew if not. Errors: ERR_POSTGRES_CATALOG. */
  async refresh(): Promise<void> {
    const wanted = this.#distrusted;
    for (let began = -1; began < wanted;) {
      this.#refreshing ??= this.#begin();
      ({ began } = this.#refreshing);
      await this.#refreshing.done;
    }
  }

  /** As `refresh`, by a look that begins after the call: one that is under way may miss what others have done by now. */
  async refreshAnew(): Promise<void> {
    await this.#refreshing?.done.catch(() => undefined);
    await this.refresh();
  }

  #begin(): Refreshing {
    const done = this.#check().finally(() => {
      this.#refreshing = undefined;
    });
    return { began: this.#distrusted, done };
  }

  /** Loads it anew in any case: what the fingerprint leaves out (temporary tables) may have changed. */
  async reload(): Promise<void> {
    await this.#refreshing?.done.catch(() => undefined);
    this.#loadsAnew = true;
    await this.refresh();
  }

  async #check(): Promise<void> {
    try {
      const at = this.#options.now();
      const began = this.#distrusted;
      const loadsAnew = this.#loadsAnew;
      this.#loadsAnew = false;
      const fingerprint = await this.#fingerprint();
      if (loadsAnew || !this.#isLoaded(fingerprint)) await this.#load(fingerprint, began);
      if (began === this.#distrusted) this.#checkedAt = at;
    } catch (error) {
      this.#loadsAnew = true;
      throw new AnalysisError(
        'ERR_POSTGRES_CATALOG',
        '57P03',
        'the catalog of the database cannot be read',
        -1,
        undefined,
        { cause: error },
      );
    }
  }

  /** Between two equal fingerprints nothing changed, so rules and catalog belong together. */
  async #load(before: Fingerprint, began: number): Promise<void> {
    const { service, rules, resolveColumns, allowRoutines, shadowsApart } = this.#options;
    let fingerprint = before;
    for (let load = 0; load < MAX_LOADS; load += 1) {
      const [row] = await service.query(SNAPSHOT);
      const sealed = await resolveColumns();
      const after = await this.#fingerprint();
      if (after.rows === fingerprint.rows) {
        const snapshot = parseSnapshot(row?.['snapshot']);
        const routines = await inTurns(readRoutines(snapshot.routines));
        for (const coming of this.#coming) if (coming.until <= began) this.#coming.delete(coming);
        const catalog = buildCatalog({
          epoch: this.#epoch,
          snapshot,
          routines,
          rules,
          sealed,
          allowRoutines,
          shadowsApart,
        });
        this.#replace(catalog, { ...fingerprint, holds: sealed.length === rules.length });
        // What locks kept from being read, where it matters: no fingerprint says that it can be read now.
        if (isPartlyUnread(catalog, snapshot)) this.#loadsAnew = true;
        return;
      }
      fingerprint = after;
    }
    throw new TypeError('the catalog changes faster than it can be read');
  }

  async #fingerprint(): Promise<Fingerprint> {
    const [row] = await this.#options.service.query(FINGERPRINT);
    return { rows: String(row?.['fingerprint']), contents: String(row?.['contents']) };
  }

  #isLoaded(fingerprint: Fingerprint): boolean {
    const { seen } = this.#loaded ?? {};
    if (seen === undefined) return false;
    return seen.holds ? fingerprint.contents === seen.contents : fingerprint.rows === seen.rows;
  }
}

function isPartlyUnread({ relations }: Catalog, { routines }: CatalogSnapshot): boolean {
  for (const { kind, definition, hot } of relations.values())
    if (kind === 'v' && definition === undefined && hot) return true;
  return routines.some(({ definition }) => definition === UNREAD_BODY);
}
