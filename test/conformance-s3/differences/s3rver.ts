/** In front of s3rver: what it does otherwise than Amazon S3 or not at all, and the gateway as S3. */
import { NAMED_IN_ERRORS, NOTHING, OBJECT_URL, refusal, type Difference } from './difference.ts';
import { OURS } from './ours.ts';

/** The object `k` of five bytes, as the gateway gives it whole. */
const HELLO: Readonly<Record<string, RegExp>> = {
  status: /^200$/u,
  body: /^hello$/u,
  'header content-length': /^5$/u,
  'header content-type': /^binary\/octet-stream$/u,
  'header last-modified': /^\(date\)$/u,
  'header etag': /^"\(etag 1\)-0"$/u,
  'header accept-ranges': /^bytes$/u,
};

/** And what a HEAD of something that is not there says. */
const NOT_THERE: Readonly<Record<string, RegExp>> = { 'header content-length': /^\d{3}$/u };

const OF_ALL: readonly Difference[] = [
  {
    name: 'a type of nothing',
    why: 's3rver says text/plain of answers that have no body.',
    where: /^header content-type$/u,
    direct: /^text\/plain; charset=utf-8$/u,
    gateway: NOTHING,
  },
  {
    name: 'error documents',
    why: 's3rver names some of what S3 names; the gateway says what S3 says, names what S3 names, and the resource.',
    where: /^\/Error\/(?!Code$)/u,
    says: {
      '/Error/Message': /\S/u,
      '/Error/Resource': /^\//u,
      ...NAMED_IN_ERRORS,
      '/Error/Condition': /^(?:x-amz-copy-source-)?If-/u,
    },
  },
  {
    name: 'length of a refused HEAD',
    why: 'Of the document that is not sent: it has other words.',
    where: /^header content-length$/u,
    direct: /^\d{3}$/u,
    gateway: /^\d{3}$/u,
  },
  {
    name: 'where an object is',
    why: 'By the name that the client asked under, which is the gateway’s.',
    operations: /^(?:CompleteMultipartUpload|PostObject)$/u,
    where: /^header location$|\/Location$/u,
    direct: OBJECT_URL,
    gateway: OBJECT_URL,
  },
  {
    name: 'the name of an ETag',
    why: 's3rver calls it Etag in the document about a form’s object.',
    operations: /^PostObject$/u,
    where: /^\/PostResponse\/E[Tt]ag$/u,
    says: { '/PostResponse/ETag': /^"\(etag 1\)-0"$/u },
  },
];

const OF_READS: readonly Difference[] = [
  {
    name: 'ranges',
    why: 's3rver reads them otherwise: `0-0` is all of it, `-2` the first three bytes, several or broken ones are one, and what is backward is refused.',
    operations: /^GetObject$/u,
    what: /^Range: bytes=(?:0-0|-2|2-1|a-b|0-1,3-4) /u,
    says: {
      ...HELLO,
      status: /^20[06]$/u,
      body: /^(?:hello|h|lo)$/u,
      'header content-length': /^[125]$/u,
      'header content-range': /^(?:bytes (?:0-0|3-4)\/5)?$/u,
    },
  },
  {
    name: 'a refused range',
    why: '`bytes=-0` cannot be satisfied; and a client asks again with the size, which s3rver leaves out.',
    operations: /^(?:Get|Head)Object$/u,
    what: /^Range: bytes=(?:9-|-0)|^a range that is not there$/u,
    says: { ...refusal(416, 'InvalidRange'), 'header content-range': /^bytes \*\/5$/u },
  },
  {
    name: 'what a 304 says',
    why: 'ETag and date of the object, which s3rver leaves out.',
    operations: /^(?:Get|Head)Object$/u,
    where: /^header (?:etag|last-modified)$/u,
    direct: NOTHING,
    gateway: /^(?:"\(etag 1\)-0"|\(date\))$/u,
  },
  {
    name: 'conditions that are not met',
    why: 's3rver does not know If-Match and If-Unmodified-Since on reads, and looks at the range before.',
    operations: /^(?:Get|Head)Object$/u,
    what: /If-Match of another ETag$|^If-Unmodified-Since before it$|of another ETag$/u,
    says: { ...refusal(412, 'PreconditionFailed'), ...NOT_THERE, 'header content-length': /^(?:\d{3})?$/u },
  },
  {
    name: 'which of two conditions counts',
    why: 'If-Modified-Since is ignored beside If-None-Match (RFC 9110); s3rver heeds both.',
    operations: /^GetObject$/u,
    what: /^If-None-Match of another ETag/u,
    says: HELLO,
  },
  {
    name: 'If-Range',
    why: 's3rver does not know it. Of the whole where the object is another one, or its date is not the very same.',
    operations: /^GetObject$/u,
    what: /^a range if it (?:has another ETag|is not modified since)$/u,
    says: HELLO,
  },
  {
    name: 'part numbers',
    why: 's3rver does not know them.',
    operations: /^GetObject$/u,
    what: /^by part number/u,
    says: {
      ...HELLO,
      status: /^(?:206|416|400)$/u,
      body: /^(?:hello|last)?$/u,
      'header content-length': /^(?:5|4|5242880)?$/u,
      'header content-type': /^(?:binary\/octet-stream|application\/xml)$/u,
      'header content-range': /^(?:bytes (?:0-4\/5|5242880-5242883\/5242884|0-5242879\/5242884))?$/u,
      'header x-amz-mp-parts-count': /^2$/u,
      'header last-modified': /^(?:\(date\))?$/u,
      'header etag': /^(?:"\(etag 1\)-0")?$/u,
      'header accept-ranges': /^(?:bytes)?$/u,
      '/Error/Code': /^(?:InvalidPartNumber|InvalidArgument|InvalidRequest)$/u,
    },
  },
  {
    name: 'attributes',
    why: 's3rver does not know them, and answers with the object itself.',
    operations: /^GetObjectAttributes$/u,
    says: {
      'header content-type': /^application\/xml$/u,
      '/GetObjectAttributesResponse/ETag': /^\(etag 1\)-0$/u,
      '/GetObjectAttributesResponse/StorageClass': /^STANDARD$/u,
      '/GetObjectAttributesResponse/ObjectSize': /^5$/u,
    },
  },
];

const OF_WRITES: readonly Difference[] = [
  {
    name: 'keys with dot segments',
    why: 's3rver keeps files, and would take `a/../b` for another key. They are refused.',
    operations: /^PutObject$/u,
    what: /^keys with dot segments$/u,
    says: refusal(400, 'InvalidURI'),
  },
  {
    name: 'digests',
    why: 's3rver does not compare Content-MD5.',
    operations: /^(?:PutObject|DeleteObjects)$/u,
    what: /Content-MD5/u,
    says: refusal(400, 'BadDigest'),
  },
  {
    name: 'conditions on writes',
    why: 's3rver ignores them and writes. What it would ignore the gateway refuses, since locks are built on it.',
    operations: /^PutObject$/u,
    what: /^if there is/u,
    says: refusal(501, 'NotImplemented'),
  },
  {
    name: 'what cannot be copied',
    why: 's3rver copies whatever the directive and the conditions on the source say, and looks for sources that are none.',
    operations: /^CopyObject$/u,
    what: /^(?:a directive that is none|if the source (?:has another|is older)|sources that are not there)/u,
    says: {
      status: /^(?:400|404|412)$/u,
      'header content-type': /^application\/xml$/u,
      'header content-length': /^(?:\d{3})?$/u,
      '/Error/Code': /^(?:InvalidArgument|PreconditionFailed|NoSuchKey)$/u,
    },
  },
  {
    name: 'tags of a copy',
    why: 's3rver does not replace them.',
    operations: /^CopyObject$/u,
    what: /^tags, taken over with metadata replaced, and replaced$/u,
    where: /^\/Tagging\/TagSet/u,
    says: { '/Tagging/TagSet/Tag/Key': /^c$/u, '/Tagging/TagSet/Tag/Value': /^3$/u },
  },
  {
    name: 'ETag of a copied part',
    why: 's3rver says it in a header as well, which S3 does not.',
    operations: /^UploadPartCopy$/u,
    where: /^header etag$/u,
    gateway: NOTHING,
  },
  {
    name: 'a quiet deletion',
    why: 's3rver names what it deleted all the same.',
    operations: /^DeleteObjects$/u,
    what: /^quietly$|^1000 keys/u,
    where: /^\/DeleteResult(?:$|\/Deleted\[)/u,
    gateway: NOTHING,
  },
  {
    name: 'too many keys',
    why: 's3rver deletes them; S3 takes a thousand.',
    operations: /^DeleteObjects$/u,
    what: /^1000 keys/u,
    says: refusal(400, 'MalformedXML'),
  },
  {
    name: 'forms against their policy',
    why: 's3rver does not look at policies.',
    operations: /^PostObject$/u,
    what: /policy does not allow$/u,
    says: refusal(403, 'AccessDenied'),
  },
  {
    name: 'uploads and parts that are none',
    why: 's3rver takes parts of any upload and number; and completes what is out of order, or answers 500.',
    operations: /^(?:UploadPart|CompleteMultipartUpload)$/u,
    what: /none$/u,
    says: {
      status: /^40[04]$/u,
      'header content-type': /^application\/xml$/u,
      '/Error/Code': /^(?:NoSuchUpload|InvalidArgument|InvalidPartOrder|EntityTooSmall)$/u,
    },
  },
  {
    name: 'lists of parts',
    why: 's3rver has none. Whether there is such an upload, and what its list is asked with, is looked at before.',
    operations: /^ListParts$/u,
    says: {
      ...refusal(404, 'NoSuchUpload'),
      status: /^40[04]$/u,
      '/Error/Code': /^(?:NoSuchUpload|InvalidArgument)$/u,
    },
  },
];

const OF_LISTS: readonly Difference[] = [
  {
    name: 'what is encoded',
    why: 's3rver does not know `encoding-type`; the gateway encodes names, prefix, delimiter and markers for it.',
    operations: /^List/u,
    what: /encoding-type=url|pages of three/u,
    where: /\/(?:Key|Prefix|Delimiter|Marker|StartAfter|EncodingType)$/u,
    gateway: /%|^url$/u,
  },
  {
    name: 'names that s3rver escapes twice',
    why: 'It lists `<&>` as `&lt;&amp;&gt;`, so that nothing of this name is there to look a size up of: the stored size shows. Pages that go on from such a name differ.',
    operations: /^ListObjects/u,
    where: /\/Size$/u,
    direct: /^[45]$/u,
    gateway: /^31[67]$/u,
  },
  {
    name: 'pages',
    why: 's3rver does not encode names, so that who decodes `a%20b` goes on from `a b`: it shows again.',
    operations: /^ListObjects$/u,
    what: /^pages of three$/u,
    where: /\/(?:Key|Size|Marker)$/u,
    direct: /^(?:[1-9]|a[+~]b|dir\/.*)$/u,
  },
  {
    name: 'encoding types that are none',
    why: 'S3 refuses all but `url`; s3rver does not look.',
    operations: /^List/u,
    what: /^encoding-type=base64$/u,
    says: refusal(400, 'InvalidArgument'),
  },
  {
    name: 'max-keys beyond 1000',
    why: 's3rver repeats what was asked for; S3 says what it gives at most.',
    operations: /^List/u,
    where: /\/MaxKeys$/u,
    direct: /^2000$/u,
    gateway: /^1000$/u,
  },
  {
    name: 'KeyCount',
    why: 's3rver does not count common prefixes.',
    operations: /^ListObjectsV2$/u,
    what: /delimiter/u,
    where: /\/KeyCount$/u,
  },
  {
    name: 'an empty token',
    why: 'It is repeated, as anything else that was asked for.',
    operations: /^ListObjectsV2$/u,
    where: /\/ContinuationToken$/u,
    gateway: NOTHING,
  },
];

const OF_SETTINGS: readonly Difference[] = [
  {
    name: 'versions that it does not have',
    why: 's3rver has no versions to name, and takes an empty one for the newest; S3 refuses it.',
    operations: /^(?:DeleteObject|PutObjectLegalHold)$/u,
    what: /^on, read back; a deletion|^under governance/u,
    says: { ...refusal(400, 'InvalidArgument'), '/Error/ArgumentName': /^versionId$/u },
  },
  {
    name: 'settings that the backend does not know',
    why: 's3rver answers 405, or ignores such parameters: it lists the bucket, makes it, or deletes it. The gateway looks before, and says NotImplemented.',
    operations:
      /Accelerate|OwnershipControls|Analytics|Inventory|Metrics|IntelligentTiering|Logging|Lock|Retention|LegalHold|Versioning/u,
    says: { ...refusal(501, 'NotImplemented'), status: /^(?:501|200)$/u },
  },
  {
    name: 'buckets with object lock',
    why: 's3rver makes one without it, and would not keep what has to be kept.',
    operations: /^CreateBucket$/u,
    what: /^with object lock$/u,
    says: refusal(501, 'NotImplemented'),
  },
  {
    name: 'what is no document',
    why: 'It is refused by the gateway first.',
    operations: /^Put(?:PublicAccessBlock|BucketLogging)$/u,
    what: /no document$/u,
    says: refusal(400, 'MalformedXML'),
  },
  {
    name: 'more tags than ten',
    why: 's3rver keeps any number.',
    operations: /^PutObjectTagging$/u,
    what: /^eleven tags/u,
    says: refusal(400, 'BadRequest'),
  },
  {
    name: 'tags of nothing',
    why: 's3rver cannot take tags away.',
    operations: /^DeleteObjectTagging$/u,
    what: /^of no such key$/u,
    says: refusal(404, 'NoSuchKey'),
  },
  {
    name: 'what browsers are told',
    why: 's3rver has one rule for all, and refuses in words of its own.',
    operations: /^PutBucketCors$/u,
    what: /preflights/u,
    where: /^header access-control-|^\/Error\/Code$/u,
    says: {
      'header access-control-allow-origin': /^https:\/\/a\.example$/u,
      'header access-control-allow-methods': /^GET, PUT$/u,
      'header access-control-allow-credentials': /^true$/u,
      'header access-control-expose-headers': /^ETag$/u,
      'header access-control-max-age': /^60$/u,
      '/Error/Code': /^AccessForbidden$/u,
    },
  },
];

export const S3RVER_DIFFERENCES: readonly Difference[] = [
  ...OURS,
  ...OF_ALL,
  ...OF_READS,
  ...OF_WRITES,
  ...OF_LISTS,
  ...OF_SETTINGS,
];
