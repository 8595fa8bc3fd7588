import type { Socket } from 'node:net';
import { after } from '@slipway/kit/stopwatch';
import { encodeFrame, FrameReader, frameKinds, type Frame, type FrameHeader } from './frames.ts';

/** The process at the other end has gone. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone';
}

/** The process at the other end did not answer in time; it may still be at work. */
export class PeerTimeout extends Error {
  override readonly name = 'PeerTimeout';
}

interface Waiting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
  readonly cancelDeadline: () => void;
}

const NOTHING = new Uint8Array();
const LARGEST_ID = 0xffff_fffe;

/** Requests and answers over one socket. Every request has a deadline and settles exactly once. */
export class Connection {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #goneBecause: string | undefined;
  #onNotice: (header: FrameHeader) => void = () => undefined;
  #onGone: (why: string) => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.once('error', (error) => this.#end(error.message));
    socket.once('close', () => this.#end('the connection closed'));
  }

  /** Replaces the listeners; there is one of each, because one owner knows what a notice means. */
  listen(onNotice: (header: FrameHeader) => void, onGone: (why: string) => void): void {
    this.#onNotice = onNotice;
    this.#onGone = onGone;
    if (this.#goneBecause !== undefined) onGone(this.#goneBecause);
  }

  /** How many requests wait for their answer. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** @throws PeerGone, PeerTimeout */
  request(header: FrameHeader, body: Uint8Array = NOTHING, deadlineMs = 60_000): Promise<Frame> {
    if (this.#goneBecause !== undefined) return Promise.reject(new PeerGone(this.#goneBecause));
    const id = this.#nextId;
    this.#nextId = id === LARGEST_ID ? 1 : id + 1;
    return new Promise<Frame>((resolve, reject) => {
      const parts = encodeFrame(id, frameKinds.request, header, body); // Throws, and so rejects, when too long.
      const cancelDeadline = after(deadlineMs, () => {
        this.#waiting.delete(id);
        reject(new PeerTimeout(`no answer within ${Math.round(deadlineMs)} ms`));
      });
      this.#waiting.set(id, { resolve, reject, cancelDeadline });
      this.#socket.cork();
      for (const part of parts) this.#socket.write(part);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#end('it was closed');
  }

  #read(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.feed(chunk)) this.#take(frame);
    } catch (error) {
      this.#socket.destroy();
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #take(frame: Frame): void {
    if (frame.kind === frameKinds.notice) {
      this.#onNotice(frame.header);
      return;
    }
    const waiting = this.#waiting.get(frame.id);
    if (waiting === undefined) return; // Its deadline has passed.
    this.#waiting.delete(frame.id);
    waiting.cancelDeadline();
    waiting.resolve(frame);
  }

  #end(why: string): void {
    if (this.#goneBecause !== undefined) return;
    this.#goneBecause = why;
    for (const waiting of this.#waiting.values()) {
      waiting.cancelDeadline();
      waiting.reject(new PeerGone(why));
    }
    this.#waiting.clear();
    this.#onGone(why);
  }
}
