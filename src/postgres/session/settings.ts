/**
 * What a client's session is set to, as far as it changes what SQL means or how values look.
 *
 * The session keeps one immutable value and replaces it whole: identity tells whether anything changed.
 */

export type SessionSettings = {
  /** session_user of the client: the principal in audit records. */
  readonly user: string;
  readonly database: string;
  /**
   * The schemas names are looked up in, in order, as `current_schemas(true)` answers in the client's own session: `$user` resolved,
   * missing schemas left out, `pg_catalog` where it is searched, `pg_temp_N` first where the session has temporary objects.
   */
  readonly searchPath: readonly string[];
  readonly clientEncoding: string;
  readonly standardConformingStrings: boolean;
  /** NULL in the text of an array is none, and not four letters; only the probe tells. */
  readonly arrayNulls: boolean;
  readonly timeZone: string;
  readonly dateStyle: string;
  readonly intervalStyle: string;
  /** Both are reported by no server: only the probe tells. */
  readonly extraFloatDigits: number;
  readonly byteaOutput: string;
  /** current_user: SET ROLE and SET SESSION AUTHORIZATION change it. */
  readonly role: string;
  readonly applicationName: string;
  /** `SET sealgate.catalog`: empty where the session has not set it. */
  readonly catalogTypes: string;
  /** A type of the session's own that is named like one of the server's, which comes before it; empty: there is none. */
  readonly shadowedType: string;
  /** The server's major version. */
  readonly serverVersion: number;
  /** The open transaction holds DDL nobody else can see: catalog snapshots of other connections do not tell its truth. */
  readonly uncommittedCatalog: boolean;
  /** It holds DDL that nothing sealed is concerned by: only what names other relations waits for its end. */
  readonly uncommittedElsewhere: boolean;
};

/** PostgreSQL's defaults, until the server has reported its own. */
export function initialSettings(user: string, database: string): SessionSettings {
  return {
    user,
    database,
    searchPath: ['pg_catalog', 'public'],
    clientEncoding: 'UTF8',
    standardConformingStrings: true,
    arrayNulls: true,
    timeZone: 'UTC',
    dateStyle: 'ISO, MDY',
    intervalStyle: 'postgres',
    extraFloatDigits: 1,
    byteaOutput: 'hex',
    role: user,
    applicationName: '',
    catalogTypes: '',
    shadowedType: '',
    serverVersion: 18,
    uncommittedCatalog: false,
    uncommittedElsewhere: false,
  };
}

/** How text is read, as the server last reported it; nothing until it has. */
export type ReportedLexing = Partial<Pick<SessionSettings, 'clientEncoding' | 'standardConformingStrings'>>;

export function withReportedLexing(reported: ReportedLexing, name: string, value: string): ReportedLexing {
  switch (name) {
    case 'client_encoding':
      return { ...reported, clientEncoding: value };
    case 'standard_conforming_strings':
      return { ...reported, standardConformingStrings: value === 'on' };
    default:
      return reported;
  }
}

/** The settings after the server's ParameterStatus (name, value); the same object when it changes nothing here. */
export function withParameterStatus(settings: SessionSettings, name: string, value: string): SessionSettings {
  switch (name) {
    case 'client_encoding':
      return { ...settings, clientEncoding: value };
    case 'standard_conforming_strings':
      return { ...settings, standardConformingStrings: value === 'on' };
    case 'server_version':
      return { ...settings, serverVersion: Number.parseInt(value, 10) };
    case 'TimeZone':
      return { ...settings, timeZone: value };
    case 'DateStyle':
      return { ...settings, dateStyle: value };
    case 'application_name':
      return { ...settings, applicationName: value };
    case 'IntervalStyle':
      return { ...settings, intervalStyle: value };
    default:
      return settings;
  }
}
