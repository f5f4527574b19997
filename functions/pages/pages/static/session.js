// Who is signed in: the token pair, stored across reloads and renewed before it runs out.

const KEY = "tasksync.session";
const EARLY_SECONDS = 30; // renewed this long before the access token ends, so that none ends on its way
const ATTEMPTS = 3;
const OTHERS_LOOKS = 20; // for the tokens of another tab, every half second
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Dispatches `change` whenever somebody signs in or out. */
export class Session extends EventTarget {
  #root;
  #tabs = new BroadcastChannel(KEY);

  /** `root`: the URL below which the API is. */
  constructor(root) {
    super();
    this.#root = root;
    addEventListener("storage", (event) => event.key === KEY && this.#changed());
    this.#tabs.addEventListener("message", ({ data }) => this.#follow(data));
  }

  /** The signed-in user, or null. */
  get user() {
    return this.#read()?.user ?? null;
  }

  /** Signs in or registers. Returns null, or the problem document that says why not. */
  async enter(action, identifier, password, remember) {
    const name = identifier.includes("@") ? { email: identifier } : { username: identifier };
    const response = await this.#post(`auth/${action}`, { ...name, password });
    const body = await response.json();
    if (!response.ok) return body;
    this.adopt(body, remember);
    return null;
  }

  /**
   * Confirms the password, in this session or in that of `authorization` (the header of a request).
   * Resolves to `{token}`, or to `{problem}`: the problem document.
   */
  async confirm(password, authorization = undefined) {
    const own = `Bearer ${await this.token()}`;
    const shown = authorization ?? own;
    const response = await this.#post("auth/reauthenticate", { password }, { Authorization: shown });
    const body = await response.json();
    if (!response.ok) return { problem: body };
    if (shown === own) this.adopt(body);
    return { token: body.access_token };
  }

  /** Stores a token response, from whatever source. Without a refresh token, it belongs to the same session. */
  adopt(response, remember = this.#remembered()) {
    this.#write(
      {
        user: response.user ?? this.user,
        accessToken: response.access_token,
        refreshToken: response.refresh_token ?? this.#read()?.refreshToken,
        endsAt: Date.now() + response.expires_in * 1000,
      },
      remember,
    );
    this.#changed();
  }

  /** Ends the session here and at the server. */
  async leave() {
    const stored = this.#read();
    this.#forget();
    if (stored) await this.#post("auth/logout", { refresh_token: stored.refreshToken }).catch(() => undefined);
  }

  /** An access token that does not expire soon, or null if nobody is signed in. */
  async token() {
    const stored = this.#read();
    if (!stored) return null;
    if (stored.endsAt - Date.now() > EARLY_SECONDS * 1000) return stored.accessToken;
    return this.renew(stored.accessToken);
  }

  /** A token other than `spent`: another tab's, or one from the refresh token. Null if the session is over. */
  renew(spent) {
    // Refresh tokens are for one use: two tabs must not spend the same one.
    return navigator.locks.request(KEY, async () => {
      const stored = this.#read();
      if (!stored || stored.accessToken !== spent) return stored?.accessToken ?? null;
      const response = await this.#refresh(stored);
      if (response.status >= 500 || response.status === 429) return stored.accessToken;
      if (response.status === 409) return this.#fromOthers(stored);
      if (!response.ok) {
        this.#forget();
        return null;
      }
      const body = await response.json();
      this.adopt(body);
      this.#tabs.postMessage({ spent: stored.refreshToken, successor: this.#read() });
      return body.access_token;
    });
  }

  /** A tab that was duplicated has the same refresh token in a storage of its own: it takes the one that came after. */
  #follow({ spent, successor }) {
    if (this.#read()?.refreshToken !== spent) return;
    this.#write(successor, this.#remembered());
    this.#changed();
  }

  /** The access token of a concurrent refresh by another tab; the old token if there is none. */
  async #fromOthers(stored) {
    for (let look = 0; look < OTHERS_LOOKS; look += 1) {
      const now = this.#read();
      if (now?.refreshToken !== stored.refreshToken) return now?.accessToken ?? null;
      await pause(500);
    }
    return stored.accessToken;
  }

  /** Repeats a lost request with the same key: the server then sends the first response again. */
  async #refresh(stored) {
    const key = crypto.randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#post("auth/refresh", { refresh_token: stored.refreshToken }, { "Idempotency-Key": key });
      } catch (failure) {
        if (attempt === ATTEMPTS) throw failure;
        await pause(attempt * 500);
      }
    }
  }

  #post(path, body, headers = {}) {
    return fetch(new URL(path, this.#root), {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
      credentials: "omit",
    });
  }

  #remembered() {
    return localStorage.getItem(KEY) !== null;
  }

  #read() {
    return JSON.parse(sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? "null");
  }

  #write(value, remember) {
    const [into, other] = remember ? [localStorage, sessionStorage] : [sessionStorage, localStorage];
    other.removeItem(KEY);
    into.setItem(KEY, JSON.stringify(value));
  }

  #forget() {
    sessionStorage.removeItem(KEY);
    localStorage.removeItem(KEY);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
