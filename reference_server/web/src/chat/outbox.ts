// What was typed in a room and has not come back yet. A room repeats to the sender what it sent, which is the only receipt
// there is: a message stays here until then, so that nothing typed is lost, and nothing is sent twice unasked.
//
//   waiting ──taken──▶ sent ──echo──▶ gone (the echo is in the list)
//      ▲                ├──10 s──▶ late ──echo──▶ gone
//      └──send again────┴──connection lost──▶ lost (may have been delivered or not: the sender decides)

export interface Outgoing {
  readonly id: number;
  readonly text: string;
  readonly state: "waiting" | "sent" | "late" | "lost";
}

export const kOutboxCapacity = 100;
export const kEchoLimit = 10_000; // ms

interface Entry {
  id: number;
  text: string;
  state: Outgoing["state"];
  sentAt: number;
}

export class Outbox {
  private entries: Entry[] = [];
  private nextId = 1;

  // In the order in which they were typed.
  list(): Outgoing[] {
    return this.entries.map(({ id, text, state }) => ({ id, text, state }));
  }

  // False when it is full: the caller keeps the text.
  add(text: string): boolean {
    if (this.entries.length >= kOutboxCapacity) return false;
    this.entries.push({ id: this.nextId++, text, state: "waiting", sentAt: 0 });
    return true;
  }

  // The texts to send now; from here on they wait for their echo.
  take(now: number): string[] {
    const waiting = this.entries.filter((entry) => entry.state === "waiting");
    for (const entry of waiting) Object.assign(entry, { state: "sent", sentAt: now });
    return waiting.map((entry) => entry.text);
  }

  // Whether a member's message that arrived is one of ours; the oldest of that text is then done.
  confirm(text: string): boolean {
    const index = this.entries.findIndex((entry) => entry.text === text && (entry.state === "sent" || entry.state === "late"));
    if (index >= 0) this.entries.splice(index, 1);
    return index >= 0;
  }

  // Returns whether anything changed.
  markLate(now: number): boolean {
    const late = this.entries.filter((entry) => entry.state === "sent" && now - entry.sentAt >= kEchoLimit);
    for (const entry of late) entry.state = "late";
    return late.length > 0;
  }

  connectionLost(): void {
    for (const entry of this.entries) if (entry.state !== "waiting") entry.state = "lost";
  }

  sendAgain(id: number): void {
    for (const entry of this.entries) if (entry.id === id) entry.state = "waiting";
  }

  discard(id: number): void {
    this.entries = this.entries.filter((entry) => entry.id !== id);
  }
}
