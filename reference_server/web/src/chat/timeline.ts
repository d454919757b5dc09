import type { Arrival } from "./envelope";

export interface Item {
  readonly id: number;
  // What arrived, told apart further by what only this page knows; gap: the connection was away, a room keeps no history.
  readonly kind: Arrival["kind"] | "own" | "greeting" | "own-greeting" | "gap";
  readonly prefix: string;
  readonly text: string;
  readonly at: Date;
}

export const kTimelineCapacity = 500;

// What a room said, the newest kCapacity of it. What arrives is collected and becomes visible by flush(), so that a page is
// drawn a few times a second and not for every message.
export class Timeline {
  private shown: readonly Item[] = [];
  private arrived: Item[] = [];
  private nextId = 1;
  private count = 0;

  add(item: Omit<Item, "id">): void {
    this.arrived.push({ id: this.nextId++, ...item });
    ++this.count;
    if (this.arrived.length >= 2 * kTimelineCapacity) this.arrived = this.arrived.slice(-kTimelineCapacity);
  }

  // Shows what has arrived, and returns it.
  flush(): readonly Item[] {
    const arrived = this.arrived.slice(-kTimelineCapacity);
    this.arrived = [];
    this.shown = [...this.shown, ...arrived].slice(-kTimelineCapacity);
    return arrived;
  }

  // A new array after each flush().
  items(): readonly Item[] {
    return this.shown;
  }

  // How many older ones are no longer shown.
  forgotten(): number {
    return this.count - this.shown.length - this.arrived.length;
  }
}
