// Entity tags of the resources in this tab's responses, for If-Match.

export class Tags {
  #known = new Map(); // by path, as below the API's root

  /** The entity tag that the resource at this path had last, or "". */
  of(path) {
    return this.#known.get(path) ?? "";
  }

  /**
   * Learns from a successful request. One that changes something changes the resources above it, too: their tags are
   * forgotten, for an old one would be refused.
   */
  learn(method, path, result) {
    if (method !== "GET") this.#forget(path);
    const tag = result.headers.find(([name]) => name.toLowerCase() === "etag")?.[1];
    if (!tag || tag.startsWith("W/")) return; // a weak one never matches (RFC 9110 §13.1.1)
    const [, collection] = path.split("/");
    const id = result.json?.id;
    // A POST answers with the resource that it made or changed, and `me` stands for an id.
    for (const each of [...(method === "POST" ? [] : [path]), ...(id ? [`/${collection}/${id}`] : [])]) this.#known.set(each, tag);
  }

  #forget(path) {
    for (const each of this.#known.keys()) if (path === each || path.startsWith(`${each}/`)) this.#known.delete(each);
  }
}
