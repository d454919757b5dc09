// The seed's envelope: a member sends {"msg": text} and receives {"message": text}.
//
// A room tells nothing but that text, and it is all one has to tell messages apart: the consumer puts 预警信息1： before what
// a member sent, chat_message() puts 预警信息2： before everything it handles, chat_push_message() puts nothing.

// What the seed's page says as soon as it is connected.
export const kGreeting = "连接成功!";

const kReceived = "预警信息1：";
const kHandled = "预警信息2：";

export interface Arrival {
  // member: went through receive() and chat_message(); direct: only through chat_message(), so from outside to a group
  // or, as in the seed's step 8, to this channel alone; push: through chat_push_message(); unreadable: not the envelope.
  kind: "member" | "direct" | "push" | "unreadable";
  prefix: string; // what the server put before the text
  text: string;
}

export function encode(text: string): string {
  // A lone surrogate has no UTF-8: Channels' Redis layers close the connection over it.
  return JSON.stringify({ msg: text.replace(/\p{Surrogate}/gu, "\ufffd") });
}

// Takes anything that can come in a frame and never throws.
export function decode(data: unknown): Arrival {
  if (typeof data !== "string") return { kind: "unreadable", prefix: "", text: "(binary)" };
  let message: unknown;
  try {
    message = (JSON.parse(data) as { message?: unknown } | null)?.message;
  } catch {
    message = undefined;
  }
  if (message === undefined) return { kind: "unreadable", prefix: "", text: data };
  const text = typeof message === "string" ? message : JSON.stringify(message);
  for (const [kind, prefix] of [["member", kHandled + kReceived], ["direct", kHandled]] as const)
    if (text.startsWith(prefix)) return { kind, prefix, text: text.slice(prefix.length) };
  return { kind: "push", prefix: "", text };
}
