// How long to wait before the next attempt to connect, in milliseconds: doubles from 0.5 s to 30 s, and the upper half of
// it is random, so that the members of a room whose server was restarted do not all come back in the same instant.
const kFirst = 500;
const kLongest = 30_000;

// `attempt` counts from 0; `random` is in [0, 1).
export function retryDelay(attempt: number, random: number): number {
  const ceiling = Math.min(kLongest, kFirst * 2 ** attempt);
  return (ceiling / 2) * (1 + random);
}
