/** What `sealgate init` writes: a config that loads as it is, with every section explained and the ones to fill in commented out. */

export const KEY_FILE_NAME = 'root.key';
export const CONFIG_FILE_NAME = 'sealgate.yaml';

export const CONFIG_EXAMPLE = `# yaml-language-server: $schema=./node_modules/sealgate/config/sealgate.schema.json
#
# Configuration of Sealgate. \`sealgate check\` tells what is wrong or missing, with line and column; \`sealgate up\` runs it.
# Paths start at this file's folder. \${NAME} is replaced from the environment; every secret can also stand in a file (…File).
version: 1

# Where keys live, and what opens the store.
keys:
  store: ./sealgate-keys.sqlite
  unseal:
    # Keep this file apart from the store and its backups: together they open everything.
    - { type: keyFile, path: ./${KEY_FILE_NAME} }
    # - { type: passphrase, passphraseFile: ./passphrase }
  audit: { file: ./sealgate-audit.jsonl, durability: write }    # fsync: each record survives power failure, slower
  # Put aside at 1 GiB as <file>.<first record>, never deleted; another size, in the braces: rotateAtBytes: 268435456
  # Copies elsewhere (file, syslog, http), in the braces: sinks: [{ type: syslog, name: siem, host: logs.internal }]
  # A warning where one caller decrypts more often than this with one key in a minute.
  # alarm: { decryptionsPerMinute: 100000 }
  # Who may use and administer keys (docs/ACCESS.md). Without it: whom gateway and proxy let in may use every key through them.
  # access:
  #   identities:
  #     - { client: reports, policies: [{ name: read-only, file: ./read-only.json }] }
  #   unlistedStorageCallers: nothing
  #   s3ByDefault: nothing                  # S3 clients without s3: statements may nothing, not everything
  # How long key material protects, and how much (docs/KEY-LIFE.md): warned of by default, enforced under this profile.
  # life: { profile: nist }
  # Regions beside keys.region that multi-Region keys are replicated to (docs/KMS.md).
  # otherRegions: [eu-west-1]

# Processes that serve S3 and PostgreSQL on the same ports, beside the one that owns the keys; 1: one process does it all.
# workers: auto                                                 # one for each core; Linux and FreeBSD

# Logs go to stderr as JSON lines.
observe:
  listen: { host: 127.0.0.1, port: 9090 }                       # /metrics, /healthz, /readyz
  log: { level: info }

# The same keys for AWS SDKs, \`aws kms\`, SOPS, Terraform: set their endpoint to this listener. Callers may nothing until keys.access says so.
# kms:
#   listen:
#     host: 0.0.0.0
#     port: 8443
#     tls: { certFile: ./kms.crt, keyFile: ./kms.key, clientCaFile: ./clients-ca.crt }
#   clients:
#     - { name: deploy, accessKeyId: SEALGATEDEPLOY, secretAccessKeyFile: ./deploy.secret }
#     - { name: backup, certificate: { subject: "O=Acme, CN=backup" } }

# In front of an object store. First: sealgate keys create --alias objects
# s3:
#   listen: { host: 127.0.0.1, port: 9000 }
#   # hosts: [s3.example.test]                                  # base names for virtual-host style
#   upstream:
#     endpoint: https://s3.eu-central-1.amazonaws.com
#     region: eu-central-1
#     credentials: { type: default }                            # environment, profiles, web identity, instance metadata
#     # credentials: { type: static, accessKeyId: AKIA…, secretAccessKeyFile: ./upstream.secret }
#   # otherUpstreams:                                           # further stores, by bucket
#   #   - { buckets: [archive, "logs-*"], endpoint: "https://rgw.internal", credentials: { type: static, accessKeyId: AKIA…, secretAccessKeyFile: ./upstream.secret } }
#   clients:                                                    # who may use the gateway
#     - { name: app, accessKeyId: SEALGATEAPP, secretAccessKeyFile: ./app.secret }
#     # - { name: job, accessKeyId: SEALGATEJOB, secretAccessKeyFile: ./job.secret, sessionTokenFile: ./job.token, expires: 2027-01-31T12:00:00Z }
#   buckets:                                                    # the narrowest rule wins; what no rule matches passes unchanged
#     - { bucket: "customers-*", seal: alias/objects }
#     # - { bucket: shared, seal: alias/objects, allowedKeys: [alias/team-a, alias/team-b], customerKeys: block }
#     - { bucket: "customers-*", prefix: public/, pass: true }
#     - { bucket: old, refuse: true }

# In front of PostgreSQL. First: sealgate keys create --alias customers
# postgres:
#   listen: { host: 127.0.0.1, port: 6432 }
#   upstream: { host: 127.0.0.1, port: 5432, tls: { mode: prefer } }
#   databases:
#     # Sealgate's own role, which owns schema "sealgate" (wrapped data keys); application roles get nothing there.
#     - { name: app, service: { user: sealgate, passwordFile: ./service.password } }
#   columns:
#     # deterministic: equality works (=, IN, joins, UNIQUE). randomized, the default: nothing but length shows.
#     - { column: app.public.customers.national_id, type: text, key: alias/customers, mode: deterministic }
#     - { column: app.public.customers.notes, type: text, key: alias/customers }
`;
