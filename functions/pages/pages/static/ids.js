// Ids seen in responses, so that nobody has to copy them into the next request.

// What is in the trash can be restored and purged, and nothing else.
const TRASHED = "trashed task_id";
// By the last part of a path that is here, what `id` is in its response; of an entry of an audit trail, nothing to use.
const OWNERS = { rooms: "room_id", tasks: "task_id", users: "user_id", sessions: "session_id", trash: TRASHED, activity: undefined };
const MOST = 20;

export class Ids {
  #seen = new Map();

  /** Collects the ids in a successful response to a request of this path, and drops that of what was deleted. */
  learn(method, path, json) {
    const parts = path.split("/").map(decodeURIComponent);
    const restored = parts.at(-1) === "restore";
    if (method === "DELETE" || restored) this.#drop(parts.at(restored ? -2 : -1));
    if (method === "DELETE" && parts.at(-2) === "tasks") this.#add(TRASHED, parts.at(-1));
    this.#visit(json, OWNERS[parts.findLast((part) => part in OWNERS)]);
  }

  /** Values for a parameter of this name, the latest first. `path`: of the operation, as the description has it. */
  of(name, path = "") {
    const inTrash = name === "task_id" && /\/(trash\/\{task_id\}|restore)$/.test(path);
    return this.#seen.get(inTrash ? TRASHED : name) ?? [];
  }

  #drop(id) {
    for (const [name, all] of this.#seen) this.#seen.set(name, all.filter((each) => each !== id));
  }

  #visit(value, own) {
    if (Array.isArray(value)) {
      // The first of a list is the one most often meant, so it is learned last.
      for (const each of [...value].reverse()) this.#visit(each, own);
      return;
    }
    if (typeof value !== "object" || value === null) return;
    for (const [name, each] of Object.entries(value)) {
      if (Object.values(OWNERS).includes(name)) this.#add(name, each);
      else if (name === "id") this.#add(own, each);
      else if (typeof each === "object") this.#visit(each, OWNERS[name] ?? OWNERS[`${name}s`] ?? own);
    }
  }

  #add(name, value) {
    if (name === undefined || typeof value !== "string") return;
    const others = this.of(name).filter((each) => each !== value);
    this.#seen.set(name, [value, ...others].slice(0, MOST));
  }
}
