/** Where copies of the audit log's records go. */

/** A line of the log without its line end, and its record's number. */
export type AuditLine = { readonly seq: number; readonly bytes: Uint8Array };

export interface AuditSink {
  /**
   * Resolves once the sink has all lines, as far as its protocol can tell; rejects where any may be missing: then all of them come
   * again, so a sink may get a record twice, but never none.
   */
  send(lines: readonly AuditLine[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** PEM certificates that the receiver's is checked with; undefined: the well-known ones. The same object until it is another. */
export type ReceiverTls = { readonly ca?: string | undefined };
