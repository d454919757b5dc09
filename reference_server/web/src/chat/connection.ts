import { retryDelay } from "./backoff";

export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "open" }
  | { kind: "waiting"; until: number; attempt: number } // for the next attempt; `attempt` have failed in a row
  | { kind: "stopped" };

// A browser's WebSocket, as far as it is used here.
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string): void;
  close(): void;
}

// What surrounds a connection; tests bring their own.
export interface Surroundings {
  open(url: string): Socket; // may throw
  later(ms: number, run: () => void): () => void; // returns what cancels it
  now(): number;
  random(): number;
}

export const browser: Surroundings = {
  open: (url) => new WebSocket(url) as unknown as Socket,
  later: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  now: () => Date.now(),
  random: () => Math.random(),
};

export interface Events {
  onState(state: ConnectionState): void;
  onMessage(data: unknown): void;
}

const kOpenLimit = 10_000; // ms for one attempt: a server that accepts and says nothing is tried again
const kStable = 5_000; // ms after which a connection counts as good, and a loss begins again with short delays

// A WebSocket that comes back: when it is lost or cannot be had, it is tried again after a growing delay, until stop().
// (The seed's page tries again at once and for ever, also after it was left.)
export class Connection {
  private state: ConnectionState = { kind: "stopped" };
  private socket: Socket | null = null;
  private cancelTimer: () => void = () => {};
  private attempt = 0;

  constructor(
    private readonly url: string,
    private readonly events: Events,
    private readonly around: Surroundings = browser,
  ) {}

  // Also ends a wait: tries at once. No-op while connecting or open.
  start(): void {
    if (this.state.kind === "stopped" || this.state.kind === "waiting") this.connect();
  }

  // For good, or until start(). Nothing is called back any more but onState.
  stop(): void {
    this.cancelTimer();
    this.release()?.close();
    this.attempt = 0;
    this.enter({ kind: "stopped" });
  }

  // REQUIRES: open.
  send(data: string): void {
    this.socket?.send(data);
  }

  private connect(): void {
    this.cancelTimer();
    this.enter({ kind: "connecting" });
    try {
      this.socket = this.around.open(this.url);
    } catch {
      return this.wait(); // a browser's own refusal: ws:// from an https:// page
    }
    this.socket.onopen = () => {
      this.cancelTimer();
      this.cancelTimer = this.around.later(kStable, () => (this.attempt = 0));
      this.enter({ kind: "open" });
    };
    this.socket.onmessage = (event) => this.events.onMessage(event.data);
    this.socket.onclose = () => this.wait();
    this.cancelTimer = this.around.later(kOpenLimit, () => this.wait());
  }

  private wait(): void {
    this.cancelTimer();
    this.release()?.close();
    const delay = retryDelay(this.attempt++, this.around.random());
    this.cancelTimer = this.around.later(delay, () => this.connect());
    this.enter({ kind: "waiting", until: this.around.now() + delay, attempt: this.attempt });
  }

  // Lets go of the socket; what it still says is not ours.
  private release(): Socket | null {
    const socket = this.socket;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    this.socket = null;
    return socket;
  }

  private enter(state: ConnectionState): void {
    this.state = state;
    this.events.onState(state);
  }
}
