import { computed, ref, watchEffect } from "vue";
import type { NameFault } from "./chat/room_name";

// The interface's words. What the room says is never translated.
const chinese = {
  title: "聊天室",
  room: "房间",
  join: "进入",
  roomHint: "房间名：1 到 99 个英文字母、数字、- _ .",
  connecting: "连接中…",
  open: "已连接",
  waiting: (seconds: number) => `已断开，${seconds} 秒后重连`,
  stopped: "未连接",
  tryNow: "立即重连",
  unreachable: "服务器没有响应，或者拒绝了本页（房间规则、来源限制）。会继续重试。",
  nameEmpty: "请输入房间名。",
  nameLong: (length: number) => `房间名最多 99 个字符，这里有 ${length} 个。`,
  nameCharacter: (character: string) => `房间名只能用英文字母、数字、- _ .，不能有“${character}”。`,
  space: "空格",
  serverFault: (address: string) => `?server=${address} 不是 ws://主机:端口 或 wss://主机:端口 这样的地址。`,
  messages: "消息",
  empty: "这里还没有消息。在第二个窗口打开同一个房间，互相发一条试试。",
  second: "打开第二个窗口",
  forgotten: (count: number) => `更早的 ${count} 条消息不再显示`,
  cut: (count: number) => `还有 ${count} 个字符没有显示`,
  own: "我",
  member: "成员",
  direct: "单独发送",
  push: "推送",
  unreadable: "无法识别",
  greeting: "有成员加入",
  ownGreeting: "你已加入",
  gap: "已重新连接。断开期间的消息看不到：房间不保存历史。",
  sending: "发送中…",
  queued: "连接后发送",
  late: "还没有收到回显",
  lost: "断线时正在发送，可能没有送达",
  sendAgain: "重发",
  discard: "删除",
  message: "消息内容",
  placeholder: "输入消息",
  keys: "Enter 发送，Shift+Enter 换行",
  offlineKeys: "现在离线：发送的消息会保留，连接后自动发出",
  send: "发送",
  full: "等待发送的消息太多了，先等连接恢复。",
  tooLong: (limit: number) => `消息太长，最多 ${limit} 个字符。`,
  newer: (count: number) => `${count} 条新消息`,
  raw: "原文",
  rawHint: "按服务器发来的原样显示，带前缀",
  other: "English",
};

type Words = typeof chinese;

const english: Words = {
  title: "Chat room",
  room: "Room",
  join: "Join",
  roomHint: "A room's name: 1 to 99 letters, digits, - _ .",
  connecting: "Connecting…",
  open: "Connected",
  waiting: (seconds) => `Offline, retry in ${seconds} s`,
  stopped: "Not connected",
  tryNow: "Retry now",
  unreachable: "The server does not answer, or refuses this page (its rule for rooms, its origin policy). Still trying.",
  nameEmpty: "Enter the name of a room.",
  nameLong: (length) => `A room's name has at most 99 characters, this one has ${length}.`,
  nameCharacter: (character) => `A room's name has only letters A-Z, digits, - _ . and no “${character}”.`,
  space: "space",
  serverFault: (address) => `?server=${address} is not an address like ws://host:port or wss://host:port.`,
  messages: "Messages",
  empty: "Nothing here yet. Open the same room in a second window and type into both.",
  second: "Open a second window",
  forgotten: (count) => `${count} older messages are no longer shown`,
  cut: (count) => `${count} more characters are not shown`,
  own: "You",
  member: "Member",
  direct: "Direct",
  push: "Push",
  unreadable: "Not understood",
  greeting: "A member joined",
  ownGreeting: "You joined",
  gap: "Connected again. What was said in between is not shown: a room keeps no history.",
  sending: "Sending…",
  queued: "Will be sent when connected",
  late: "No echo yet",
  lost: "The connection broke while this was sent: it may not have arrived",
  sendAgain: "Send again",
  discard: "Delete",
  message: "Message",
  placeholder: "Type a message",
  keys: "Enter sends, Shift+Enter begins a new line",
  offlineKeys: "Offline: what you send is kept, and goes out when connected",
  send: "Send",
  full: "Too many messages wait to be sent; wait for the connection first.",
  tooLong: (limit) => `The message is too long: at most ${limit} characters.`,
  newer: (count) => (count === 1 ? "1 new message" : `${count} new messages`),
  raw: "Raw text",
  rawHint: "As the server sent it, with its prefixes",
  other: "中文",
};

export type Language = "zh" | "en";

// ?lang=, else what was chosen here before, else the browser's.
function preferred(): Language {
  for (const asked of [new URLSearchParams(location.search).get("lang"), remembered.read()]) if (asked === "zh" || asked === "en") return asked;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

// A browser may refuse to store anything; then the choice lasts as long as the page.
const remembered = {
  read(): string | null {
    try {
      return localStorage.getItem("language");
    } catch {
      return null;
    }
  },
  write(chosen: Language): void {
    try {
      localStorage.setItem("language", chosen);
    } catch {
      // see above
    }
  },
};

export const language = ref<Language>(preferred());
export const words = computed(() => (language.value === "zh" ? chinese : english));

export function switchLanguage(): void {
  language.value = language.value === "zh" ? "en" : "zh";
  remembered.write(language.value);
}

watchEffect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
});

export function explain(fault: NameFault): string {
  if (fault.kind === "empty") return words.value.nameEmpty;
  if (fault.kind === "too-long") return words.value.nameLong(fault.length);
  return words.value.nameCharacter(/\s/.test(fault.character) ? words.value.space : fault.character);
}
