/** The config's audit sinks: each gets the log's records from the key manager's start until after its end. */
import type { TlsNow } from '../cli/options/peer-tls.ts';
import type { AuditSinkConfig, KeysConfig } from '../config/config.ts';
import { cursorPath } from '../keys/audit/forward/cursor.ts';
import { fileSink } from '../keys/audit/forward/file-sink.ts';
import { AuditForwarder, type AuditFeed, type ForwarderReports } from '../keys/audit/forward/forwarder.ts';
import { httpSink } from '../keys/audit/forward/http-sink.ts';
import type { AuditSink } from '../keys/audit/forward/sink.ts';
import { syslogSink } from '../keys/audit/forward/syslog-sink.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Part } from './lifecycle.ts';

export class AuditSinks {
  readonly #config: KeysConfig['audit'];
  readonly #tlsNow: TlsNow;
  readonly #log: Log;
  readonly #metrics: Metrics;
  #forwarders: readonly AuditForwarder[] = [];

  constructor(
    config: KeysConfig['audit'],
    tlsNow: TlsNow,
    { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
  ) {
    this.#config = config;
    this.#tlsNow = tlsNow;
    this.#log = log;
    this.#metrics = metrics;
  }

  /** To be stopped after the key manager, whose last records are sent too. */
  get part(): Part {
    return {
      name: 'audit sinks',
      stop: async (remainingMs) => {
        await Promise.all(this.#forwarders.map((forwarder) => forwarder.stop(remainingMs)));
      },
    };
  }

  start(feed: AuditFeed): void {
    this.#forwarders = this.#config.sinks.map((sink) => {
      const { name, maxWaiting } = sink;
      const path = cursorPath(this.#config.file, name);
      const options = { feed, name, maxWaiting, cursorPath: path, reports: this.#reports(name) };
      const forwarder = new AuditForwarder({ ...options, sink: sinkOf(sink, this.#tlsNow) });
      this.#metrics.auditSink(name, { waiting: () => forwarder.waiting, isFailing: () => forwarder.isFailing });
      return forwarder;
    });
  }

  #reports(sink: string): ForwarderReports {
    return {
      failing: (err) => this.#log.error({ sink, err }, 'an audit sink takes no records; they wait in the audit log'),
      recovered: () => this.#log.info({ sink }, 'an audit sink takes records again'),
      moved: (records) =>
        this.#log.error({ sink, ...records }, 'audit records were moved away before an audit sink had them'),
    };
  }
}

function sinkOf(sink: AuditSinkConfig, tlsNow: TlsNow): AuditSink {
  switch (sink.type) {
    case 'file':
      return fileSink(sink.path);
    case 'syslog':
      return syslogSink({ ...sink, tls: tlsNow(sink.tls) });
    case 'http': {
      const { url, authorization, tls } = sink;
      return httpSink({ url, tls: tlsNow(tls), authorization: authorization && (() => authorization.reveal()) });
    }
  }
}
