/** Callers as ARNs: one name for each, in audit records, key policies and grants, whichever door they come by. */

/** A client of the S3 gateway or the KMS edge. */
export function clientPrincipal(account: string, name: string): string {
  return `arn:aws:iam::${account}:user/${name}`;
}

/**
 * A role that connects through the Postgres proxy, as a user below the path `postgres/<database>/`, so that policies can name it,
 * and all of a database (`user/postgres/app/*` in conditions). Names are percent-encoded: no two pairs give the same ARN.
 */
export function postgresPrincipal(account: string, database: string, role: string): string {
  return `arn:aws:iam::${account}:user/postgres/${encodePart(database)}/${encodePart(role)}`;
}

function encodePart(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
