/** What is used of the package, which brings no types. */
declare module '@20minutes/s3rver' {
  export default class S3rver {
    constructor(options: {
      directory: string;
      address: string;
      port: number;
      silent: boolean;
      allowMismatchedSignatures?: boolean;
      key?: Uint8Array;
      cert?: Uint8Array;
    });
    run(): Promise<{ port: number }>;
    close(): Promise<void>;
    readonly httpServer: { closeAllConnections(): void };
  }
}
