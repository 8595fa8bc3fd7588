import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { after } from '@slipway/kit/stopwatch';
import { Connection } from './connection.ts';
import type { FrameHeader } from './frames.ts';

/** Python's own backlog of 5 would refuse a burst; connecting to a full one fails at once. */
const BACKLOG = 511;
const HELLO_WITHIN_MS = 10_000;

/** Where the engine's processes connect: each says who it is in its first frame. */
export class EngineListener {
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #expected = new Map<string, (connection: Connection) => void>();

  static async open(path: string): Promise<EngineListener> {
    await rm(path, { force: true }); // The rest of a server that was killed; the data folder's lock keeps out a live one.
    const listener = new EngineListener();
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject);
      listener.#server.listen({ path, backlog: BACKLOG }, resolve);
    });
    return listener;
  }

  private constructor() {
    this.#server = createServer((socket) => {
      const connection = new Connection(socket);
      this.#connections.add(connection);
      const cancel = after(HELLO_WITHIN_MS, () => connection.close());
      connection.listen(
        (hello) => {
          cancel();
          this.#welcome(hello, connection);
        },
        () => {
          cancel();
          this.#connections.delete(connection);
        },
      );
    });
  }

  /** Resolves with the connection of the process that says this role and name first. */
  expect(role: string, name: string | number, signal: AbortSignal): Promise<Connection> {
    const key = `${role} ${name}`;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#expected.delete(key);
        reject(signal.reason as Error);
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      this.#expected.set(key, (connection) => {
        signal.removeEventListener('abort', abort);
        resolve(connection);
      });
    });
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #welcome(hello: FrameHeader, connection: Connection): void {
    const role = String(hello['role']);
    const key = `${role} ${role === 'zygote' ? Number(hello['pid']) : String(hello['id'])}`;
    const take = this.#expected.get(key);
    this.#expected.delete(key);
    if (take === undefined) connection.close();
    else take(connection);
  }
}
