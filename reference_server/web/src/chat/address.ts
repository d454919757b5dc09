// Where the rooms are: ?server=ws://HOST[:PORT][/PATH], else where the page comes from.
//
// The same rule as in chat_page.cpp, which lets the page talk to exactly this server and no other. No IPv6 literal: a
// Content-Security-Policy cannot name one.
export type Server = { base: string } | { fault: string };

export function serverOf(parameter: string | null, page: { protocol: string; host: string }): Server {
  if (parameter === null) return { base: (page.protocol === "https:" ? "wss://" : "ws://") + page.host };
  if (!/^wss?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?(\/[\w.~\-/]*)?$/.test(parameter)) return { fault: parameter };
  return { base: parameter.replace(/\/+$/, "") };
}

// The seed's room path.
export function roomUrl(base: string, room: string): string {
  return `${base}/ws/chat/${encodeURIComponent(room)}/`;
}
