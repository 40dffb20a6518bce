/**
 * Where gateway and stores agree, so that comparing them shows nothing, and Amazon S3 documents something else: found by hand, with Amazon's API
 * reference beside the answers. Each is milder than S3, the store's own affair, or refused for a reason; what a client could take harm from is mended, not listed.
 */

/** What is asked, what Amazon S3 says, and what is said here and why. */
export const UNLIKE_AMAZON: readonly (readonly [what: string, amazon: string, here: string])[] = [
  [
    'DeleteObjects without Content-MD5 or a checksum',
    'InvalidRequest',
    'It is done: what is said of a body is held against it, and no store here asks for more.',
  ],
  [
    'a COMPOSITE upload is completed without the checksums of its parts',
    'InvalidRequest',
    'The process that took the parts completes it, since it knows them; any other refuses as S3 does.',
  ],
  [
    'letters in tags beyond `+ - = . _ : / @`, letters, digits and spaces',
    'InvalidTag',
    'What the store keeps, it keeps.',
  ],
  [
    'a storage class that is none',
    'InvalidStorageClass',
    'The store says (Ceph RGW: InvalidArgument): its operator names classes as he likes.',
  ],
  [
    'a parameter of no operation',
    'it is ignored',
    'NotImplemented in buckets with rules: what is not known here could be something to the store.',
  ],
  ['Signature Version 2', 'taken in the oldest regions', 'InvalidRequest, as in all newer regions.'],
  ['the name of a bucket’s region', 'a region of AWS', 'Whatever the store calls it (`default`).'],
];
