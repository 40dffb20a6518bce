/** The digests S3 knows of a body, each a row in one table: computed incrementally, compared in constant time. */
export type ChecksumAlgorithm = 'crc32' | 'crc32c' | 'crc64nvme' | 'sha1' | 'sha256' | 'md5';
