import { deadlines } from '../core/deadlines.ts';
import type { IssueRef, RepoRef } from '../core/issue.ts';
import { type ItemOf, issueKey } from '../core/record.ts';
import { settingsFor } from '../core/settings.ts';
import type { Stored } from '../ports.ts';
import { fail, hasTime, ofKind, type Tick } from './tick.ts';

const dayMs = 24 * 3_600_000;

/**
 * Once an hour: in-progress labels without a run are taken off, of closed issues as well, since a label is for people
 * and may not lie to them; and what was remembered of issues that nobody labelled for thirty days is forgotten. One
 * scan per 100 repos. Noted first as due again in a quarter of an hour, and whole once it came through.
 */
export const sweep = async (tick: Tick, repos: readonly ItemOf<'repo'>[], items: readonly Stored[]): Promise<void> => {
  const { store } = tick.ports;
  const now = tick.now();
  const stored = ofKind(items, 'sweep')[0];
  if (stored !== undefined && Math.abs(now - stored.item.at) < deadlines.sweepEveryMs) return;
  if (!hasTime(tick)) return;
  const begun: ItemOf<'sweep'> = { kind: 'sweep', at: now - deadlines.sweepEveryMs + deadlines.sweepAgainMs };
  const noted = stored === undefined ? await store.insert(begun) : await store.replace(stored, begun);
  if (noted === 'taken' || noted === 'lost') return;
  await sweepLabels(tick, repos, items);
  await forgetIssues(tick, repos, items);
  await warnOfToken(tick);
  for (const spend of ofKind(items, 'spend'))
    if (now - Date.parse(spend.item.date) > 7 * dayMs) await store.remove(spend);
  for (const day of ofKind(items, 'day')) if (now - Date.parse(day.item.date) > 7 * dayMs) await store.remove(day);
  const isThrough = hasTime(tick) && !tick.report.failed.some(({ what }) => what === failure);
  if (isThrough) await store.replace(noted, { kind: 'sweep', at: now });
};

/** What a failed part of it is called in the report. */
const failure = 'sweep';

const sweepLabels = async (tick: Tick, repos: readonly ItemOf<'repo'>[], items: readonly Stored[]): Promise<void> => {
  const { tracker } = tick.ports;
  const known = new Set([
    ...ofKind(items, 'run').map(({ item: { run } }) => issueKey(run.repo, run.issue.number)),
    ...ofKind(items, 'owed').map(({ item: { run } }) => issueKey(run.repo, run.issue.number)),
  ]);
  const labelOf = ({ name }: RepoRef): string => settingsFor(tick.settings, name).labels.inProgress;
  const refs = repos
    .filter(({ id }) => id !== '')
    .map(({ host, id, nodeId, name }): RepoRef => ({ host, id, nodeId, name }));
  for (const [label, group] of Map.groupBy(refs, labelOf)) {
    const shown = await tracker.scan(group, label, 'all').catch((error: unknown) => failed(tick, error));
    for (const repo of group.filter(({ id }) => (shown.find((one) => one.id === id)?.readyCount ?? 0) > 0)) {
      if (!hasTime(tick)) return;
      const { issues } = await tracker.listLabelled(repo, label).catch((error: unknown) => unlisted(tick, error));
      for (const issue of issues) {
        if (known.has(issueKey(repo, issue.number)) || (await hasRunNow(tick, repo, issue.number))) continue;
        await takeOff(tick, issue, label).catch((error: unknown) => failed(tick, error));
      }
    }
  }
};

const takeOff = async (tick: Tick, issue: IssueRef, label: string): Promise<void> => {
  await tick.ports.tracker.removeLabel(issue, label);
  const [repo, why] = [issue.repo.name, `${label} without a run`];
  tick.report.happened.push({ at: tick.now(), repo, issue: issue.number, run: null, what: 'swept', why });
};

/** T3's tokens cannot be renewed by themselves: said for a week before one ends. */
const warnOfToken = async (tick: Tick): Promise<void> => {
  try {
    const { tokenExpiresAt } = await tick.ports.executor.health();
    const leftMs = tokenExpiresAt === null ? null : tokenExpiresAt - tick.now();
    if (leftMs !== null && leftMs < 7 * dayMs)
      tick.report.failed.push({
        what: 'T3 token',
        reason: `it ends in ${Math.max(0, Math.floor(leftMs / dayMs))} days: mint a new one on the T3 host`,
      });
  } catch (error) {
    failed(tick, error);
  }
};

/**
 * A spent act is never forgotten while its label is on: the issue would run a second time. That it is off is told by a
 * whole list only; by one that is not, nothing is forgotten.
 */
const forgetIssues = async (tick: Tick, repos: readonly ItemOf<'repo'>[], items: readonly Stored[]): Promise<void> => {
  const old = ofKind(items, 'issue').filter(({ item }) => tick.now() - item.changedAt > 30 * dayMs);
  for (const [repoId, memories] of Map.groupBy(old, ({ item }) => item.repoId)) {
    const repo = repos.find(({ id }) => id === repoId);
    if (repo === undefined || !hasTime(tick)) continue;
    const { ready } = settingsFor(tick.settings, repo.name).labels;
    const labelled = await tick.ports.tracker
      .listLabelled(repo, ready)
      .catch((error: unknown) => unlisted(tick, error));
    for (const memory of memories) {
      if (labelled.issues.some(({ number }) => number === memory.item.number))
        await tick.ports.store.replace(memory, { ...memory.item, changedAt: tick.now() });
      else if (labelled.whole) await tick.ports.store.remove(memory);
    }
  }
};

/** The items were read before this tick dispatched: a run that began since has its label rightly. */
const hasRunNow = async (tick: Tick, repo: RepoRef, number: number): Promise<boolean> => {
  const { items } = await tick.ports.store.readNow();
  return items.some(
    ({ item }) =>
      (item.kind === 'run' || item.kind === 'owed') && item.run.repo.id === repo.id && item.run.issue.number === number,
  );
};

/** A list that could not be had: it shows no issue, and nothing by that. */
const unlisted = (tick: Tick, error: unknown) => ({ issues: failed(tick, error), whole: false });

const failed = (tick: Tick, error: unknown): never[] => {
  fail(tick.report, failure, error);
  return [];
};
