import { ageOf } from '../core/age.ts';
import { deadlines } from '../core/deadlines.ts';
import type { RepoName, RepoRef } from '../core/issue.ts';
import { type ItemOf, keyOf } from '../core/record.ts';
import { comparable, ownerOf } from '../core/repo-name.ts';
import { type RepoSettings, settingsFor } from '../core/settings.ts';
import { type ExecutorLook, PortError, type Stored } from '../ports.ts';
import { ensureProject, noCheckout } from './obey.ts';
import { fail, hasTime, ofKind, type Tick } from './tick.ts';

type StoredRepo = Stored<ItemOf<'repo'>>;

/** New and re-checked repos per tick: enrolling a thousand at once takes some minutes, not one endless tick. */
const perTickMax = 20;

/**
 * The enrolled repos as they are known, those due for it resolved and preflighted first; those no longer enrolled are
 * forgotten. A name that resolves to nothing stays known as such for a while, so that it costs no request a tick.
 */
export const enrolledRepos = async (
  tick: Tick,
  { meant, enrolled }: { meant: readonly RepoName[]; enrolled: Enrolled },
  items: readonly Stored[],
): Promise<readonly ItemOf<'repo'>[]> => {
  const known = new Map(ofKind(items, 'repo').map((stored) => [stored.item.name, stored]));
  const wanted = new Set(meant);
  for (const [name, stored] of known) if (!wanted.has(name)) await tick.ports.store.remove(stored);
  const due = meant.filter((name) => isDue(tick, known.get(name)?.item));
  const checked = await preflightEach(tick, due, { known, enrolled });
  return meant.flatMap((name) => checked.get(name) ?? known.get(name)?.item ?? []);
};

/** All names of the allowlist, in the form they are compared in: a tick may be meant for one of them alone. */
export type Enrolled = ReadonlySet<RepoName>;

/** Known by a name that is not its own any more, while its own was not enrolled. */
export const isFormerName = (name: RepoName, now: RepoName, enrolled: Enrolled): boolean =>
  comparable(now) !== comparable(name) && !enrolled.has(comparable(now));

/**
 * Repos that a scan did not show, or showed to be switched off or renamed, each looked at alone and long before it is
 * due: what is amiss is parked by its preflight, and what cannot be asked is named in the report. One scan proves nothing.
 * What was parked, or looked at in this very tick, is not again.
 */
export const preflightAgain = async (
  tick: Tick,
  { amiss, enrolled }: { amiss: readonly ItemOf<'repo'>[]; enrolled: Enrolled },
  items: readonly Stored[],
): Promise<void> => {
  const known = new Map(ofKind(items, 'repo').map((stored) => [stored.item.name, stored]));
  const unsaid = amiss.filter((item) => known.get(item.name)?.item === item && item.preflight.failures.length === 0);
  await preflightEach(
    tick,
    unsaid.map(({ name }) => name),
    { known, enrolled },
  );
};

/**
 * One after the other, as many as a tick does. What is down, hangs or limits us for one repo does so for all of its
 * owner, so those are put off at once, and after a few refusals: one owner's trouble must not take up everybody's tick.
 */
const preflightEach = async (
  tick: Tick,
  names: readonly RepoName[],
  { known, enrolled }: { known: ReadonlyMap<string, StoredRepo>; enrolled: Enrolled },
): Promise<ReadonlyMap<string, ItemOf<'repo'>>> => {
  const checked = new Map<string, ItemOf<'repo'>>();
  const refusals = new Map<string, number>();
  const limited = new Set<string>();
  const putOff: RepoName[] = [];
  let asked = 0;
  for (const name of inTurn(tick, names)) {
    if (asked === perTickMax || !hasTime(tick)) break;
    const owner = ownerOf(name);
    if (limited.has(owner)) continue;
    const refused = refusals.get(owner) ?? 0;
    if (refused >= refusalsMax) {
      putOff.push(name);
      continue;
    }
    asked += 1;
    try {
      const item = await preflighted(tick, name, { stored: known.get(name), enrolled });
      if (item !== null) checked.set(name, item);
    } catch (error) {
      fail(tick.report, `preflight of ${name}`, error);
      if (error instanceof PortError && error.isLimit) limited.add(owner);
      const isItsOwn = error instanceof PortError && error.kind === 'refused';
      refusals.set(owner, isItsOwn ? refused + 1 : refusalsMax);
    }
  }
  if (putOff.length > 0)
    tick.report.failed.push({
      what: `preflight of ${some(putOff)}`,
      reason: 'put off, since others of the same owner could not be asked',
    });
  return checked;
};

/** A refusal may be about one repo; so many of one owner's are about the owner. */
const refusalsMax = 3;

/** Others first in each minute, each at some time: what fails without a word to remember stays due, and would keep the rest out for ever. */
const inTurn = (tick: Tick, names: readonly RepoName[]): readonly RepoName[] => {
  if (names.length === 0) return names;
  const minute = Math.floor(tick.now() / 60_000);
  const step = names.length > perTickMax ? perTickMax : 1;
  const from = (minute * step + Math.floor(minute / names.length)) % names.length;
  return [...names.slice(from), ...names.slice(0, from)];
};

const some = (names: readonly RepoName[]): string => {
  const rest = names.length - namedMax;
  return rest > 0 ? `${names.slice(0, namedMax).join(', ')} and ${rest} more` : names.join(', ');
};

const namedMax = 10;

const isDue = (tick: Tick, item: ItemOf<'repo'> | undefined): boolean => {
  if (item === undefined) return true;
  const { at, failures, landing } = item.preflight;
  // What the branch's rules allow was judged for the other way of landing.
  if (landing !== settingsFor(tick.settings, item.name).landing) return true;
  return ageOf(at, tick.now()) >= (failures.length > 0 ? deadlines.refusalMs : deadlines.preflightEveryMs);
};

/** Null where somebody else wrote at the same time. */
const preflighted = async (
  tick: Tick,
  name: RepoName,
  { stored, enrolled }: { stored: StoredRepo | undefined; enrolled: Enrolled },
): Promise<ItemOf<'repo'> | null> => {
  const item = await preflightOf(tick, name, { before: stored?.item, enrolled });
  const written = await kept(tick, stored, item);
  for (const failure of item.preflight.failures)
    tick.report.failed.push({ what: `preflight of ${name}`, reason: failure });
  return written === 'taken' || written === 'lost' ? null : item;
};

/** Of a name that resolved to nothing the host was not known, which is part of the key: found at last, it has another. */
const kept = async (
  { ports: { store } }: Tick,
  stored: StoredRepo | undefined,
  item: ItemOf<'repo'>,
): Promise<StoredRepo | 'taken' | 'lost'> => {
  if (stored !== undefined && keyOf(stored.item) === keyOf(item)) return store.replace(stored, item);
  if (stored !== undefined) await store.remove(stored);
  return store.insert(item);
};

const preflightOf = async (
  tick: Tick,
  name: RepoName,
  { before, enrolled }: { before: ItemOf<'repo'> | undefined; enrolled: Enrolled },
): Promise<ItemOf<'repo'>> => {
  const { tracker } = tick.ports;
  // Once known, a repo is its id: a name that now belongs to another one is not followed.
  const found = before?.id ? await known(tick, before) : await tracker.resolve(name);
  const at = tick.now();
  if (found === null) {
    const failure = `the tracker shows no repo ${name} to this token: check the name, and what the token or the App's installation may see`;
    return {
      kind: 'repo',
      host: before?.host ?? '',
      name,
      id: before?.id ?? '',
      nodeId: before?.nodeId ?? '',
      defaultBranch: before?.defaultBranch ?? '',
      preflight: { at, failures: [failure], landing: settingsFor(tick.settings, name).landing },
    };
  }
  const { repo, defaultBranch } = found;
  // By the name as the tracker spells it, as every turn will: the checkout's path is made of it.
  const settings = settingsFor(tick.settings, repo.name);
  const failures = isFormerName(name, repo.name, enrolled)
    ? [await whyRenamed(tick, name, repo)]
    : [
        ...(await tracker.preflight(repo, defaultBranch ?? '', Object.values(settings.labels), settings)),
        ...(await checkoutTrouble(tick, repo, settings, await tick.ports.executor.look())),
      ];
  return {
    kind: 'repo',
    host: repo.host,
    name,
    id: repo.id,
    nodeId: repo.nodeId,
    defaultBranch: defaultBranch ?? '',
    preflight: {
      at,
      failures: failures.map((failure) => failure.slice(0, 300)).slice(0, 10),
      landing: settings.landing,
    },
  };
};

const known = async (
  tick: Tick,
  { host, id, nodeId, name, defaultBranch }: ItemOf<'repo'>,
): Promise<{ repo: RepoRef; defaultBranch: string } | null> => {
  const repo = { host, id, nodeId, name };
  const [scan] = await tick.ports.tracker.scan([repo], settingsFor(tick.settings, name).labels.ready);
  return scan === undefined
    ? null
    : { repo: { ...repo, name: scan.name }, defaultBranch: scan.defaultBranch?.name ?? defaultBranch };
};

/** Nothing is set up in a repo by a name that is not its own; and who took that name over was never enrolled. */
const whyRenamed = async ({ ports }: Tick, name: RepoName, { id, name: now }: RepoRef): Promise<string> => {
  const other = await ports.tracker.resolve(name);
  return other === null || other.repo.id === id
    ? `renamed to ${now}: enrol that name`
    : `${name} is another repo now, and the one that was enrolled is called ${now}: take ${name} off the allowlist, and put it on again a few minutes later`;
};

const checkoutTrouble = async (
  tick: Tick,
  repo: RepoRef,
  settings: RepoSettings,
  look: ExecutorLook,
): Promise<readonly string[]> => {
  // Drawn for this one question: a project made here is found by its root ever after.
  const project = await ensureProject(tick, { id: tick.newRunId(), repo: repo.name }, look, settings);
  if (project === 'no checkout') return [noCheckout(settings)];
  return project === 'refused' ? [`T3 refuses a project at ${settings.workspaceRoot}: look at its log`] : [];
};
