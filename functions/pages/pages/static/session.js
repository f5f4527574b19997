// Who is signed in: the token pair, kept across reloads and renewed before it runs out.

const KEY = "tasksync.session";
const EARLY_SECONDS = 30; // renewed this long before the access token ends, so that none ends on its way
const ATTEMPTS = 3;
const OTHERS_LOOKS = 20; // for the tokens that another tab was given, every half second
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
    const answer = await this.#post(`auth/${action}`, { ...name, password });
    const body = await answer.json();
    if (!answer.ok) return body;
    this.adopt(body, remember);
    return null;
  }

  /**
   * Shows the password again, in this session or in that of `authorization` (the header of a request).
   * Resolves to `{token}`, or to `{problem}`: the document that says why not.
   */
  async confirm(password, authorization = undefined) {
    const own = `Bearer ${await this.token()}`;
    const shown = authorization ?? own;
    const answer = await this.#post("auth/reauthenticate", { password }, { Authorization: shown });
    const body = await answer.json();
    if (!answer.ok) return { problem: body };
    if (shown === own) this.adopt(body);
    return { token: body.access_token };
  }

  /** Keeps a token answer, wherever it came from. One without a refresh token is of the same session. */
  adopt(answer, remember = this.#remembered()) {
    this.#write(
      {
        user: answer.user ?? this.user,
        accessToken: answer.access_token,
        refreshToken: answer.refresh_token ?? this.#read()?.refreshToken,
        endsAt: Date.now() + answer.expires_in * 1000,
      },
      remember,
    );
    this.#changed();
  }

  /** Ends the session here and at the server. */
  async leave() {
    const kept = this.#read();
    this.#forget();
    if (kept) await this.#post("auth/logout", { refresh_token: kept.refreshToken }).catch(() => undefined);
  }

  /** An access token that is good for a while yet, or null for nobody. */
  async token() {
    const kept = this.#read();
    if (!kept) return null;
    if (kept.endsAt - Date.now() > EARLY_SECONDS * 1000) return kept.accessToken;
    return this.renew(kept.accessToken);
  }

  /** A token other than `spent`: another tab's, or one from the refresh token. Null if the session is over. */
  renew(spent) {
    // Refresh tokens are for one use: two tabs must not spend the same one.
    return navigator.locks.request(KEY, async () => {
      const kept = this.#read();
      if (!kept || kept.accessToken !== spent) return kept?.accessToken ?? null;
      const answer = await this.#refresh(kept);
      if (answer.status >= 500 || answer.status === 429) return kept.accessToken;
      if (answer.status === 409) return this.#fromOthers(kept);
      if (!answer.ok) {
        this.#forget();
        return null;
      }
      const body = await answer.json();
      this.adopt(body);
      this.#tabs.postMessage({ spent: kept.refreshToken, successor: this.#read() });
      return body.access_token;
    });
  }

  /** A tab that was duplicated has the same refresh token in a storage of its own: it takes the one that came after. */
  #follow({ spent, successor }) {
    if (this.#read()?.refreshToken !== spent) return;
    this.#write(successor, this.#remembered());
    this.#changed();
  }

  /** The access token that somebody else's refresh was given, who was quicker; the old one if it is not to be had. */
  async #fromOthers(kept) {
    for (let look = 0; look < OTHERS_LOOKS; look += 1) {
      const now = this.#read();
      if (now?.refreshToken !== kept.refreshToken) return now?.accessToken ?? null;
      await pause(500);
    }
    return kept.accessToken;
  }

  /** Asks again with the same key when the answer is lost: the server then gives the first answer once more. */
  async #refresh(kept) {
    const key = crypto.randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#post("auth/refresh", { refresh_token: kept.refreshToken }, { "Idempotency-Key": key });
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
