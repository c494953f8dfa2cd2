// All sessions: who needs a person, what runs, what is done. Asks for the list while it is seen.

import { ApiProblem, call, signedIn } from "/page/api.js";
import { Banner } from "/page/banner.js";
import { Composer } from "/page/compose.js";
import { KeyedList, button, el, say, show } from "/page/dom.js";
import { pause } from "/page/pausing.js";
import { parts } from "/page/problem.js";
import { Row, groupOf } from "/page/row.js";

const LOOK_MS = 2_000;
const PAGE = 50;
const MOST = 200;
const GROUPS = [["needs", "Needs you"], ["running", "Running"], ["done", "Done"]];

export class ListView {
  /** `go(path)` shows another view. */
  constructor(go) {
    this.ending = new AbortController();
    this.wanted = PAGE;
    this.banner = new Banner();
    this.composer = new Composer(go);
    this.groups = GROUPS.map(([name, title]) => group(name, title));
    this.empty = el("div.welcome", { hidden: true },
      el("p", {}, "No sessions yet. Write a task above and name a repository: ",
        "a path on the machine of the gateway, or an https address."),
      el("p", {}, "Or from a terminal, in a repository: ", el("code", {}, 'overnight run "Fix the failing test"')));
    this.more = button("button.older", "Show more", () => this.showMore(), { hidden: true });
    this.element = el("div.view.list-view", {}, this.banner.element,
      el("main", {}, el("h1.unseen", {}, "Sessions"), this.composer.element, this.empty,
        ...this.groups.map((each) => each.element), this.more));
    document.title = "Sessions · Overnight";
    this.run();
  }

  close() {
    this.ending.abort();
    this.composer.close();
  }

  focusComposer() {
    this.composer.focus();
  }

  /** Move the focus by so many rows. */
  move(steps) {
    const links = [...this.element.querySelectorAll("a.row")];
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (steps > 0 ? 0 : links.length - 1) : at + steps;
    links[Math.max(0, Math.min(links.length - 1, next))]?.focus();
  }

  async run() {
    const { signal } = this.ending;
    do {
      if (!document.hidden) await this.look(signal);
    } while (await pause(LOOK_MS, signal));
  }

  async look(signal) {
    try {
      const asks = call("GET", `/sessions?limit=${PAGE}&phase=asking`, undefined, { signal });
      const [pages, asking] = await Promise.all([this.pages(signal), asks]);
      if (signal.aborted) return;
      const found = new Map([...pages, ...asking.data].map((session) => [session.id, session]));
      this.draw([...found.values()]);
      this.banner.clear();
    } catch (problem) {
      if (signal.aborted) return;
      // Whatever it was, the list is asked for again.
      if (!(problem instanceof ApiProblem)) console.warn(problem);
      await this.refuse(problem);
    }
  }

  /** A list that cannot be read now stays as it was, and says so. */
  async refuse(problem) {
    if (problem.status === 401) return signedIn(this.ending.signal);
    if (problem.isPassing) this.banner.say("lost", "The gateway does not answer. Trying again …");
    else this.banner.element.replaceChildren(...parts(problem));
    show(this.banner.element, true);
  }

  async pages(signal) {
    const found = [];
    let cursor = null;
    do {
      const limit = Math.min(MOST, this.wanted - found.length);
      const from = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
      const page = await call("GET", `/sessions?limit=${limit}${from}`, undefined, { signal });
      found.push(...page.data);
      cursor = page.next_cursor;
      this.hasMore = page.has_more;
    } while (cursor && found.length < this.wanted);
    return found;
  }

  draw(sessions) {
    show(this.empty, sessions.length === 0);
    show(this.more, Boolean(this.hasMore));
    for (const each of this.groups) {
      each.update(sessions.filter((session) => groupOf(session) === each.name));
    }
    this.composer.know(sessions);
  }

  async showMore() {
    this.wanted += PAGE;
    await this.look(this.ending.signal);
  }
}

function group(name, title) {
  const number = el("span.number");
  const rows = el("ul.rows");
  const heading = el("h2", { id: `group-${name}` }, title, " ", number);
  const element = el(`section.group.${name}`, { hidden: true, "aria-labelledby": heading.id }, heading, rows);
  const list = new KeyedList(rows, (item) => new Row(item.session));
  function update(sessions) {
    show(element, sessions.length > 0);
    say(number, String(sessions.length));
    list.update(sessions.map((session) => ({ key: session.id, session })));
  }
  return { name, element, update };
}
