import type { RepoName, RepoRef } from '../core/issue.ts';
import { allows, type Hold, holdOf, limitedUntil, type Need } from '../core/pace.ts';
import type { ItemOf } from '../core/record.ts';
import { type Forge, PortError, type Stored, type Tracker } from '../ports.ts';
import { inParallel, ofKind, type Tick } from './tick.ts';

/**
 * A tick that respects the tracker's limits: a call that may not be made now is refused before it is one, with the time
 * until when. The first limit an account meets is stored at once, and nothing more is asked of that account; others go
 * on. `owing` is the same tick for paying what is owed, where a look is part of a write. `isHeld`: some account may not
 * be asked everything now. `settle` ends the tick: it says what is held back, stores what is news, drops what is over.
 */
export const paced = (tick: Tick, items: readonly Stored[]): Paced => {
  const { tracker, forge } = tick.ports;
  const { meter } = tracker;
  const book = new Map<string, Account>();
  const accountOf = (name: string): Account => {
    const known = book.get(name);
    if (known !== undefined) return known;
    const fresh: Account = { name, stored: null, before: null, met: [], answered: false, writes: Promise.resolve() };
    book.set(name, fresh);
    return fresh;
  };
  for (const stored of ofKind(items, 'limit')) {
    const account = accountOf(stored.item.account);
    account.stored = stored;
    account.before = stored.item;
  }

  const holdNow = ({ name, stored, met }: Account): Hold | null =>
    holdOf(
      meter.budgets().filter((budget) => budget.account === name),
      stored === null ? met : [stored.item, ...met],
      tick.now(),
    );

  const keep = async (account: Account, hold: Hold, times: number): Promise<void> => {
    const { stored, name } = account;
    if (stored !== null && isSame(stored.item, hold)) return;
    const { may, until, why } = hold;
    const item = { kind: 'limit', account: name, may, until, why: why.slice(0, 400), times, at: tick.now() } as const;
    const { store } = tick.ports;
    const written = stored === null ? await store.insert(item) : await store.replace(stored, item);
    // Somebody else met a limit at the same time: theirs is as good.
    if (written !== 'taken' && written !== 'lost') account.stored = written;
  };

  const learn = async (account: Account, { notBefore, message }: PortError): Promise<void> => {
    const now = tick.now();
    // What several calls of one tick meet side by side is one limit.
    const last = account.before;
    const times = (last !== null && now - last.until < rowMs ? last.times : 0) + 1;
    const hold: Hold = { may: 'nothing', until: limitedUntil(notBefore, times, now), why: message };
    account.met.push(hold);
    // Stored before anything else happens, and once: calls that were under way meet the same limit.
    if (account.met.length === 1) await keep(account, hold, times);
  };

  const askNow = async <T>(account: Account, need: Need, call: () => Promise<T>): Promise<T> => {
    const hold = holdNow(account);
    if (hold !== null && !allows(hold, need)) throw withheld(hold);
    try {
      const answer = await call();
      account.answered = true;
      return answer;
    } catch (error) {
      if (error instanceof PortError && error.isLimit) await learn(account, error);
      throw error;
    }
  };

  const ask: Ask = (need, repo, call) => {
    const account = accountOf(meter.accountOf(repo));
    if (need !== 'write') return askNow(account, need, call);
    // A limit that the write before met holds this one back.
    const turn = account.writes.then(() => askNow(account, need, call));
    account.writes = turn.then(over, over);
    return turn;
  };

  /** One call for each account; those that fail or are held back are left out, unless all are. */
  const askEach = async <L, T>(
    need: Need,
    list: readonly L[],
    nameOf: (one: L) => RepoName,
    call: (part: readonly L[]) => Promise<T>,
  ): Promise<readonly T[]> => {
    const answers: T[] = [];
    const failures: PortError[] = [];
    const parts = Map.groupBy(list, (one) => meter.accountOf(nameOf(one))).values();
    await inParallel([...parts], accountsAtOnce, async (part) => {
      const [first] = part;
      if (first === undefined) return;
      try {
        answers.push(await ask(need, nameOf(first), () => call(part)));
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
        failures.push(error);
      }
    });
    const [failure] = failures;
    if (failure !== undefined && answers.length === 0) throw failure;
    return answers;
  };

  const portsFor = (look: Need): Tick['ports'] => ({
    ...tick.ports,
    tracker: pacedTracker(tracker, ask, askEach, look),
    forge: pacedForge(forge, ask),
  });

  const settle = async (): Promise<void> => {
    for (const budget of meter.budgets()) accountOf(budget.account);
    for (const account of book.values()) {
      const hold = holdNow(account);
      if (hold !== null) {
        await keep(account, hold, account.stored?.item.times ?? 0);
        say(tick, account.name, hold);
        continue;
      }
      const { stored } = account;
      // A limit that is over counts until the account answered again, or was asked nothing for long.
      if (stored !== null && (account.answered || Math.abs(tick.now() - stored.item.until) > rowMs))
        await tick.ports.store.remove(stored);
    }
  };

  return {
    tick: { ...tick, ports: portsFor('open run') },
    owing: { ...tick, ports: portsFor('write') },
    isHeld: () => [...book.values()].some((account) => holdNow(account) !== null),
    settle,
  };
};

export type Paced = { tick: Tick; owing: Tick; isHeld: () => boolean; settle: () => Promise<void> };

type Account = {
  name: string;
  stored: Stored<ItemOf<'limit'>> | null;
  /** The limit as this tick found it. */
  before: ItemOf<'limit'> | null;
  met: Hold[];
  answered: boolean;
  /** Over when the last write that was asked for is. */
  writes: Promise<void>;
};

const over = (): void => undefined;
type Ask = <T>(need: Need, repo: RepoName, call: () => Promise<T>) => Promise<T>;
type AskEach = <L, T>(
  need: Need,
  list: readonly L[],
  nameOf: (one: L) => RepoName,
  call: (part: readonly L[]) => Promise<T>,
) => Promise<readonly T[]>;

const accountsAtOnce = 4;

/** Limits further apart than this are no row. */
const rowMs = 2 * 3_600_000;

/** The same window is told with another second now and then. */
const isSame = (item: ItemOf<'limit'>, { may, until }: Hold): boolean =>
  item.may === may && Math.abs(item.until - until) <= 5_000;

const withheld = ({ until, why }: Hold): PortError =>
  new PortError('unavailable', `not asked before ${new Date(until).toISOString()}: ${why}`, {
    notBefore: until,
    isLimit: true,
  });

const say = ({ report }: Tick, account: string, { may, until, why }: Hold): void => {
  const at = new Date(until).toISOString();
  const what = {
    nothing: 'nothing is asked',
    'writes only': 'only what is owed is written',
    'open runs only': 'only open runs are looked at',
  };
  report.limits.push({ account, may, until, why });
  report.failed.push({ what: `limit of ${account}`, reason: `${what[may]} until ${at}: ${why}` });
  if (report.tick === 'poll') report.reason ??= `the tracker's limit: no new work before ${at}`;
};

const nameOf = ({ name }: RepoRef): RepoName => name;

const pacedTracker = (tracker: Tracker, ask: Ask, askEach: AskEach, look: Need): Tracker => ({
  meter: tracker.meter,
  resolve: (name) => ask('new work', name, () => tracker.resolve(name)),
  scan: async (repos, label, state) =>
    (await askEach('new work', repos, nameOf, (part) => tracker.scan(part, label, state))).flat(),
  listReady: (repo, readyLabel) => ask('new work', repo.name, () => tracker.listReady(repo, readyLabel)),
  detail: (issue, readyLabel) => ask('new work', issue.repo.name, () => tracker.detail(issue, readyLabel)),
  permission: (repo, login) => ask('new work', repo.name, () => tracker.permission(repo, login)),
  blockerStates: async (refs) => {
    const repoOf = (ref: string): RepoName => ref.slice(0, ref.lastIndexOf('#'));
    const parts = await askEach('new work', refs, repoOf, (part) => tracker.blockerStates(part));
    const states = new Map(parts.flatMap((part) => [...part]));
    return new Map(refs.map((ref) => [ref, states.get(ref) ?? 'unreadable']));
  },
  glance: async (issues) => {
    await askEach(
      'open run',
      issues,
      ({ repo }) => repo.name,
      (part) => tracker.glance(part),
    );
  },
  watch: (issue) => ask(look, issue.repo.name, () => tracker.watch(issue)),
  ensureMirror: (issue, mirror, commentId) =>
    ask('write', issue.repo.name, () => tracker.ensureMirror(issue, mirror, commentId)),
  listLabelled: (repo, label) => ask('new work', repo.name, () => tracker.listLabelled(repo, label)),
  removeLabel: (issue, label) => ask('write', issue.repo.name, () => tracker.removeLabel(issue, label)),
  preflight: (repo, branch, labels, rules) =>
    ask('new work', repo.name, () => tracker.preflight(repo, branch, labels, rules)),
});

const pacedForge = (forge: Forge, ask: Ask): Forge => ({
  landing: (repo, asked) => ask('open run', repo.name, () => forge.landing(repo, asked)),
  ci: (repo, asked) => ask('open run', repo.name, () => forge.ci(repo, asked)),
  elsewhere: (repo, asked) => ask('open run', repo.name, () => forge.elsewhere(repo, asked)),
  pull: (repo, asked) => ask('open run', repo.name, () => forge.pull(repo, asked)),
  said: (repo, asked) => ask('open run', repo.name, () => forge.said(repo, asked)),
});
