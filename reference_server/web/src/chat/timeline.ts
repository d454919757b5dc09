import type { Arrival } from "./envelope";

export interface Item {
  readonly id: number;
  // What arrived, told apart further by what only this page knows; gap: the connection was away, a room keeps no history.
  readonly kind: Arrival["kind"] | "own" | "greeting" | "own-greeting" | "gap";
  readonly prefix: string;
  readonly text: string;
  readonly cut: number; // how many more characters it had than are shown
  readonly at: Date;
}

export const kTimelineCapacity = 500;
export const kLongestShown = 10_000; // characters: a room may carry 16 MiB in one message, a page not

// What a room said, the newest kTimelineCapacity of it. What arrives is collected and becomes visible by flush(), so that a page is
// drawn a few times a second and not for every message.
export class Timeline {
  private shown: readonly Item[] = [];
  private arrived: Item[] = [];
  private nextId = 1;
  private count = 0;

  add({ kind, prefix, text, at }: Omit<Item, "id" | "cut">): void {
    const cut = Math.max(0, text.length - kLongestShown);
    this.arrived.push({ id: this.nextId++, kind, prefix, text: cut ? text.slice(0, kLongestShown) : text, cut, at });
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
