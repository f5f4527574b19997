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
  #timer;

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
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
    this.#say("Not connected.");
  }

  async #open() {
    this.#say("Connecting…");
    this.#opened += 1;
    const number = this.#opened;
    const url = await this.#ticket();
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

  /** The address of a WebSocket, or null. */
  async #ticket() {
    const token = await this.#session.token();
    if (!token) return null;
    const request = { method: "POST", headers: { Authorization: `Bearer ${token}` }, credentials: "omit" };
    const response = await fetch(new URL("live/tickets", this.#root), request).catch(() => null);
    return response?.ok ? (await response.json()).url : null;
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
}
