// A plain page to try operations with. Everything that comes from a server is shown as text.

const byId = (id) => document.getElementById(id);
const told = JSON.parse(byId("told").textContent);

const TYPE_REF = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
const SCHEMA_QUERY = `query Schema {
  __schema {
    types {
      kind
      name
      description
      fields(includeDeprecated: true) {
        name
        description
        args { name type { ${TYPE_REF} } }
        type { ${TYPE_REF} }
      }
      inputFields { name description type { ${TYPE_REF} } }
      enumValues { name description }
    }
  }
}`;

let types = [];
let running = null;

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function say(text, failed = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("failed", failed);
}

async function send(query, variables, signal) {
  const headers = {
    accept: "application/graphql-response+json, application/json;q=0.9",
    "content-type": "application/json",
  };
  const token = byId("token").value.trim();
  if (token) headers.authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query, variables });
  const answer = await fetch("/graphql", { method: "POST", headers, body, signal });
  return { status: answer.status, id: answer.headers.get("x-request-id"), body: await answer.json() };
}

function readVariables() {
  const text = byId("variables").value.trim();
  if (!text) return {};
  const value = JSON.parse(text);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new SyntaxError("it must be an object");
  }
  return value;
}

async function run() {
  let variables;
  try {
    variables = readVariables();
  } catch (error) {
    say(`The variables are not JSON: ${error.message}.`, true);
    byId("variables").focus();
    return;
  }
  running?.abort();
  const mine = (running = new AbortController());
  const began = performance.now();
  say("Running…");
  try {
    const answer = await send(byId("query").value, variables, mine.signal);
    const took = Math.round(performance.now() - began);
    byId("result").textContent = JSON.stringify(answer.body, null, 2);
    const failed = Boolean(answer.body.errors);
    say(`${answer.status} in ${took} ms, request ${answer.id}`, failed);
  } catch (error) {
    if (error.name !== "AbortError") say(`No answer: ${error.message}`, true);
  }
}

function chosenPerson() {
  return told.people[byId("person").selectedIndex];
}

function fillVariables() {
  const example = told.examples[byId("example").selectedIndex];
  if (!example) return;
  const account = byId("account").value;
  const filled = Object.entries(example.variables).map(([name, value]) =>
    value === "$account" && account ? [name, account] : [name, value],
  );
  byId("variables").value = JSON.stringify(Object.fromEntries(filled), null, 2);
}

function chooseExample() {
  const example = told.examples[byId("example").selectedIndex];
  if (!example) return;
  byId("query").value = example.query;
  fillVariables();
}

function choosePerson() {
  const person = chosenPerson();
  if (!person) return;
  byId("token").value = person.token;
  byId("account").replaceChildren(
    ...person.accounts.map((account) => {
      const option = element("option", account.name);
      option.value = account.id;
      return option;
    }),
  );
  fillVariables();
}

function spell(type) {
  if (type.kind === "NON_NULL") return `${spell(type.ofType)}!`;
  if (type.kind === "LIST") return `[${spell(type.ofType)}]`;
  return type.name;
}

function members(type) {
  const fields = (type.fields ?? type.inputFields ?? []).map((field) => {
    const args = (field.args ?? []).map((arg) => `${arg.name}: ${spell(arg.type)}`).join(", ");
    const signature = `${field.name}${args ? `(${args})` : ""}: ${spell(field.type)}`;
    return { name: field.name, signature, description: field.description };
  });
  const values = (type.enumValues ?? []).map((value) => ({
    name: value.name,
    signature: value.name,
    description: value.description,
  }));
  return [...fields, ...values];
}

function showType(type, needle) {
  const named = type.name.toLowerCase().includes(needle);
  const shown = members(type).filter((m) => named || m.name.toLowerCase().includes(needle));
  if (!named && shown.length === 0) return null;
  const list = element("ul", "");
  for (const member of shown) {
    const item = element("li", "", element("code", member.signature));
    if (member.description) item.append(element("p", member.description));
    list.append(item);
  }
  const details = element("details", "", element("summary", "", element("code", type.name)));
  if (type.description) details.append(element("p", type.description));
  details.append(list);
  details.open = needle !== "";
  return details;
}

function showTypes() {
  const needle = byId("search").value.trim().toLowerCase();
  const shown = types.map((type) => showType(type, needle)).filter(Boolean);
  const empty = types.length === 0 ? "The schema is not loaded yet." : "Nothing is named so.";
  byId("types").replaceChildren(...(shown.length ? shown : [element("p", empty)]));
}

async function loadSchema() {
  try {
    const answer = await send(SCHEMA_QUERY, {});
    const found = answer.body.data?.__schema.types;
    if (!found) throw new Error(answer.body.errors?.[0]?.message ?? `status ${answer.status}`);
    types = found
      .filter((type) => !type.name.startsWith("__"))
      .sort((a, b) => a.name.localeCompare(b.name));
    byId("load").hidden = true;
    showTypes();
  } catch (error) {
    say(`The schema could not be read: ${error.message}`, true);
  }
}

function indent(event) {
  // Tab stays the way out of the field, so that the keyboard is never caught in it.
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
  const field = event.target;
  const line = field.value.slice(0, field.selectionStart).split("\n").pop();
  const deeper = /[{([]\s*$/.test(line) ? "  " : "";
  event.preventDefault();
  field.setRangeText(
    `\n${line.match(/^\s*/)[0]}${deeper}`,
    field.selectionStart,
    field.selectionEnd,
    "end",
  );
}

function start() {
  byId("dev-banner").hidden = !told.dev;
  byId("example").replaceChildren(...told.examples.map((each) => element("option", each.name)));
  byId("person").replaceChildren(...told.people.map((each) => element("option", each.name)));
  for (const label of document.querySelectorAll(".dev-only")) {
    label.hidden = told.people.length === 0;
  }
  byId("example").addEventListener("change", chooseExample);
  byId("person").addEventListener("change", choosePerson);
  byId("account").addEventListener("change", fillVariables);
  byId("run").addEventListener("click", run);
  byId("load").addEventListener("click", loadSchema);
  byId("search").addEventListener("input", showTypes);
  byId("query").addEventListener("keydown", indent);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
  choosePerson();
  chooseExample();
  if (!byId("query").value) byId("query").value = "{\n  __typename\n}\n";
  showTypes();
  if (byId("token").value) loadSchema();
}

start();
