// The sign-in page: asks, keeps the session, and leads to where the visitor was going.

import { call } from "./api.js";
import { handleForm, handleReveals } from "./forms.js";
import * as session from "./session.js";
import { showToast } from "./toasts.js";

const form = document.getElementById("login-form");

handleReveals(form);
handleForm(form, {
  check({ email, password }) {
    const faults = {};
    if (email.trim() === "") faults.email = "Enter your e-mail address.";
    if (password === "") faults.password = "Enter your password.";
    return faults;
  },
  async send({ email, password }) {
    session.keep(await call("POST", "/users/login", { body: { email: email.trim(), password }, quiet: true }));
    location.assign(session.nextPlace());
  },
  busyText: "Signing in…",
  errorWords: { 401: "The e-mail address or the password is wrong." },
});

const notice = session.takeNotice();
if (notice) showToast(notice.level, notice.text);
offerWayOn();
keepNext();

function offerWayOn() {
  const user = session.readUser();
  if (user === null || session.readToken() === null) return;
  const place = document.getElementById("signed-in");
  const link = document.createElement("a");
  link.href = session.nextPlace();
  link.textContent = "Go on to your pages";
  place.append(`You are signed in as ${user.full_name}. `, link);
  place.hidden = false;
}

function keepNext() {
  for (const link of document.querySelectorAll("[data-keep-next]")) link.search = location.search;
}
