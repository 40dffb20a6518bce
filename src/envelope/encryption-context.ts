/**
 * The encryption context: name-value pairs, not secret, that bind a wrapped key to its use. Its canonical form is part of
 * the AAD (docs/FORMAT.md).
 */
export type EncryptionContext = Readonly<Record<string, string>>;
