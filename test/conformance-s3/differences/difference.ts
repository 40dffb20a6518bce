/**
 * A difference between a backend's own answer and the gateway's that is meant, with its reason. One that is found and not named fails the
 * tests, and so does an entry that nothing shows any more.
 */
export type Difference = {
  /** As docs/S3-CONFORMANCE.md calls it. */
  readonly name: string;
  readonly why: string;
  /** Operations it is found in; every one unless told. */
  readonly operations?: RegExp;
  /** At which places; wherever `says` is to be looked up unless told. */
  readonly where?: RegExp;
  /** What the two sides say; where one says nothing at all, that is the empty string. */
  readonly direct?: RegExp;
  readonly gateway?: RegExp;
  /** What the gateway says, place by place, where it answers something else altogether: at a place that is not named it says nothing. */
  readonly says?: Readonly<Record<string, RegExp>>;
  /** Of which cases, by what they ask; every one unless told. */
  readonly what?: RegExp;
};

export const NOTHING = /^$/u;

/** Where an object is, as the gateway says it. */
export const OBJECT_URL = /^http:\/\/127\.0\.0\.1:\d+\/bucket-\d+\/\S+$/u;

/** A refusal where the backend does something; its words are those of the entry about error documents. */
export const refusal = (status: number, code: string): Readonly<Record<string, RegExp>> => ({
  status: new RegExp(`^${status}$`, 'u'),
  'header content-type': /^application\/xml$/u,
  '/Error/Code': new RegExp(`^${code}$`, 'u'),
});

/** What S3's error documents name besides code and message, as the gateway names it; other stores name some of it. */
export const NAMED_IN_ERRORS: Readonly<Record<string, RegExp>> = {
  '/Error/BucketName': /^(?:bucket-\d+(?:-none)?)?$/u,
  '/Error/Key': /^(?:[a-z-]+)?$/u,
  '/Error/VersionId': /^(?:\(version \d+\))?$/u,
  '/Error/UploadId': /^(?:nonsense|\(upload \d+\))?$/u,
  '/Error/PartNumber': /^\d*$/u,
  '/Error/ExpectedDigest': /^(?:d41d8cd98f00b204e9800998ecf8427e)?$/u,
  '/Error/CalculatedDigest': /^(?:[\w+/]{22}==)?$/u,
  '/Error/ETag': /^(?:"\(etag \d+\)-0")?$/u,
  '/Error/ProposedSize': /^\d*$/u,
  '/Error/MinSizeAllowed': /^(?:5242880)?$/u,
  '/Error/Size': /^\d*$/u,
  '/Error/MaxSizeAllowed': /^\d*$/u,
  '/Error/ActualPartCount': /^\d+$/u,
  '/Error/PartNumberRequested': /^\d+$/u,
  '/Error/RangeRequested': /^bytes=/u,
  '/Error/ActualObjectSize': /^\d+$/u,
  '/Error/Method': /^(?:GET|PUT|DELETE)?$/u,
  '/Error/ResourceType': /^(?:OBJECT|BUCKET|DeleteMarker)?$/u,
  '/Error/ArgumentName': /^(?:partNumber|[a-z-]*)$/u,
  '/Error/ArgumentValue': /^(?:base64|x|-1|bytes=.*|\d+|nonsense|bucket-\d+\/)?$/u,
};

export type Found = {
  readonly operation: string;
  readonly what: string;
  readonly where: string;
  readonly direct: string;
  readonly gateway: string;
};

/** The first of these that says so. */
export function explaining(found: Found, differences: readonly Difference[]): Difference | undefined {
  const { operation, what, where, direct, gateway } = found;
  return differences.find(
    (one) =>
      (one.operations?.test(operation) ?? true) &&
      (one.what?.test(what) ?? true) &&
      (one.where?.test(where) ?? one.says !== undefined) &&
      (one.direct?.test(direct) ?? true) &&
      (one.gateway?.test(gateway) ?? true) &&
      (one.says === undefined || (one.says[where] ?? NOTHING).test(gateway)),
  );
}
