// What is wrong with a room's name, by Channels' rule for group names (SPEC connect.room-name-accepted): 1 to 99 of
// A-Z a-z 0-9 - _ . A server refuses any other in the handshake, which a browser cannot explain; so the page does.
export type NameFault = { kind: "empty" } | { kind: "too-long"; length: number } | { kind: "character"; character: string };

export const kLongestName = 99;

export function faultOf(name: string): NameFault | null {
  if (name === "") return { kind: "empty" };
  const character = name.match(/[^A-Za-z0-9\-_.]/u)?.[0];
  if (character !== undefined) return { kind: "character", character };
  return name.length > kLongestName ? { kind: "too-long", length: name.length } : null;
}
