/** What a process that serves clients says to the one that owns the key store, and what it hears. Bytes travel as bytes; keys as their bytes. */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { DataKeys, DecryptRequest, EscrowRecord, KeyUse } from '../uses/data-keys.ts';

export type Question =
  | {
      readonly type: 'generateDataKey';
      readonly request: { readonly keyId: string; readonly context: EncryptionContext };
      readonly use: KeyUse;
    }
  /** `hasDek`: the asker has the DEK, and wants to know whether it may be used. `useName`: what it calls the use, and the `keyId`, from now on. */
  | {
      readonly type: 'decrypt';
      readonly request: DecryptRequest;
      readonly hasDek: boolean;
      readonly use: KeyUse;
      readonly useName: number | undefined;
    }
  /** The same with a wrapped key and context that were named before; what is not known any more is `forgotten`. */
  | {
      readonly type: 'decryptAgain';
      readonly reference: number;
      readonly keyId: string | undefined;
      readonly hasDek: boolean;
      readonly use: KeyUse;
      readonly useName: number | undefined;
    }
  | { readonly type: 'reEncrypt'; readonly request: Parameters<DataKeys['reEncrypt']>[0]; readonly use: KeyUse }
  | {
      readonly type: 'readUnsealed';
      readonly request: { readonly keyId: string; readonly context: EncryptionContext };
      readonly use: KeyUse;
    }
  | { readonly type: 'resolveKey'; readonly keyId: string }
  | { readonly type: 'serviceKey'; readonly purpose: string; readonly epoch: number | undefined }
  | { readonly type: 'escrow'; readonly record: EscrowRecord; readonly use: KeyUse }
  | { readonly type: 'escrowed'; readonly owner: string };

export type Result =
  | {
      readonly type: 'dataKey';
      readonly dek: Uint8Array;
      readonly keyArn: string;
      readonly wrapped: Uint8Array;
    }
  /** `dek`: undefined where the asker has it. `reference`: names the wrapped key and its context from now on. */
  | {
      readonly type: 'opened';
      readonly dek: Uint8Array | undefined;
      readonly keyArn: string;
      readonly reference: number;
    }
  | { readonly type: 'forgotten' }
  | { readonly type: 'wrapped'; readonly wrapped: Uint8Array; readonly keyArn: string }
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'serviceKey';
      readonly epoch: number;
      readonly key: Uint8Array;
      readonly keyArn: string | undefined;
    }
  | { readonly type: 'done' }
  | { readonly type: 'escrowed'; readonly records: readonly EscrowRecord[] }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

/** `number`: the asker's, to tell answers apart. */
export type Asked = { readonly number: number; readonly question: Question };
/**
 * The same where wrapped key, context, use and `keyId` were all named before, and the asker has the DEK: what a statement that comes again
 * and again asks.
 */
export type AskedAgain = readonly [number: number, reference: number, useName: number];
/** Without a question: some DEKs are not to be used again, since their key changed. */
export type Told = { readonly number: number; readonly result: Result } | { readonly type: 'dropDeks' };
/** What was asked again may be used: nothing else is to be said of it. */
export type ToldAgain = readonly [number: number];
