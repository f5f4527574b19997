// Ids seen in responses, so that nobody has to copy them into the next request.

const OWNERS = { rooms: "room_id", tasks: "task_id", users: "user_id", sessions: "session_id" };
const MOST = 20;

export class Ids {
  #seen = new Map();

  /** Collects the ids in a successful response to a request of this path, and drops that of what was deleted. */
  learn(method, path, json) {
    const parts = path.split("/");
    if (method === "DELETE") this.#drop(decodeURIComponent(parts.at(-1)));
    this.#visit(json, OWNERS[parts.findLast((part) => part in OWNERS)]);
  }

  /** Values for a parameter of this name, the latest first. */
  of(name) {
    return this.#seen.get(name) ?? [];
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
