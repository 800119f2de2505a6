import { usdOf } from '../../../lib/core/budget.ts';
import { markerOf, messageIdOf, noticeIdOf } from '../../../lib/core/ids.ts';
import { dateOf, type Item } from '../../../lib/core/record.ts';
import { EndedRun, type OpenRun } from '../../../lib/core/run.ts';
import { commitsOfPull } from '../../../lib/sandbox/github-pulls.ts';
import { hasRole } from '../../../lib/sandbox/github-state.ts';
import { historyOf as endedRunsOf } from '../../../lib/sandbox/memory-store.ts';
import type { Call, Intercept, Simulation } from '../simulation.ts';
import type { Acting, Place } from './acts.ts';
import { asking } from './asked.ts';
import { wronglyStanding } from './standing.ts';

/**
 * What must hold, judged on the world and not on what the product believes of it. `truthIsFresh` is false within an
 * invocation that acted on an answer the world had left behind: a race that no system can close.
 */
export type Watcher = {
  intercept: (around: Intercept) => Intercept;
  /** After each invocation: what does not hold, in words. */
  breaches: () => readonly string[];
  /** Runs claimed so far, the oldest first. */
  claims: readonly Claim[];
};

type Claim = { run: OpenRun; at: number; sent: boolean };

type Watched = {
  sim: Simulation;
  truthIsFresh: () => boolean;
  controlIsFresh: () => boolean;
  executorIsFresh: () => boolean;
  maxOpenRuns: number;
  maxRunsPerDay: number;
  budgetUsdPerDay: number;
  usdPerMillionTokens: number;
  /** The operator lets a push without any CI count as green. */
  isNoCiAccepted: boolean;
  /** What a push must reach. */
  environments: readonly string[];
};

const login = 'afk-bot';

export const watching = (on: Watched): Watcher => {
  const { sim } = on;
  const { world, table } = sim;
  const claims: Claim[] = [];
  const wrong: string[] = [];
  const messages = new Set<string>();
  /** How many turns each run asked for, by the marker of its comment. */
  const turnsOf = new Map<string, number>();
  const shown = new Map<number, { body: string; edits: number }>();
  const proven = new Set<string>();
  const swept = { runs: new Set<string>(), spent: new Set<string>() };
  const asked = asking(sim, (what) => void wrong.push(what));

  const atClaim = (run: OpenRun): void => {
    const name = `${run.repo.name}#${run.issue.number}`;
    for (const earlier of claims.filter((claim) => claim.run.act.id === run.act.id)) {
      const ended = table.history.get(earlier.run.id);
      const wasReleased = ended !== undefined && EndedRun.parse(JSON.parse(ended)).outcome === 'released';
      if (!wasReleased && earlier.sent) wrong.push(`${name}: its labelling had a run already`);
    }
    const last = endedRunsOf(table).filter(
      ({ issue: of, repo: at }) => of.nodeId === run.issue.nodeId && at.id === run.repo.id,
    );
    if (last.some(({ outcome, act }) => outcome !== 'released' && act.at >= run.act.at))
      wrong.push(`${name}: picked up again without a newer labelling`);
    const open = [...table.rows.keys()].filter((key) => key.startsWith('run#')).length;
    if (open > on.maxOpenRuns) wrong.push(`${open} open runs, ${on.maxOpenRuns} are allowed`);
    // A day is what our own clock says it is. One that was a year ahead has swept today's counts away.
    const isToday = (at: number): boolean => dateOf(at) === dateOf(run.claimedAt);
    const today = claims.filter((claim) => isToday(claim.run.claimedAt) && !swept.runs.has(claim.run.id)).length + 1;
    if (today > on.maxRunsPerDay) wrong.push(`${today} runs on one day, ${on.maxRunsPerDay} are allowed`);
    const spent = endedRunsOf(table)
      .filter(({ id, endedAt }) => isToday(endedAt) && !swept.spent.has(id))
      .reduce(
        (sum, { tokens }) =>
          sum +
          usdOf(
            tokens.reduce((all, one) => all + one, 0),
            on,
          ),
        0,
      );
    if (spent >= on.budgetUsdPerDay)
      wrong.push(`${name}: claimed with ${spent} USD spent today, ${on.budgetUsdPerDay} are allowed`);
    wrong.push(...strangely(run, 'claimed'));
  };

  /** What keeps an issue from being worked on, and stands in the world at this moment. */
  const strangely = (run: OpenRun, what: 'claimed' | 'dispatched'): readonly string[] => {
    const name = `${run.repo.name}#${run.issue.number}`;
    const repo = world.github.state.repos.get(Number(run.repo.id));
    const issue = repo?.issues.get(run.issue.number);
    if (!on.truthIsFresh() || repo === undefined || issue === undefined) return [];
    const found: string[] = [];
    if (issue.state !== 'open') found.push(`${name}: ${what} while closed`);
    const labels = issue.labels.map((label) => label.name);
    if (!labels.includes('ready-for-agent')) found.push(`${name}: ${what} without the label`);
    if (labels.includes('afk-hold')) found.push(`${name}: ${what} while held`);
    if (issue.locked || repo.archived) found.push(`${name}: ${what} while locked or archived`);
    const named = [...issue.body.matchAll(/Blocked by #(\d+)/g)].map(([, number]) => repo.issues.get(Number(number)));
    const native = issue.blockedBy.map((id) => world.github.state.issues.get(id));
    if ([...named, ...native].some((blocker) => blocker?.state === 'open'))
      found.push(`${name}: ${what} while blocked`);
    const labelling = issue.events.findLast(
      (event) => event.kind === 'labeled' && event.label.name === 'ready-for-agent',
    );
    if (!hasRole(repo, 'maintainer', 'write')) found.push(`${name}: ${what} without the labeller’s right to`);
    if (labelling?.actor !== 'maintainer') found.push(`${name}: ${what} on the labelling of ${labelling?.actor}`);
    const strange = issue.edits.filter(
      ({ editor, at }) => editor !== 'maintainer' && labelling !== undefined && at >= labelling.at,
    );
    if (strange.length > 0) found.push(`${name}: ${what} with a text that a stranger changed since`);
    const text = JSON.parse(table.texts.get(run.id) ?? '{}');
    if (text.title !== issue.title || text.body !== issue.body) found.push(`${name}: ${what} with another text`);
    return found;
  };

  const atTurn = ({ threadId, messageId }: { threadId: string; messageId: string }): void => {
    if (messages.has(messageId)) return;
    messages.add(messageId);
    const by = claims.find(({ run }) => threadId.endsWith(run.id));
    if (by !== undefined) turnsOf.set(markerOf(by.run.id), (turnsOf.get(markerOf(by.run.id)) ?? 0) + 1);
    const claim = claims.find(({ run }) => messageIdOf(run.id, 0) === messageId);
    if (claim !== undefined) {
      claim.sent = true;
      wrong.push(...strangely(claim.run, 'dispatched'));
    }
    if (!on.controlIsFresh()) return;
    const flipped = sim.parameters.get('/afk/control/kill-switch');
    if (flipped !== 'false') wrong.push(`a turn was sent while the kill switch read ${flipped}`);
    const thread = world.t3.threads().find(({ id }) => id === threadId);
    if (on.executorIsFresh() && world.t3.projects().find(({ id }) => id === thread?.projectId)?.deletedAt != null)
      wrong.push(`a turn was sent in a deleted project`);
    if (claim !== undefined) {
      const allowed = (sim.parameters.get('/afk/control/allowlist') ?? '').toLowerCase();
      const name = claim.run.repo.name.toLowerCase();
      if (!allowed.split(',').includes(name)) wrong.push(`${name}: dispatched while not enrolled`);
    } else calledOff(threadId);
  };

  /** A further turn: nobody called the run off since, who is no account of the agent's. */
  const calledOff = (threadId: string): void => {
    const run = claims.find((claim) => threadId.endsWith(claim.run.id))?.run;
    const issue = world.github.state.repos.get(Number(run?.repo.id))?.issues.get(run?.issue.number ?? 0);
    if (run === undefined || issue === undefined || !on.truthIsFresh() || issue.deleted || issue.movedTo !== null)
      return;
    const name = `${run.repo.name}#${run.issue.number}`;
    const labels = issue.labels.map((label) => label.name);
    if (labels.includes('afk-hold')) wrong.push(`${name}: a further turn while held`);
    if (!labels.includes('ready-for-agent')) wrong.push(`${name}: a further turn without the label`);
    const closed = issue.events.findLast(({ kind }) => kind === 'closed');
    if (issue.state === 'closed' && closed?.actor === 'maintainer')
      wrong.push(`${name}: a further turn while closed by a person`);
  };

  /** A turn is asked of a thread in which an agent that T3 can see is still at its turn. */
  const beforeTurn = ({ threadId, messageId }: { threadId: string; messageId: string }): void => {
    if (messages.has(messageId)) return;
    const isBusy = world.t3.liveAgents().some((agent) => agent.threadId === threadId && agent.busy && !agent.orphan);
    if (isBusy && !isPersonIn(sim, threadId))
      wrong.push(`a turn was asked for while another is out in ${threadId.slice(0, 20)}`);
  };
  /** An end as done was decided: the world has to hold the proof at that moment. */
  const atDone = (run: OpenRun): void => {
    if (proven.has(run.id)) return;
    proven.add(run.id);
    const repo = world.github.state.repos.get(Number(run.repo.id));
    if (repo === undefined) return;
    const head = repo.branches.get(repo.defaultBranch) ?? '';
    const isOwn = (message: string): boolean => message.includes(`AFK-Run: ${run.id}`);
    const isOn = (sha: string, from: string): boolean => {
      const queue = [from];
      const seen = new Set<string>();
      for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
        if (at === sha) return true;
        if (seen.has(at)) continue;
        seen.add(at);
        queue.push(...(repo.commits.get(at)?.parents ?? []));
      }
      return false;
    };
    // Where a person squashed in words of their own, the merge of the run's pull request carries what it did.
    const merges = new Set(
      [...repo.issues.values()].flatMap(({ pull }) =>
        pull?.mergeSha != null && commitsOfPull(repo, pull).some(({ message }) => isOwn(message))
          ? [pull.mergeSha]
          : [],
      ),
    );
    const own = [...repo.commits.values()].filter(
      ({ message, sha }) => (isOwn(message) || merges.has(sha)) && isOn(sha, head),
    );
    const isGreen = (sha: string): boolean => {
      const checks = repo.checks.filter((check) => check.sha === sha);
      return (
        checks.length > 0 &&
        checks.every(
          ({ endsAt, conclusion }) => endsAt !== null && endsAt <= sim.worldNow() && conclusion === 'success',
        )
      );
    };
    const tips = [...repo.commits.values()].filter(({ sha }) => isOn(sha, head) && isGreen(sha));
    const newest = own.at(-1);
    if (newest === undefined)
      wrong.push(`${run.repo.name}#${run.issue.number}: done, and no commit of it is on the branch`);
    else if (
      on.truthIsFresh() &&
      !on.isNoCiAccepted &&
      !tips.some(({ sha }) => own.every((commit) => isOn(commit.sha, sha)))
    )
      wrong.push(`${run.repo.name}#${run.issue.number}: done, and no green push carries all its commits`);
    else if (on.truthIsFresh() && on.environments.length > 0) {
      const isDeployed = on.environments.every((name) =>
        repo.deployments.some(
          ({ environment, sha, states }) =>
            environment === name &&
            isOn(newest.sha, sha) &&
            states.some(({ state, at }) => state === 'success' && at <= sim.worldNow()),
        ),
      );
      if (!isDeployed) wrong.push(`${run.repo.name}#${run.issue.number}: done, and not deployed`);
    }
  };

  const atRemoval = (stored: unknown): void => {
    if (!isStored(stored)) return;
    const { item } = stored;
    if (item.kind === 'day')
      for (const { run } of claims) if (dateOf(run.claimedAt) === item.date) swept.runs.add(run.id);
    if (item.kind === 'spend')
      for (const { id, endedAt } of endedRunsOf(table)) if (dateOf(endedAt) === item.date) swept.spent.add(id);
  };

  const after = (call: Call, answer: unknown): void => {
    const [first, second] = call.args;
    if (call.port === 'store' && (call.method === 'insert' || call.method === 'replace')) {
      const item = call.method === 'insert' ? first : second;
      if (answer === 'lost' || answer === 'taken' || !isItem(item)) return;
      asked.stored(item);
      if (item.kind !== 'run') return;
      if (call.method === 'insert') {
        atClaim(item.run);
        claims.push({ run: item.run, at: sim.now(), sent: false });
      }
      if (item.run.phase === 'ending' && item.run.outcome === 'done') atDone(item.run);
    }
    if (call.port === 'store' && call.method === 'remove' && answer === 'removed') atRemoval(first);
    if (call.port === 'executor' && call.method === 'startTurn' && answer === 'accepted' && isTurn(first))
      atTurn(first);
  };

  const breaches = (): readonly string[] => {
    const found = wrong.splice(0);
    const roots = new Map<string, number>();
    const deleted = new Set(world.t3.threads().flatMap(({ id, deletedAt }) => (deletedAt === null ? [] : [id])));
    for (const agent of world.t3.liveAgents())
      if (agent.busy && !agent.orphan && !deleted.has(agent.threadId) && !isPersonIn(sim, agent.threadId))
        roots.set(agent.workspaceRoot, (roots.get(agent.workspaceRoot) ?? 0) + 1);
    for (const [root, agents] of roots) if (agents > 1) found.push(`${agents} live agents in ${root}`);
    if (sim.mirroredAtOnce() > 0) found.push('two invocations wrote to one mirror at once');
    const markers = new Map<string, number>();
    for (const { id, author, body, issueId, edits } of world.github.state.comments.values()) {
      if (author !== login) continue;
      const [marker = ''] = body.split('\n', 1);
      markers.set(`${issueId} ${marker}`, (markers.get(`${issueId} ${marker}`) ?? 0) + 1);
      if (edits.length > editsMax + editsPerTurnMax * (turnsOf.get(marker) ?? 0))
        found.push(`${edits.length} edits of one comment`);
      const before = shown.get(id);
      if (before !== undefined && before.edits < edits.length && before.body === body)
        found.push('a comment edited to say what it said');
      shown.set(id, { body, edits: edits.length });
    }
    for (const count of markers.values()) if (count > 1) found.push(`${count} comments of one run`);
    return found;
  };

  return {
    claims,
    breaches,
    intercept: (around) => async (call, pass) => {
      asked.before(call);
      if (call.port === 'executor' && call.method === 'startTurn' && isTurn(call.args[0])) beforeTurn(call.args[0]);
      return around(call, async () => {
        const answer = await pass();
        after(call, answer);
        return answer;
      });
    },
  };
};

/** What a person asks of an agent at T3's own window is that person's business. */
export const isPersonIn = (sim: Simulation, threadId: string): boolean =>
  sim.world.t3.messagesOf(threadId).some(({ role, id }) => role === 'user' && id.startsWith('person-'));

/** A run's comment is edited when its words change: some times in all, and a few times for each turn. */
const editsMax = 8;
const editsPerTurnMax = 4;

const isItem = (item: unknown): item is Item => typeof item === 'object' && item !== null && 'kind' in item;

const isStored = (stored: unknown): stored is { item: Item } =>
  typeof stored === 'object' && stored !== null && 'item' in stored && isItem(stored.item);

const isTurn = (ask: unknown): ask is { threadId: string; messageId: string } =>
  typeof ask === 'object' && ask !== null && 'messageId' in ask;

/** Words of a failure that no world gives: something in the product is wrong. */
export const isProgrammersError = (reason: string): boolean =>
  /^(TypeError|RangeError|ReferenceError|SyntaxError|ZodError|Error|\$?ZodError|GithubRefusal)\b/.test(reason);

/** What must hold once nothing goes wrong any more and time has passed. */
export const notAtRest = (
  sim: Simulation,
  people: Acting,
  places: readonly Place[],
  rulings: ReadonlyMap<string, string>,
  /** Names of issues that could not be shown an end for a day. */
  givenUp: ReadonlySet<string> = new Set(),
): readonly string[] => {
  const wrong: string[] = [];
  const keys = [...sim.table.rows.keys()];
  for (const key of keys) if (key.startsWith('run#') || key.startsWith('owed#')) wrong.push(`${key} is still there`);
  const ended = endedRunsOf(sim.table);
  for (const [index] of places.entries()) {
    const issue = people.issueOf(index);
    const runs = ended.filter((run) => run.issue.nodeId === issue.nodeId);
    const isTidied = people.isTidied(index);
    const isGivenUp = givenUp.has(`${people.repoOf(index).name}#${issue.number}`);
    for (const what of wronglyStanding(sim, issue, runs, { isTidied, isGivenUp }))
      wrong.push(`issue ${index}: ${what}`);
    if (issue.deleted || issue.movedTo !== null || issue.state === 'closed') continue;
    const labels = issue.labels.map(({ name }) => name);
    const isWaiting = labels.includes('ready-for-agent');
    const repo = people.repoOf(index);
    const ruling = rulings.get(`${repo.name}#${issue.number}`) ?? rulings.get(`${issue.number}@${repo.id}`);
    if (isWaiting && ruling === undefined) wrong.push(`${repo.name}#${issue.number} waits, and nobody says why`);
    if (isWaiting && ruling !== undefined && isPassing(ruling))
      wrong.push(`${repo.name}#${issue.number} waits for ever: ${ruling}`);
  }
  for (const run of ended)
    for (const name of sim.bells)
      if (
        run.outcome !== 'released' &&
        !sim.rungBy.some(({ bell, notice }) => bell === name && notice.id === noticeIdOf(run.id, 'ended'))
      )
        wrong.push(`${name} did not ring for ${run.repo.name}#${run.issue.number}`);
  const deleted = new Set(sim.world.t3.threads().flatMap(({ id, deletedAt }) => (deletedAt === null ? [] : [id])));
  for (const agent of sim.world.t3.liveAgents())
    if (agent.busy && !agent.orphan && !deleted.has(agent.threadId) && !isPersonIn(sim, agent.threadId))
      wrong.push(`an agent is still at work in ${agent.workspaceRoot}`);
  return wrong;
};

/** Whether a ruling passes by itself. */
export const isPassing = (ruling: string): boolean => passing.has(ruling);

/** Rulings that pass by themselves: an issue that shows one for ever is stuck. */
const passing: ReadonlySet<string> = new Set([
  'executor unavailable',
  'repo unreadable',
  'repo busy',
  'still owed',
  'cooling down',
  'trust unknown',
  'look closer',
  'dispatch',
]);
