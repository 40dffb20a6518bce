/**
 * The shape of a type's codec: client formats (text, binary) to and from the canonical bytes that are sealed.
 *
 * Invariant: for a type with a comparison class, canonical bytes are equal exactly when SQL says the values are.
 */
import type { LogicalType, ValuePurpose } from '../plan.ts';

/** Session settings that decide how values read and print. */
export type ValueSettings = {
  readonly timeZone: string;
  readonly dateStyle: string;
  readonly clientEncoding: string;
  /** Absent: the server's defaults. */
  readonly intervalStyle?: string;
  readonly extraFloatDigits?: number;
  readonly byteaOutput?: string;
  /** The server's major version: older ones read less. Absent: the newest. */
  readonly serverVersion?: number;
};

/** No client's session: for what must read and print alike in all. */
export const STANDARD_SETTINGS: ValueSettings = { timeZone: '', dateStyle: 'ISO, MDY', clientEncoding: 'UTF8' };

export type ValueFormat = 'text' | 'binary';

/** What a time zone is, as the server itself says; undefined: not asked yet. */
export interface ZoneSource {
  zone(name: string): TimeZone | undefined;
}

export interface TimeZone {
  /** Seconds east of UTC at an instant, given in seconds since 1970. */
  offsetAt(epochSeconds: number): number;
  /** What the zone is called at an instant, as DateStyles other than ISO print it; undefined where that was not asked for. */
  abbreviationAt?(epochSeconds: number): string | undefined;
  /** Seconds east of UTC that a wall clock reading (as seconds since 1970, were it UTC) means; gaps and overlaps as the server has them. */
  offsetForLocal(localSeconds: number): number;
}

export type ValueContext = {
  readonly type: LogicalType;
  readonly purpose: ValuePurpose;
  readonly settings: ValueSettings;
  readonly zones: ZoneSource;
};

/** Reading throws ValueError; printing throws it too where a sealed value is of another type than the rule says. */
export interface TypeCodec {
  fromText(text: Uint8Array, context: ValueContext): Uint8Array;
  fromBinary(bytes: Uint8Array, context: ValueContext): Uint8Array;
  toText(canonical: Uint8Array, context: ValueContext): Uint8Array;
  toBinary(canonical: Uint8Array, context: ValueContext): Uint8Array;
}
