// The yardstick: the same handshake as a Node developer would write it first, with the two packages everybody takes.
// One process, one user table in a Map: `node server.mjs USERS`, secret in YARDSTICK_SECRET. Prints its port.
import { createServer } from "node:http";
import jwt from "jsonwebtoken";
import { WebSocketServer } from "ws";

const secret = process.env.YARDSTICK_SECRET;
const users = new Map();
for (let i = 0; i < Number(process.argv[2]); i++) {
  const id = `u_${String(i).padStart(8, "0")}`;
  users.set(id, { id, name: `user${i}`, role: "user", email: null });
}

let connections = 0;
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1_048_576 });
const server = createServer((request, response) => response.writeHead(404).end());

function authenticate(request) {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "bearer") throw new Error("no token");
  const claims = jwt.verify(token, secret, { algorithms: ["HS256"], issuer: "watchword", clockTolerance: 30 });
  const user = users.get(claims.sub);
  if (!user) throw new Error("no such user");
  return { ...user, claims, expiresAt: claims.exp };
}

server.on("upgrade", (request, socket, head) => {
  let user;
  try {
    user = authenticate(request);
  } catch {
    socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  sockets.handleUpgrade(request, socket, head, (ws) => {
    ws.user = user;
    ws.on("error", () => {});
    ws.on("message", (data) => {
      const message = JSON.parse(data);
      if (message.type === "ping") ws.send(JSON.stringify({ type: "pong", id: message.id }));
    });
    ws.send(JSON.stringify({
      type: "auth_success",
      user: user.name,
      user_id: user.id,
      role: user.role,
      connection_id: `c${(++connections).toString(16)}`,
      expires_at: new Date(user.expiresAt * 1000).toISOString(),
      server_time: new Date().toISOString(),
      protocol: { version: 1, serialization: "json", compression: "none" },
      limits: { max_message_bytes: 1_048_576, heartbeat_s: 25 },
    }));
  });
});

server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => console.log(`listening on ${server.address().port}`));
