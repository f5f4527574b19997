// The dialog that asks for the password again, for what takes a recent sign-in (RFC 9470).

import { element } from "./view.js";

/**
 * Asks until the password is accepted or the dialog is closed.
 * `reauthenticate(password)`: resolves to null, or to the problem document that says why not.
 * Resolves to whether the password was accepted.
 */
export function askForPassword(reauthenticate) {
  const title = element("h2", { id: "password-again-title" }, "Confirm your password");
  const password = element("input", { type: "password", autocomplete: "current-password", required: true });
  const error = element("p", { className: "error", role: "alert" });
  const cancel = element("button", { type: "button" }, "Cancel");
  const form = element(
    "form",
    { method: "dialog" },
    title,
    element("p", {}, "This request needs a recent sign-in. It is sent again with the confirmed one."),
    element("label", {}, "Your password ", password),
    error,
    element("div", { className: "actions" }, element("button", { type: "submit", className: "primary" }, "Confirm"), cancel),
  );
  const dialog = element("dialog", { className: "dialog", "aria-labelledby": title.id }, form);
  let accepted = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.textContent = "";
    try {
      const problem = await reauthenticate(password.value);
      accepted = problem === null;
      if (accepted) dialog.close();
      else error.textContent = problem.detail;
    } catch (failure) {
      error.textContent = `No response: ${failure.message}`;
    }
  });
  cancel.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      done(accepted);
    });
  });
}
