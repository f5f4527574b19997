// The API's description as the viewer is to show it: shorter, with the address of this server, and without values that
// nobody has chosen.

const PROBLEM = "application/problem+json";

/** A copy of the OpenAPI document. `root`: the URL below which the API is. */
export function prepared(description, root) {
  const copy = structuredClone(description);
  copy.servers = [{ url: root.href.replace(/\/$/, "") }];
  for (const each of Object.values(copy.components.parameters ?? {})) leaveEmpty(each);
  for (const item of Object.values(copy.paths)) {
    for (const operation of Object.values(item)) {
      operation.parameters?.forEach(leaveEmpty);
      operation.responses = Object.fromEntries(
        Object.entries(operation.responses).map(([status, response]) => [status, brief(response, copy)]),
      );
    }
  }
  return copy;
}

/** The problems of the document: `{status, title, problems: [{code, meaning, example}]}`, each code once for its status. */
export function problems(description) {
  return Object.values(description.components.responses)
    .filter((each) => each.content?.[PROBLEM])
    .map((response) => {
      const all = Object.entries(response.content[PROBLEM].examples ?? {}).map(([code, given]) => {
        const { value } = resolved(given, description);
        return { code, meaning: value.detail, example: value };
      });
      return { status: all[0]?.example.status, title: all[0]?.example.title, problems: all };
    })
    .filter((each) => each.problems.length > 0);
}

/** The address of a code within the page. */
export function anchor(code) {
  return `problem-${code}`;
}

/** The viewer would fill examples and defaults of optional parameters in, and so send what nobody has chosen. */
function leaveEmpty(parameter) {
  if (parameter.required || parameter.$ref) return;
  const schema = parameter.schema ?? {};
  const example = parameter.example ?? Object.values(parameter.examples ?? {})[0]?.value ?? schema.example ?? schema.examples?.[0];
  const notes = [];
  if (example !== undefined) notes.push(`For example \`${example}\`.`);
  if (schema.default !== undefined && schema.default !== null) notes.push(`Otherwise \`${schema.default}\`.`);
  parameter.description = [parameter.description, ...notes].filter(Boolean).join(" ");
  for (const key of ["example", "examples"]) delete parameter[key];
  for (const key of ["example", "examples", "default"]) delete schema[key];
}

/** A problem only by its codes, with links to the one place that explains them. Other responses without links for tools. */
function brief(response, description) {
  const meant = resolved(response, description);
  if (meant.content?.[PROBLEM]) {
    const codes = (response.description ?? "").match(/[a-z]+(?:_[a-z0-9]+)*(?=`)/g) ?? Object.keys(meant.content[PROBLEM].examples ?? {});
    return { description: codes.map((code) => `[\`${code}\`](#${anchor(code)})`).join(" ") };
  }
  const { links, ...rest } = response;
  return rest;
}

function resolved(value, description) {
  if (!value.$ref) return value;
  return value.$ref
    .slice(2)
    .split("/")
    .reduce((at, key) => at[key], description);
}
