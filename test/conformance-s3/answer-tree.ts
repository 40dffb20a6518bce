/**
 * An answer as a tree of named texts, with what no two answers share replaced by names: dates, ids, and the bucket. Ids are named in the order
 * in which a case first meets them, so that two sides can be held against each other.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Answer } from './twins.ts';

/** Paths and texts: `status`, `header etag`, `/ListBucketResult/Contents[2]/Size`. */
export type AnswerTree = ReadonlyMap<string, string>;

/** Of the connection, or of one answer alone; none says anything of the bucket. */
const UNCOMPARED: ReadonlySet<string> = new Set([
  'date',
  'x-amz-request-id',
  'x-amz-id-2',
  'connection',
  'keep-alive',
  'transfer-encoding',
]);
const UNCOMPARED_ELEMENTS = /^\/Error\/(?:RequestId|HostId)$/u;

const PARSER = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: true,
  htmlEntities: true,
  ignoreDeclaration: true,
  removeNSPrefix: true,
});

/** One for each side and case. */
export class Naming {
  readonly #bucket: RegExp;
  readonly #names = new Map<string, string>();

  constructor(bucketPrefix: string) {
    this.#bucket = new RegExp(`${bucketPrefix}(?=[0-9]{3})`, 'gu');
  }

  /** The tree of one answer. */
  treeOf({ status, headers, body }: Answer): AnswerTree {
    const tree = new Map([['status', String(status)]]);
    const text = body.toString('latin1');
    const isXml = text.startsWith('<') && XMLValidator.validate(text) === true;
    for (const [name, value] of Object.entries(headers)) {
      // How long a document is follows from what it says.
      const isLengthOfDocument = isXml && name === 'content-length';
      if (!UNCOMPARED.has(name) && !isLengthOfDocument) tree.set(`header ${name}`, this.#named(name, value));
    }
    if (isXml) this.#addElement(tree, '', PARSER.parse(body.toString()) as unknown);
    else if (text !== '') tree.set('body', text);
    return tree;
  }

  #addElement(tree: Map<string, string>, path: string, value: unknown): void {
    if (Array.isArray(value)) {
      // What became of several keys comes in any order.
      const rows = path.startsWith('/DeleteResult/') ? value.toSorted(byKey) : value;
      for (const [index, one] of rows.entries()) this.#addElement(tree, `${path}[${index}]`, one);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, child] of Object.entries(value)) {
        const isBlank = name === '#text' && typeof child === 'string' && child.trim() === '';
        if (!isBlank) this.#addElement(tree, `${path}/${name}`, child);
      }
    } else if (!UNCOMPARED_ELEMENTS.test(path))
      tree.set(path, this.#named(path.replace(/^.*\//u, '').replace(/\[\d+\]$/u, ''), String(value)));
  }

  #named(name: string, value: string): string {
    const text = value.replace(this.#bucket, 'bucket-');
    if (DATES.test(name)) return text.replace(/^\d{4}-.*Z$|^\w{3}, .* GMT$/u, '(date)');
    const id = IDS.find(({ names }) => names.test(name));
    if (id === undefined || text === '' || text === 'null') return text;
    return text.replace(/[^",\s]+/gu, (one) => this.#idOf(id.kind, one));
  }

  #idOf(kind: string, value: string): string {
    if (kind === 'etag') {
      const [, digest = value, mark = ''] = /^([0-9a-f]{32})(-\d+)?$/u.exec(value) ?? [];
      return `${this.#nameOf('etag', digest)}${mark}`;
    }
    return this.#nameOf(kind, value);
  }

  #nameOf(kind: string, value: string): string {
    const key = `${kind} ${value}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const count = [...this.#names.keys()].filter((one) => one.startsWith(`${kind} `)).length;
    const name = `(${kind} ${count + 1})`;
    this.#names.set(key, name);
    return name;
  }
}

const byKey = (a: unknown, b: unknown): number => JSON.stringify(a).localeCompare(JSON.stringify(b));

const DATES = /^(?:last-modified|LastModified|Initiated|CreationDate)$/u;
const IDS = [
  { kind: 'etag', names: /^e-?tag$/iu },
  {
    kind: 'version',
    names: /^(?:x-amz-(?:copy-source-)?version-id|VersionId|DeleteMarkerVersionId|(?:Next)?VersionIdMarker)$/u,
  },
  { kind: 'upload', names: /^(?:UploadId|(?:Next)?UploadIdMarker)$/u },
  { kind: 'token', names: /^(?:Next)?ContinuationToken$/u },
] as const;
