// A room server on `ws`, in the seed's dialect: what a Node programmer would write in an afternoon, with nothing of
// Channels in it. Run: npm ci && PORT=8000 CONTROL_PORT=8001 node server.js
'use strict';
const {createServer} = require('node:http');
const {randomUUID} = require('node:crypto');
const {WebSocketServer} = require('ws');

const rooms = new Map();     // room -> Set of its connections
const channels = new Map();  // channel name -> connection
const name = /^[A-Za-z0-9_.-]{1,99}$/;

const textIn = (data, binary, key) => {
  const value = binary ? undefined : JSON.parse(data)?.[key];
  if (typeof value !== 'string') throw new TypeError(`expected {"${key}": "a text"}`);
  return value;
};
const answerOf = {
  chat_message: event => '预警信息2：' + event.message,
  chat_push_message: event => event.message,
};
const deliver = (socket, event) => {
  const answer = answerOf[String(event.type).replaceAll('.', '_')];
  if (answer && typeof event.message === 'string') socket.send(JSON.stringify({message: answer(event)}));
};
const groupSend = (room, event) => rooms.get(room)?.forEach(socket => deliver(socket, event));

const onMessage = (socket, react) => socket.on('message', (data, binary) => {
  if (socket.readyState !== socket.OPEN) return;
  try {
    react(data, binary);
  } catch {
    socket.close(1003);
  }
});
const echo = socket => onMessage(socket, (data, binary) => {
  socket.send(JSON.stringify({message: 'xxx：' + textIn(data, binary, 'message')}));
});
const join = room => socket => {
  const channel = `specific.node!${randomUUID()}`;
  if (!rooms.has(room)) rooms.set(room, new Set());
  rooms.get(room).add(socket);
  channels.set(channel, Object.assign(socket, {channel}));
  onMessage(socket, (data, binary) => {
    groupSend(room, {type: 'chat_message', message: '预警信息1：' + textIn(data, binary, 'msg')});
  });
  socket.on('close', () => {
    channels.delete(channel);
    rooms.get(room).delete(socket);
    if (rooms.get(room).size === 0) rooms.delete(room);
  });
};
const route = url => {
  const path = decodeURIComponent(url.split('?')[0]);
  if (path === '/ws/chat/') return echo;
  const [, room] = /^\/ws\/chat\/([^/]+)\/$/.exec(path) ?? [];
  return room !== undefined && name.test(room) ? join(room) : undefined;
};

const web = createServer((request, response) => response.writeHead(404).end());
const sockets = new WebSocketServer({noServer: true, maxPayload: 16 << 20});
web.on('upgrade', (request, tcp, head) => {
  let accept;
  try { accept = route(request.url); } catch { /* a lone % in the path */ }
  if (!accept) return tcp.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  sockets.handleUpgrade(request, tcp, head, socket => {
    socket.on('error', () => {});  // a protocol error: ws closes by itself
    accept(socket);
  });
});
web.listen(process.env.PORT ?? 8000, '127.0.0.1');

// The control API of docs/PROFILES.md: how the suite pushes and sends directly.
createServer(async (request, response) => {
  const answer = (status, body) => response.writeHead(status, {'Content-Type': 'application/json'}).end(JSON.stringify(body));
  try {
    const [, kind, encoded, verb] = /^\/(groups|channels)\/([^/]*)\/(send|channels)$/.exec(request.url);
    const address = decodeURIComponent(encoded);
    if (kind === 'groups' ? !name.test(address) : !/^[\w.-]+(![\w.-]*)?$/.test(address) || address.length > 99)
      return answer(400, {error: `${JSON.stringify(address)} is no valid name`});
    if (verb === 'channels') return answer(200, {channels: [...rooms.get(address) ?? []].map(socket => socket.channel)});
    let body = '';
    for await (const part of request) body += part;
    const event = JSON.parse(body);
    if (kind === 'groups') groupSend(address, event);
    else if (channels.has(address)) deliver(channels.get(address), event);
    answer(200, {});
  } catch (error) {
    answer(400, {error: String(error.message)});
  }
}).listen(process.env.CONTROL_PORT ?? 8001, '127.0.0.1');
