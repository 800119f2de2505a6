import type { IssueRef, RepoName, RepoRef } from '../core/issue.ts';
import { ownerOf } from '../core/repo-name.ts';
import { type Forge, PortError, type Tracker, type WatchedIssue } from '../ports.ts';
import { type GithubApp, NotInstalled } from './github-app.ts';
import type { GithubClient } from './github-client.ts';
import { githubForge } from './github-forge.ts';
import { chunks, pageSize, pagesAtOnce } from './github-scan.ts';
import { githubTracker } from './github-tracker.ts';
import type { WatchMemory } from './github-watched.ts';

/**
 * The tracker over the installations of an App: every call goes through the client of its repo's owner. What is asked
 * of several owners is asked of each by itself, and one that fails leaves out its own repos only; where all fail, the
 * first failure is thrown.
 */
export const installationsTracker = (app: GithubApp, watched: WatchMemory): Tracker => {
  const trackerOn = (client: GithubClient): Tracker => githubTracker({ client, watched });
  const by = async (name: RepoName): Promise<Tracker> => trackerOn(await app.clientFor(name));
  const of = (repo: RepoRef): Promise<Tracker> => by(app.nameNow(repo));
  return {
    meter: app.meter,
    resolve: async (name) => {
      try {
        return await (await by(name)).resolve(name);
      } catch (error) {
        if (error instanceof NotInstalled) return null;
        throw error;
      }
    },
    scan: async (repos, label, state) =>
      (
        await eachOwner(
          repos,
          ({ name }) => name,
          async (part) =>
            trackerOn(
              await clientForSome(
                app,
                part.map(({ name }) => name),
              ),
            ).scan(part, label, state),
        )
      ).flat(),
    listReady: async (repo, readyLabel) => (await of(repo)).listReady(repo, readyLabel),
    detail: async (issue, readyLabel) => {
      // A public repo can be read by every installation; work is done only where this App is wanted.
      return trackerOn(await app.clientNow(issue.repo.name)).detail(issue, readyLabel);
    },
    permission: async (repo, login) => (await of(repo)).permission(repo, login),
    blockerStates: async (refs) => {
      const repoOf = (ref: string): RepoName => ref.slice(0, Math.max(0, ref.lastIndexOf('#')));
      const parts = await eachOwner(refs, repoOf, async (part) =>
        trackerOn(await clientForSome(app, part.map(repoOf))).blockerStates(part),
      );
      const states = new Map(parts.flatMap((part) => [...part]));
      return new Map(refs.map((ref) => [ref, states.get(ref) ?? 'unreadable']));
    },
    glance: async (issues) => {
      const nameOf = ({ repo }: IssueRef): RepoName => app.nameNow(repo);
      await eachOwner(issues, nameOf, async (part) =>
        trackerOn(await clientForSome(app, part.map(nameOf))).glance(part),
      );
    },
    watch: async (issue) => {
      const name = app.nameNow(issue.repo);
      const client = await app.clientFor(name);
      const found =
        (await trackerOn(client).watch(issue)) ?? (await watchElsewhere(app, trackerOn, issue, name, client));
      if (found !== null) app.learnName(issue.repo, found.repoName);
      return found;
    },
    ensureMirror: async (issue, mirror, commentId) => (await of(issue.repo)).ensureMirror(issue, mirror, commentId),
    listLabelled: async (repo, label) => (await of(repo)).listLabelled(repo, label),
    removeLabel: async (issue, label) => (await of(issue.repo)).removeLabel(issue, label),
    preflight: async (repo, branch, labels, rules) => {
      try {
        const client = await app.clientNow(repo.name);
        return await trackerOn(client).preflight(repo, branch, labels, rules);
      } catch (error) {
        if (error instanceof NotInstalled) return [error.message];
        throw error;
      }
    },
  };
};

/** An issue that is not to be seen: its repo may have moved to another owner, or out of the installation, which is thrown. */
const watchElsewhere = async (
  app: GithubApp,
  trackerOn: (client: GithubClient) => Tracker,
  issue: IssueRef,
  name: RepoName,
  client: GithubClient,
): Promise<WatchedIssue | null> => {
  const there = await app.clientNow(name);
  return there === client ? null : trackerOn(there).watch(issue);
};

/** The forge likewise. What one learns of commits is kept as long as the client it learnt it by. */
export const installationsForge = (app: GithubApp, watched: WatchMemory): Forge => {
  const forges = new WeakMap<GithubClient, Forge>();
  const of = async (repo: RepoRef): Promise<Forge> => {
    const client = await app.clientFor(app.nameNow(repo));
    const forge = forges.get(client) ?? githubForge({ client, watched });
    forges.set(client, forge);
    return forge;
  };
  return {
    landing: async (repo, ask) => (await of(repo)).landing(repo, ask),
    ci: async (repo, ask) => (await of(repo)).ci(repo, ask),
    elsewhere: async (repo, ask) => (await of(repo)).elsewhere(repo, ask),
    pull: async (repo, ask) => (await of(repo)).pull(repo, ask),
    said: async (repo, ask) => (await of(repo)).said(repo, ask),
  };
};

/**
 * One call for each owner, four requests at once in all: an owner with more than a page sends as many by itself. A repo
 * the App is not on is left out without a word: its own preflight says so.
 */
const eachOwner = async <L, T>(
  list: readonly L[],
  nameOf: (one: L) => RepoName,
  call: (part: readonly L[]) => Promise<T>,
): Promise<readonly T[]> => {
  const answers: T[] = [];
  const failures: PortError[] = [];
  const ask = async (part: readonly L[]): Promise<void> => {
    try {
      answers.push(await call(part));
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      if (!(error instanceof NotInstalled)) failures.push(error);
    }
  };
  const parts = [...Map.groupBy(list, (one) => ownerOf(nameOf(one))).values()];
  const [ofOnePage, larger] = [parts.filter(isOnePage), parts.filter((part) => !isOnePage(part))];
  for (const group of [...chunks(ofOnePage, pagesAtOnce), ...chunks(larger, 1)]) await Promise.all(group.map(ask));
  const [first] = failures;
  if (first !== undefined && answers.length === 0) throw first;
  return answers;
};

/** The client of an owner by whichever of its repos the App is installed on: the first may be named wrongly, by anybody. */
const clientForSome = async (app: GithubApp, names: readonly RepoName[]): Promise<GithubClient> => {
  for (const name of [...new Set(names)].slice(0, triesMax)) {
    try {
      return await app.clientFor(name);
    } catch (error) {
      if (!(error instanceof NotInstalled)) throw error;
    }
  }
  throw new NotInstalled(names[0] ?? '');
};

const triesMax = 10;

const isOnePage = (part: readonly unknown[]): boolean => part.length <= pageSize;
