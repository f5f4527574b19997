// The requests of this tab, newest first.

const KEY = "tasksync.history";
const MOST = 50;
const SECRET = new Set(["password", "current_password", "new_password", "refresh_token"]);

export class History {
  /** Entries: `{at, method, path, values, body, status, milliseconds}`. */
  get entries() {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  }

  add(entry) {
    const stored = [{ ...entry, body: withoutSecrets(entry.body) }, ...this.entries].slice(0, MOST);
    sessionStorage.setItem(KEY, JSON.stringify(stored));
  }

  clear() {
    sessionStorage.removeItem(KEY);
  }
}

/** Passwords and refresh tokens are not stored, also not in a body that is not valid JSON. */
function withoutSecrets(body) {
  if (body === null) return null;
  try {
    return JSON.stringify(JSON.parse(body, (name, value) => (SECRET.has(name) ? "" : value)), null, 2);
  } catch {
    return [...SECRET].some((name) => body.includes(name)) ? "" : body;
  }
}
