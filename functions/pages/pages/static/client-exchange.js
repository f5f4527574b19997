// One request and its response.

/** The path of a request, below the API's root. */
export function filledPath(operation, values) {
  return operation.path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(values.path?.[name] ?? ""));
}

/**
 * What is to be sent, from the operation and what was filled in.
 * `values`: texts by `in` and name; an array parameter is given as texts with commas between them.
 */
export function build(operation, values, body, root) {
  const url = new URL(filledPath(operation, values).slice(1), root);
  const headers = {};
  for (const parameter of operation.parameters) {
    const value = values[parameter.in]?.[parameter.name] ?? "";
    if (value === "") continue;
    if (parameter.in === "header") headers[parameter.name] = value;
    if (parameter.in !== "query") continue;
    const several = parameter.schema.type === "array" ? value.split(",").map((each) => each.trim()) : [value];
    for (const each of several) url.searchParams.append(parameter.name, each);
  }
  const sent = body !== null && body.trim() !== "" ? body : null;
  if (sent !== null) headers["Content-Type"] = "application/json";
  return { method: operation.method, url, headers, body: sent };
}

/**
 * Sends it; with a session's token, renewed once if the server takes it no more, and once after the password was asked
 * for if the server wants a recent sign-in. `askForPassword`: resolves to another token, or to null if nobody would.
 */
export async function send(request, session, secured, askForPassword) {
  let token = secured ? await session.token() : null;
  let result = await once(request, token);
  const renew = () => session.renew(token);
  const remedies = {
    token_expired: renew,
    token_malformed: renew,
    token_revoked: renew,
    invalid_token: renew,
    reauthentication_required: askForPassword,
  };
  for (const [code, remedy] of Object.entries(remedies)) {
    if (token === null || result.status !== 401 || result.json?.code !== code) continue;
    token = await remedy();
    if (token !== null) result = await once(request, token);
  }
  return result;
}

async function once(request, token) {
  const started = performance.now();
  const answer = await fetch(request.url, {
    method: request.method,
    headers: { ...request.headers, ...authorization(token) },
    body: request.body,
    credentials: "omit",
    cache: "no-store",
  });
  const text = await answer.text();
  return {
    status: answer.status,
    reason: answer.statusText,
    milliseconds: Math.round(performance.now() - started),
    bytes: new TextEncoder().encode(text).length,
    headers: [...answer.headers],
    text,
    json: parsed(text),
  };
}

function authorization(token) {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The request as a command for a POSIX shell. */
export function curl(request, token) {
  const headers = { ...request.headers, ...authorization(token) };
  const parts = [`curl -i -X ${request.method} ${quoted(request.url.href)}`];
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (request.body !== null) parts.push(`--data-raw ${quoted(request.body)}`);
  return parts.join(" \\\n  ");
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
