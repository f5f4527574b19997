// Who is signed in, in the header of each page, and the dialog to sign in or to register.

import { element } from "./view.js";

const MODES = {
  login: { title: "Sign in", enter: "Enter signs in.", other: "register", autocomplete: "current-password" },
  register: { title: "Register", enter: "Enter registers.", other: "login", autocomplete: "new-password" },
};

/** Shows in `place` who is signed in, with the buttons to change that. */
export function showAccount(place, session) {
  const who = element("p", { className: "who", role: "status" });
  const signIn = element("button", { type: "button", onclick: () => openDialog(session, "login") }, "Sign in");
  const register = element("button", { type: "button", onclick: () => openDialog(session, "register") }, "Register");
  const signOut = element("button", { type: "button", onclick: leave }, "Sign out");

  function leave() {
    session.leave();
    signIn.focus(); // the button that had the focus is gone
  }

  function update() {
    const user = session.user;
    who.textContent = user ? `Signed in as ${user.username ?? user.email}` : "Not signed in";
    signIn.hidden = register.hidden = user !== null;
    signOut.hidden = user === null;
  }

  place.replaceChildren(who, signIn, register, signOut);
  session.addEventListener("change", update);
  update();
}

/** One dialog with one button that submits, so that Enter does what the title says. */
function openDialog(session, first) {
  let mode = first;
  const title = element("h2", { id: "sign-in-title" });
  const identifier = element("input", { autocomplete: "username", autocapitalize: "off", spellcheck: false, required: true });
  const password = element("input", { type: "password", required: true, "aria-describedby": "sign-in-hint" });
  const remember = element("input", { type: "checkbox" });
  const hint = element("p", { id: "sign-in-hint", className: "hint" });
  const error = element("p", { className: "error", role: "alert" });
  const submit = element("button", { type: "submit", className: "primary" });
  const other = element("button", { type: "button", className: "quiet" });
  const cancel = element("button", { type: "button" }, "Cancel");
  const form = element(
    "form",
    { method: "dialog" },
    title,
    element("label", {}, "Username or e-mail ", identifier),
    element("label", {}, "Password ", password),
    element("label", { className: "inline" }, remember, " Stay signed in after this tab is closed"),
    hint,
    error,
    element("div", { className: "actions" }, submit, cancel, other),
  );
  const dialog = element("dialog", { className: "dialog", "aria-labelledby": title.id }, form);

  function show() {
    const shown = MODES[mode];
    title.textContent = submit.textContent = shown.title;
    hint.textContent = shown.enter;
    password.autocomplete = shown.autocomplete;
    other.textContent = mode === "login" ? "No account yet? Register" : "Registered already? Sign in";
    error.textContent = "";
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.textContent = "";
    try {
      const problem = await session.enter(mode, identifier.value.trim(), password.value, remember.checked);
      if (problem === null) dialog.close();
      else error.textContent = (problem.errors?.map((each) => each.detail) ?? [problem.detail]).join(" ");
    } catch (failure) {
      error.textContent = `No response: ${failure.message}`;
    }
  });
  other.addEventListener("click", () => {
    mode = MODES[mode].other;
    show();
    identifier.focus();
  });
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  show();
  document.body.append(dialog);
  dialog.showModal();
}
