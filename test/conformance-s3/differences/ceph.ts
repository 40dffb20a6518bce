/** In front of Ceph RGW 16: what it does otherwise than Amazon S3, and the gateway as S3. */
import { NAMED_IN_ERRORS, NOTHING, OBJECT_URL, refusal, type Difference } from './difference.ts';
import { OURS } from './ours.ts';

const ISO_DATE = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/u;

/** What Ceph RGW says to a HEAD of a bucket, which it has deleted on its own side. */
const STILL_THERE: Readonly<Record<string, RegExp>> = {
  'header content-length': /^0$/u,
  'header x-rgw-object-count': /^0$/u,
  'header x-rgw-bytes-used': /^0$/u,
  'header x-rgw-quota-user-size': /^-1$/u,
  'header x-rgw-quota-user-objects': /^-1$/u,
  'header x-rgw-quota-max-buckets': /^1000$/u,
  'header x-rgw-quota-bucket-size': /^-1$/u,
  'header x-rgw-quota-bucket-objects': /^-1$/u,
};

const OF_ALL: readonly Difference[] = [
  {
    name: 'headers of Ceph',
    why: 'Ceph RGW’s own headers and elements, which S3 does not have.',
    where: /^header x-rgw-|\/Type$/u,
    gateway: NOTHING,
  },
  {
    name: 'Accept-Ranges',
    why: 'Ceph RGW sends it with every answer; S3 with those to GET and HEAD of an object.',
    where: /^header accept-ranges$/u,
    direct: /^bytes$/u,
    gateway: NOTHING,
  },
  {
    name: 'error documents',
    why: 'Ceph RGW leaves messages empty and always names the bucket; the gateway says what S3 says, names what S3 names, and the resource.',
    where: /^\/Error\/(?!Code$)/u,
    says: {
      ...NAMED_IN_ERRORS,
      '/Error/Message': /\S/u,
      '/Error/Resource': /^\//u,
      '/Error/Condition': /^(?:x-amz-copy-source-)?If-(?:(?:None-)?Match|(?:Unm|M)odified-Since)$/u,
    },
  },
  {
    name: 'more tags than ten',
    why: 'S3 says BadRequest, Ceph RGW 16 InvalidTag.',
    operations: /^PutObjectTagging$/u,
    what: /^eleven tags/u,
    where: /^\/Error\/Code$/u,
    says: refusal(400, 'BadRequest'),
  },
  {
    name: 'versions that are none',
    why: 'S3 says NoSuchVersion of them, Ceph RGW 16 NoSuchKey; of a delete marker that is asked for by its id S3 says MethodNotAllowed, but Ceph RGW 16 does not say that it is one.',
    operations: /^(?:Copy|Get)Object/u,
    where: /^\/Error\/(?:Code|VersionId)$/u,
    says: { '/Error/Code': /^NoSuchVersion$/u, '/Error/VersionId': /\S/u },
  },
  {
    name: 'a range of no bytes',
    why: '`bytes=-0` cannot be satisfied; Ceph RGW 16 answers all.',
    operations: /^GetObject$/u,
    what: /^Range: bytes=-0 /u,
    says: { ...refusal(416, 'InvalidRange'), 'header content-range': /^bytes \*\/5$/u },
  },
  {
    name: 'ranges that are none',
    why: 'A range that is malformed, backward or manifold is ignored, S3 says. Ceph RGW 16 reads something out of it.',
    operations: /^GetObject$/u,
    what: /^Range: (?:bytes=2-1|bytes=a-b|items=0-1|bytes=0-1,3-4) /u,
    says: {
      status: /^200$/u,
      body: /^hello$/u,
      'header content-length': /^5$/u,
      'header content-type': /^binary\/octet-stream$/u,
      'header last-modified': /^\(date\)$/u,
      'header etag': /^"\(etag 1\)-0"$/u,
    },
  },
  {
    name: 'Content-Range of a refused range',
    why: 'The size that a client asks again with; Ceph RGW 16 leaves it out.',
    operations: /^(?:Get|Head)Object$/u,
    where: /^header content-range$/u,
    direct: NOTHING,
    gateway: /^bytes \*\//u,
  },
  {
    name: 'If-None-Match: *',
    why: 'Any object matches (RFC 9110); Ceph RGW 16 takes the star for an ETag.',
    operations: /^GetObject$/u,
    what: /^If-None-Match: \*$/u,
    says: { status: /^304$/u },
  },
  {
    name: 'tokens of pages',
    why: 'To Ceph RGW 16 a token is the name of a key, and with a control character in it no XML parser reads the page. Clients get tokens of the gateway.',
    operations: /^ListObjectsV2$/u,
    what: /^pages of /u,
    where: /\/(?:Next)?ContinuationToken$/u,
    gateway: /^\(token \d\)$/u,
  },
  {
    name: 'tokens that are none',
    why: 'S3 refuses them; to Ceph RGW 16 any name is one.',
    operations: /^ListObjectsV2$/u,
    what: /^a token that is none$/u,
    says: { ...refusal(400, 'InvalidArgument'), '/Error/ArgumentName': /^continuation-token$/u },
  },
  {
    name: 'slashes in encoded names',
    why: 'S3 leaves `/` as it is under `encoding-type=url`, Ceph RGW 16 does not.',
    operations: /^List/u,
    where: /\/Key$/u,
    direct: /%2F/u,
  },
  {
    name: 'what is encoded',
    why: 'Under `encoding-type=url` S3 encodes prefix, delimiter, markers and StartAfter as well, and a quote like everything else.',
    operations: /^List/u,
    what: /encoding-type=url|pages of three/u,
    where: /\/(?:Key|Prefix|Delimiter|Marker|KeyMarker|StartAfter)$/u,
    gateway: /%/u,
  },
  {
    name: 'negative max-keys',
    why: 'S3 refuses it, Ceph RGW 16 takes it for 0.',
    operations: /^List/u,
    what: /^max-keys=-1$/u,
    says: refusal(400, 'InvalidArgument'),
  },
  {
    name: 'NextMarker',
    why: 'S3 names it only where a delimiter was asked for; elsewhere the last key is the marker.',
    operations: /^ListObjects$/u,
    where: /\/NextMarker$/u,
    gateway: NOTHING,
  },
];

/** The object `k` of five bytes, as the gateway gives it whole. */
const HELLO: Readonly<Record<string, RegExp>> = {
  status: /^200$/u,
  body: /^hello$/u,
  'header content-length': /^5$/u,
  'header content-type': /^binary\/octet-stream$/u,
  'header last-modified': /^\(date\)$/u,
  'header etag': /^"\(etag 1\)-0"$/u,
};

const OF_CONDITIONS: readonly Difference[] = [
  {
    name: 'what a 304 says',
    why: 'ETag and date of the object, which Ceph RGW 16 leaves out.',
    operations: /^(?:Get|Head)Object$/u,
    where: /^header (?:etag|last-modified)$/u,
    direct: NOTHING,
    gateway: /^(?:"\(etag 1\)-0"|\(date\))$/u,
  },
  {
    name: 'lists of ETags, and dates that are none',
    why: 'Any of a list may match, and what is no date is ignored (RFC 9110); Ceph RGW 16 takes a list for one ETag, and refuses.',
    operations: /^GetObject$/u,
    what: /^If-Match of another ETag and of its own$|^dates that are none$/u,
    says: HELLO,
  },
  {
    name: 'If-Range',
    why: 'Ceph RGW 16 does not know it. The whole object where it is another one, or its date is not the very same (RFC 9110).',
    operations: /^GetObject$/u,
    what: /^a range if it (?:has another ETag|is not modified since)$/u,
    says: HELLO,
  },
  {
    name: 'If-Match on writes',
    why: 'Ceph RGW 16 wants the ETag without its quotes, and says 412 where S3 says that there is no such key.',
    operations: /^PutObject$/u,
    what: /^if there is one of this ETag/u,
    says: {
      status: /^(?:200|404)$/u,
      'header etag': /^"\(etag 1\)-0"$/u,
      'header content-length': /^0$/u,
      'header content-type': /^(?:application\/xml)?$/u,
      '/Error/Code': /^(?:NoSuchKey)?$/u,
    },
  },
  {
    name: 'part numbers',
    why: 'Ceph RGW 16 does not know them.',
    operations: /^GetObject$/u,
    what: /^by part number/u,
    says: {
      status: /^(?:206|416|400)$/u,
      body: /^(?:hello|last)?$/u,
      'header content-length': /^(?:5|4|5242880)?$/u,
      'header content-type': /^(?:binary\/octet-stream|application\/xml)$/u,
      'header content-range': /^(?:bytes (?:0-4\/5|5242880-5242883\/5242884|0-5242879\/5242884))?$/u,
      'header x-amz-mp-parts-count': /^2$/u,
      '/Error/Code': /^(?:InvalidPartNumber|InvalidArgument|InvalidRequest)$/u,
    },
  },
  {
    name: 'keys with dot segments',
    why: 'A store that keeps files takes `a/../b` for another key, perhaps of another bucket, than the one the rules were asked about. They are refused.',
    operations: /^PutObject$/u,
    what: /^keys with dot segments$/u,
    says: refusal(400, 'InvalidURI'),
  },
];

const OF_LISTS_AND_DELETIONS: readonly Difference[] = [
  {
    name: 'encoding types that are none',
    why: 'S3 refuses all but `url`; Ceph RGW 16 does not look.',
    operations: /^List/u,
    what: /^encoding-type=base64$/u,
    says: refusal(400, 'InvalidArgument'),
  },
  {
    name: 'key markers',
    why: 'S3 begins behind the key, Ceph RGW 16 at it.',
    operations: /^ListObjectVersions$/u,
    what: /^a key marker$/u,
    where: /\/(?:Version|DeleteMarker)\b/u,
  },
  {
    name: 'a version marker without a key marker',
    why: 'S3 refuses it; Ceph RGW 16 begins at the beginning.',
    operations: /^ListObjectVersions$/u,
    what: /without a key$/u,
    says: refusal(400, 'InvalidArgument'),
  },
  {
    name: 'length of a refused HEAD',
    why: 'Of the document that is not sent: it has other words.',
    operations: /^(?:Head|CopyObject)/u,
    where: /^header content-length$/u,
    direct: /^2\d\d$/u,
    gateway: /^[23]\d\d$/u,
  },
  {
    name: 'documents of DeleteObjects',
    why: 'S3 refuses another digest, more than 1000 keys and a list without any. Ceph RGW 16 deletes all the same, or says nothing.',
    operations: /^DeleteObjects$/u,
    what: /another document$|no document$|^no keys$|^1000 keys/u,
    says: refusal(400, '(?:BadDigest|MalformedXML)'),
  },
];

const OF_UPLOADS: readonly Difference[] = [
  {
    name: 'negative max-parts',
    why: 'S3 refuses it, Ceph RGW 16 takes it for 0.',
    operations: /^ListParts$/u,
    what: /^pages of none/u,
    says: {
      ...refusal(400, 'InvalidArgument'),
      '/Error/ArgumentName': /^max-parts$/u,
      '/Error/ArgumentValue': /^-1$/u,
    },
  },
  {
    name: 'one more part in the ETag',
    why: 'An upload whose last part has 5 MiB or more ends in a part of the gateway’s own, which the backend counts.',
    operations: /^CompleteMultipartUpload$/u,
    what: /5 MiB/u,
    where: /^header etag$|\/ETag$/u,
    direct: /-2"$/u,
    gateway: /-3"$/u,
  },
  {
    name: 'Location',
    why: 'Where the object is as the client asked for it; the backend’s own name is nobody’s business.',
    operations: /^CompleteMultipartUpload$/u,
    where: /^\/CompleteMultipartUploadResult\/Location$/u,
    gateway: OBJECT_URL,
  },
  {
    name: 'ETag of what was completed',
    why: 'Ceph RGW 16 leaves it out of the answer.',
    operations: /^CompleteMultipartUpload$/u,
    where: /\/CompleteMultipartUploadResult\/ETag$/u,
    direct: NOTHING,
  },
  {
    name: 'NoSuchUpload',
    why: 'Ceph RGW 16 says NoSuchKey of some uploads that are none.',
    where: /^\/Error\/Code$/u,
    direct: /^NoSuchKey$/u,
    gateway: /^NoSuchUpload$/u,
  },
  {
    name: 'order of parts before their size',
    why: 'Where both are wrong S3 says InvalidPartOrder, Ceph RGW 16 EntityTooSmall.',
    operations: /^CompleteMultipartUpload$/u,
    where: /^\/Error\/Code$/u,
    direct: /^EntityTooSmall$/u,
    gateway: /^InvalidPartOrder$/u,
  },
  {
    name: 'part numbers that are none',
    why: 'S3 has 1 to 10 000; Ceph RGW 16 takes any.',
    operations: /^UploadPart$/u,
    what: /part numbers that are none$/u,
    says: refusal(400, 'InvalidArgument'),
  },
  {
    name: 'what is said of lists of uploads',
    why: 'S3 repeats the markers, even empty ones, and says how names are encoded; Ceph RGW 16 does not.',
    operations: /^ListMultipartUploads$/u,
    where: /\/(?:KeyMarker|UploadIdMarker|EncodingType)$/u,
    direct: NOTHING,
  },
];

const OF_SETTINGS: readonly Difference[] = [
  {
    name: 'attributes',
    why: 'Ceph RGW 16 does not know them, and answers with the object itself.',
    operations: /^GetObjectAttributes$/u,
    says: {
      'header content-type': /^application\/xml$/u,
      '/GetObjectAttributesResponse/ETag': /^\(etag 1\)-0$/u,
      '/GetObjectAttributesResponse/StorageClass': /^STANDARD$/u,
      '/GetObjectAttributesResponse/ObjectSize': /^5$/u,
    },
  },
  {
    name: 'where a form’s object is',
    why: 'S3 says it in headers as well, and by the name it was asked under.',
    operations: /^PostObject$/u,
    where: /^header (?:etag|location)$|\/PostResponse\/(?:Location|ETag)$/u,
    says: {
      'header etag': /^"\(etag 1\)-0"$/u,
      'header location': OBJECT_URL,
      '/PostResponse/Location': OBJECT_URL,
      '/PostResponse/ETag': /^"\(etag 1\)-0"$/u,
    },
  },
  {
    name: 'what browsers are told',
    why: 'S3 names all methods of the rule, credentials, and all that the answer varies with, and refuses in words of its own; Ceph RGW 16 does less.',
    operations: /^PutBucketCors$/u,
    what: /preflights/u,
    where: /^header (?:vary|access-control-allow-(?:methods|credentials))$|^\/Error\/(?:Code|Method|ResourceType)$/u,
    says: {
      'header vary': /^Origin, Access-Control-Request-Headers, Access-Control-Request-Method$/u,
      'header access-control-allow-methods': /^GET, PUT$/u,
      'header access-control-allow-credentials': /^true$/u,
      '/Error/Code': /^AccessForbidden$/u,
      '/Error/Method': /^(?:PUT|DELETE)$/u,
      '/Error/ResourceType': /^OBJECT$/u,
    },
  },
  {
    name: 'when a retention of the bucket ends',
    why: 'It is counted from the moment of the write.',
    operations: /^CompleteMultipartUpload$/u,
    where: /^header x-amz-object-lock-retain-until-date$/u,
    direct: ISO_DATE,
    gateway: ISO_DATE,
  },
  {
    name: 'settings that the backend does not know',
    why: 'Ceph RGW 16 ignores such parameters: it lists the bucket instead, or deletes it. The gateway looks before, and says NotImplemented.',
    operations: /Accelerate|OwnershipControls|Analytics|Inventory|Metrics|IntelligentTiering/u,
    says: {
      ...refusal(501, 'NotImplemented'),
      ...STILL_THERE,
      status: /^(?:501|200)$/u,
      'header content-type': /^(?:application\/xml)?$/u,
    },
  },
  {
    name: 'logging',
    why: 'Ceph RGW 16 shows it and cannot set it; what is no document is refused by the gateway first.',
    operations: /^PutBucketLogging$/u,
    what: /no document$/u,
    where: /^(?:status|\/Error\/Code)$/u,
    says: refusal(400, 'MalformedXML'),
  },
];

const OF_COPIES: readonly Difference[] = [
  {
    name: 'quotes of a copy’s ETag',
    why: 'Ceph RGW 16 leaves them out.',
    operations: /Copy$|^CopyObject$/u,
    where: /\/ETag$/u,
    direct: /^\(etag \d+\)$/u,
  },
  {
    name: 'conditions on the source',
    why: 'Ceph RGW 16 looks for them under other names than S3’s, and copies in any case.',
    operations: /^CopyObject$/u,
    what: /^if the source (?:has another|is older)/u,
    // The copy, and a HEAD of what is then not there.
    says: {
      status: /^(?:412|404)$/u,
      'header content-type': /^application\/xml$/u,
      'header content-length': /^253$/u,
      '/Error/Code': /^PreconditionFailed$/u,
    },
  },
  {
    name: 'tags of a copy',
    why: 'Ceph RGW 16 copies tags where metadata is copied, and drops them where it is replaced, whatever is said of tags; the gateway puts them right.',
    operations: /^CopyObject$/u,
    what: /^tags, taken over with metadata replaced, and replaced$/u,
    where: /^\/Tagging\/TagSet/u,
    says: {
      '/Tagging/TagSet/Tag[0]/Key': /^a?$/u,
      '/Tagging/TagSet/Tag[0]/Value': /^1?$/u,
      '/Tagging/TagSet/Tag[1]/Key': /^b?$/u,
      '/Tagging/TagSet/Tag[1]/Value': /^2?$/u,
      '/Tagging/TagSet/Tag/Key': /^c$/u,
      '/Tagging/TagSet/Tag/Value': /^3$/u,
    },
  },
  {
    name: 'version of the source',
    why: 'Ceph RGW 16 does not say which version it copied.',
    operations: /^CopyObject$/u,
    what: /^versions/u,
    where: /^header x-amz-(?:copy-source-)?version-id$/u,
    gateway: /^\(version \d\)$/u,
  },
  {
    name: 'ranges of a source',
    why: 'S3 says InvalidArgument of a range that the source has not, Ceph RGW 16 InvalidRange.',
    operations: /^UploadPartCopy$/u,
    where: /^(?:status|\/Error\/(?:Code|ArgumentName))$/u,
    says: { ...refusal(400, 'InvalidArgument'), '/Error/ArgumentName': /^x-amz-copy-source-range$/u },
  },
];

export const CEPH_DIFFERENCES: readonly Difference[] = [
  ...OF_COPIES,
  ...OURS,
  ...OF_ALL,
  ...OF_CONDITIONS,
  ...OF_LISTS_AND_DELETIONS,
  ...OF_UPLOADS,
  ...OF_SETTINGS,
];
