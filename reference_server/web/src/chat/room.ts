import { browser, Connection, type ConnectionState, type Surroundings } from "./connection";
import { decode, encode, kGreeting } from "./envelope";
import { kEchoLimit, Outbox, type Outgoing } from "./outbox";
import { type Item, Timeline } from "./timeline";

// What there is to see of a room, at one moment.
export interface View {
  readonly state: ConnectionState;
  readonly items: readonly Item[];
  readonly arrived: readonly Item[]; // of `items`, those that are new in this view
  readonly forgotten: number;
  readonly outgoing: readonly Outgoing[];
}

const kDrawEvery = 50; // ms: however many messages come, the page is drawn 20 times a second

// One room as its member sees it: greets as the seed's page does, knows its own messages by their echo, keeps what was
// typed while the connection was away.
export class Room {
  private readonly timeline = new Timeline();
  private readonly outbox = new Outbox();
  private readonly connection: Connection;
  private state: ConnectionState = { kind: "stopped" };
  private greetings = 0; // of ours, whose echo has not come
  private wasOpen = false;
  private drawing = false;

  // `draw` gets a view whenever there is something new to see.
  constructor(
    readonly url: string,
    private readonly draw: (view: View) => void,
    private readonly around: Surroundings = browser,
  ) {
    this.connection = new Connection(url, { onState: (state) => this.onState(state), onMessage: (data) => this.onMessage(data) }, around);
  }

  // Joins, or tries again at once.
  start(): void {
    this.connection.start();
  }

  // Leaves. What has not been sent stays.
  stop(): void {
    this.connection.stop();
  }

  // Sends, or keeps until it can be sent. False: too many wait already, the caller keeps the text.
  post(text: string): boolean {
    const taken = this.outbox.add(text);
    this.sendWaiting();
    return taken;
  }

  sendAgain(id: number): void {
    this.outbox.sendAgain(id);
    this.sendWaiting();
  }

  discard(id: number): void {
    this.outbox.discard(id);
    this.drawNow();
  }

  hasUnsent(): boolean {
    return this.outbox.list().length > 0;
  }

  private onState(state: ConnectionState): void {
    if (this.state.kind === "open") {
      this.outbox.connectionLost();
      this.greetings = 0;
    }
    this.state = state;
    if (state.kind === "open") {
      if (this.wasOpen) this.timeline.add({ kind: "gap", prefix: "", text: "", at: this.today() });
      this.wasOpen = true;
      this.connection.send(encode(kGreeting));
      ++this.greetings;
      this.sendWaiting();
    }
    this.drawNow();
  }

  private onMessage(data: unknown): void {
    const { kind, prefix, text } = decode(data);
    this.timeline.add({ kind: kind === "member" ? this.whose(text) : kind, prefix, text, at: this.today() });
    if (this.drawing) return;
    this.drawing = true;
    this.around.later(kDrawEvery, () => this.drawNow());
  }

  private whose(text: string): Item["kind"] {
    if (text !== kGreeting) return this.outbox.confirm(text) ? "own" : "member";
    if (this.greetings === 0) return "greeting";
    --this.greetings;
    return "own-greeting";
  }

  private sendWaiting(): void {
    if (this.state.kind === "open") {
      const texts = this.outbox.take(this.around.now());
      for (const text of texts) this.connection.send(encode(text));
      if (texts.length > 0)
        this.around.later(kEchoLimit, () => {
          if (this.outbox.markLate(this.around.now())) this.drawNow();
        });
    }
    this.drawNow();
  }

  private drawNow(): void {
    this.drawing = false;
    const arrived = this.timeline.flush();
    this.draw({ state: this.state, items: this.timeline.items(), arrived, forgotten: this.timeline.forgotten(), outgoing: this.outbox.list() });
  }

  private today(): Date {
    return new Date(this.around.now());
  }
}
