// A WebSocket with live updates: opened with a ticket, kept open, and opened again when it was closed.

const PING_SECONDS = 300;
const LONGEST_PAUSE_SECONDS = 60;

export class LiveUpdates {
  #root;
  #session;
  #show;
  #say;
  #socket = null;
  #opened = 0;
  #attempts = 0;
  #timer = null; // of the next attempt

  /** `root`: the URL below which the API is. `show` gets each hint, `say` a text about the connection. */
  constructor(root, session, show, say) {
    this.#root = root;
    this.#session = session;
    this.#show = show;
    this.#say = say;
  }

  connect() {
    this.#attempts = 0;
    this.#open();
  }

  disconnect() {
    this.#opened += 1;
    this.#stopWaiting();
    this.#socket?.close();
    this.#socket = null;
    this.#say("Not connected.");
  }

  /** Connects now if the next attempt is due later. */
  hurry() {
    if (this.#timer !== null) this.connect();
  }

  async #open() {
    this.#stopWaiting();
    this.#say("Connecting…");
    this.#opened += 1;
    const number = this.#opened;
    const url = await this.#ticket().catch(() => null);
    if (number !== this.#opened) return; // the user has disconnected meanwhile, and perhaps connected again
    if (!url) {
      this.#again();
      return;
    }
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#attempts = 0;
      this.#say("Connected. Hints appear here.");
    });
    socket.addEventListener("message", ({ data }) => this.#received(JSON.parse(data)));
    socket.addEventListener("close", () => this.#socket === socket && this.#again());
    const ping = setInterval(() => socket.send(JSON.stringify({ type: "ping" })), PING_SECONDS * 1000);
    socket.addEventListener("close", () => clearInterval(ping));
  }

  /** The address of a WebSocket, or null. After a 401, the token is renewed; if the session has ended, that signs out. */
  async #ticket() {
    const token = await this.#session.token();
    if (!token) return null;
    const request = { method: "POST", headers: { Authorization: `Bearer ${token}` }, credentials: "omit" };
    const response = await fetch(new URL("live/tickets", this.#root), request);
    if (response.status === 401) await this.#session.renew(token);
    return response.ok ? (await response.json()).url : null;
  }

  #received(message) {
    if (message.type === "changed" || message.type === "rooms") this.#show(message);
  }

  /** Connects again after a pause that grows, so that not all clients come back at once. */
  #again() {
    this.#socket = null;
    this.#attempts += 1;
    const seconds = Math.random() * Math.min(2 ** this.#attempts, LONGEST_PAUSE_SECONDS);
    this.#say(this.#session.user ? "Not connected; trying again." : "Sign in to connect.");
    this.#timer = setTimeout(() => this.#open(), seconds * 1000);
  }

  #stopWaiting() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}
