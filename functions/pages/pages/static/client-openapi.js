// The OpenAPI document as the page needs it: operations, their parameters, skeletons of their bodies.

const METHODS = ["get", "post", "put", "patch", "delete"];
const DEEPEST = 6; // a schema that refers to itself ends here

/** An OpenAPI 3.1 document, read. */
export class Document {
  constructor(source) {
    this.source = source;
    this.operations = [...this.#read()];
  }

  /** The operation of this method and path template, or undefined. */
  find(method, path) {
    return this.operations.find((each) => each.method === method && each.path === path);
  }

  *#read() {
    for (const [path, item] of Object.entries(this.source.paths)) {
      for (const method of METHODS.filter((each) => item[each])) {
        const operation = item[method];
        const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((each) => this.#resolve(each));
        const security = operation.security ?? this.source.security ?? [];
        const media = this.#media(this.#resolve(operation.requestBody)?.content);
        yield {
          method: method.toUpperCase(),
          path,
          summary: operation.summary ?? "",
          description: operation.description ?? "",
          tag: operation.tags?.[0] ?? "other",
          parameters: parameters.map((each) => ({ ...each, schema: this.#parameterSchema(each) })),
          secured: security.some((each) => Object.keys(each).length > 0),
          body: media && { schema: this.#resolve(media.schema) ?? {}, example: exampleOf(media) },
        };
      }
    }
  }

  /** The schema of a parameter, and of each of its items where it takes several, without references. */
  #parameterSchema(parameter) {
    const schema = this.#plain(parameter.schema);
    return schema.items ? { ...schema, items: this.#plain(schema.items) } : schema;
  }

  #media(content) {
    return content && (content["application/json"] ?? Object.values(content)[0]);
  }

  /** What a reference refers to; anything else as it is. */
  #resolve(value) {
    let found = value;
    while (found?.$ref) {
      found = found.$ref.slice(2).split("/").reduce((at, key) => at[key.replaceAll("~1", "/").replaceAll("~0", "~")], this.source);
    }
    return found;
  }

  /**
   * A body to start from. For a change an empty one; otherwise the operation's example or its required fields, with the
   * ids that responses have told: a made-up id would be refused.
   */
  skeleton(operation, ids) {
    if (operation.method === "PATCH" || operation.method === "PUT") return {};
    const schema = this.#plain(operation.body.schema);
    const body = operation.body.example ?? this.#value(schema, 0);
    const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
    return isObject ? ownValues({ ...body }, schema, ids) : body;
  }

  #value(schema, depth) {
    const meant = this.#plain(schema);
    if (this.#admitsNull(schema) && !meant.examples?.length && meant.example === undefined) return null;
    if (meant.examples?.length) return meant.examples[0];
    for (const key of ["example", "const", "default"]) if (meant[key] !== undefined) return meant[key];
    if (meant.enum) return meant.enum[0];
    const type = typeOf(meant);
    if (type === "object" || meant.properties) {
      if (depth > DEEPEST) return {};
      const required = new Set(meant.required ?? []);
      const shown = fillable(meant).filter(([name]) => required.has(name));
      return Object.fromEntries(shown.map(([name, each]) => [name, this.#value(each, depth + 1)]));
    }
    if (type === "array") return [];
    if (type === "integer" || type === "number") return meant.minimum ?? 0;
    return type === "boolean" ? false : "";
  }

  #admitsNull(schema) {
    const meant = this.#resolve(schema) ?? {};
    const choices = meant.anyOf ?? meant.oneOf ?? [meant];
    return choices.some((each) => [each.type].flat().includes("null"));
  }

  /** A schema without references, and of a choice those that are not null as one, with the formats of all. */
  #plain(schema) {
    const meant = this.#resolve(schema) ?? {};
    const choices = meant.anyOf ?? meant.oneOf;
    if (!choices) return meant;
    const chosen = choices.map((each) => this.#resolve(each)).filter((each) => each.type !== "null");
    const formats = chosen.map((each) => each.format).filter(Boolean);
    return Object.assign({}, ...chosen, formats.length ? { format: formats.join(" or ") } : {}, meant);
  }

  /** The fields of a body: `{name, type, required, meaning, choices, sample}`. */
  fields(operation) {
    const schema = this.#plain(operation.body.schema);
    const required = new Set(schema.required ?? []);
    return fillable(schema).map(([name, each]) => {
      const meant = this.#plain(each);
      const choices = meant.enum && [...meant.enum, ...(this.#admitsNull(each) ? [null] : [])];
      const meaning = each.description ?? meant.description ?? "";
      return { name, type: described(meant), required: required.has(name), meaning, choices, sample: name === "code" ? "" : this.#value(each, 0) };
    });
  }
}

/**
 * An example's id or code is nobody's, or is taken as soon as a second person sends it. Ids from responses take their
 * place; where there is none, an optional field is left out. A room is always put in.
 */
function ownValues(body, schema, ids) {
  for (const [name] of fillable(schema).filter(([each]) => each === "code" || each.endsWith("_id"))) {
    if (body[name] === "me") continue;
    const [latest] = ids.of(name);
    if (latest && (name in body || name === "room_id")) body[name] = latest;
    else if (!schema.required?.includes(name)) delete body[name];
    else body[name] = "";
  }
  return body;
}

/** The properties that somebody may fill in; the others may only be sent back as they are. */
function fillable(schema) {
  return Object.entries(schema.properties ?? {}).filter(([, each]) => !each.readOnly);
}

function exampleOf(media) {
  if (media.example !== undefined) return media.example;
  return Object.values(media.examples ?? {})[0]?.value;
}

function typeOf(schema) {
  return Array.isArray(schema.type) ? schema.type.find((each) => each !== "null") : schema.type;
}

function described(schema) {
  const limits = [
    schema.minLength !== undefined && `≥ ${schema.minLength}`,
    schema.maxLength !== undefined && `≤ ${schema.maxLength} characters`,
    schema.maxItems !== undefined && `≤ ${schema.maxItems} entries`,
    schema.minimum !== undefined && `≥ ${schema.minimum}`,
    schema.maximum !== undefined && `≤ ${schema.maximum}`,
  ].filter(Boolean);
  return [schema.format ?? typeOf(schema) ?? "any", ...limits].join(", ");
}
