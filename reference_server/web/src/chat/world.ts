import type { Socket, Surroundings } from "./connection";

export interface FakeSocket extends Socket {
  closed: boolean;
  sent: string[];
}

// For tests: a world with a clock of its own, and sockets that do what the test says.
export class World implements Surroundings {
  time = 0;
  sockets: FakeSocket[] = [];
  timers: { at: number; run: () => void }[] = [];
  refuses = false;

  open(): FakeSocket {
    if (this.refuses) throw new Error("mixed content");
    const socket: FakeSocket = {
      onopen: null,
      onmessage: null,
      onclose: null,
      closed: false,
      sent: [],
      send: (data) => void socket.sent.push(data),
      close: () => void (socket.closed = true),
    };
    this.sockets.push(socket);
    return socket;
  }

  later(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((other) => other !== timer));
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return 0;
  }

  // Lets the time pass until then, and runs what is due.
  until(time: number): void {
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= time).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = next.at;
      next.run();
    }
    this.time = time;
  }

  // What the newest socket does.
  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }
  opens(): void {
    this.socket.onopen?.(undefined as never);
  }
  closes(): void {
    this.socket.onclose?.(undefined as never);
  }
  says(data: unknown): void {
    this.socket.onmessage?.({ data });
  }
}
