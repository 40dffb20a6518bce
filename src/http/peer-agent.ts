/**
 * Connections to another server that are kept between requests, under certificates that may be renewed meanwhile.
 *
 * Threat: an authority that is trusted no more. What it vouched for is asked nothing that begins afterwards, over no new connection and over none
 * that was kept; what has begun ends where it began. A resumed session would not look at the certificate again, so those are forgotten too.
 */
import type { Socket } from 'node:net';
import { Agent, errors, type buildConnector } from 'undici';

/** PEM texts, in the words of node:tls; without `ca` the well-known authorities are trusted. */
export type PeerTls = {
  readonly ca?: string | undefined;
  readonly crl?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
};

export type PeerAgentOptions = {
  /** What counts now: the same object until it is another. */
  readonly tls: () => PeerTls;
  /** Makes connections with these, and remembers sessions of theirs alone. */
  readonly connector: (tls: PeerTls) => buildConnector.connector;
  readonly agent: Omit<Agent.Options, 'connect'>;
};

export class PeerAgent {
  readonly #options: PeerAgentOptions;
  /** Of former agents too, which end with the last request that they were given: undici forgets what it has told to close. */
  readonly #sockets = new Set<Socket>();
  #closed = false;
  #tls: PeerTls;
  #connector: buildConnector.connector;
  #agent: Agent;

  constructor(options: PeerAgentOptions) {
    this.#options = options;
    this.#tls = options.tls();
    this.#connector = options.connector(this.#tls);
    this.#agent = this.#open();
  }

  /** The one to give the next request to, at once. */
  get current(): Agent {
    this.#renew();
    return this.#agent;
  }

  /** Ends what is under way too. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(): Agent {
    // What a former one was given goes over the connections that it has; a new one for it is made as all others are.
    const connect: buildConnector.connector = (to, callback) => {
      this.#renew();
      if (this.#closed) return callback(new errors.ClientDestroyedError(), null);
      this.#connector(to, (...result) => {
        const [error, socket] = result;
        if (error === null) this.#keep(socket);
        callback(...result);
      });
    };
    return new Agent({ ...this.#options.agent, connect });
  }

  #keep(socket: Socket): void {
    if (this.#closed) socket.destroy();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #renew(): void {
    const tls = this.#options.tls();
    if (tls === this.#tls || this.#closed) return;
    this.#tls = tls;
    this.#connector = this.#options.connector(tls);
    void this.#agent.close();
    this.#agent = this.#open();
  }
}
