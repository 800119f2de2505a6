import { assertNever } from '../core/assert.ts';
import type { StartedRun } from '../core/evolve.ts';
import type { Failing } from '../core/facts.ts';
import { commandIdOf, messageIdOf, projectIdOf, threadIdOf } from '../core/ids.ts';
import type { RepoName } from '../core/issue.ts';
import { keptFailing } from '../core/next.ts';
import { type Ask, type FailedCheck, nobodyIsThere, promptFor } from '../core/prompts.ts';
import { failingOn } from '../core/pull-request.ts';
import type { Command, Turn } from '../core/run.ts';
import { type RepoSettings, settingsFor } from '../core/settings.ts';
import { type Answer, type ExecutorLook, PortError, type Thread } from '../ports.ts';
import { fail, type Tick } from './tick.ts';

/**
 * What became of an owed command. `done`: the executor has it; `braked`: a brake was on right before the act, so it
 * stays owed; `refused`: definite, nothing was started. An executor that gives no answer throws `unavailable`, and
 * the command stays owed.
 */
export type Obeyed = 'done' | { braked: string } | { refused: string; isExecutorsFault: boolean };

/** Performs the one command a run owes. Any number of times: its ids are derived from the record. */
export const obey = async (tick: Tick, run: StartedRun, command: Command, look: ExecutorLook): Promise<Obeyed> => {
  const { executor } = tick.ports;
  if (run.turn === null) throw new Error(`run ${run.id} owes a command for a turn it never had`);
  const threadId = threadIdOf(run.id, run.turn.thread);
  const ask = { commandId: commandIdOf(run.id, run.turn.n, command.order, command.attempt), threadId, at: tick.now() };
  switch (command.order) {
    case 'start':
      return start(tick, run, run.turn, look);
    // A refusal says that there is nothing to act upon; the next look tells, and a further order has ids of its own.
    case 'interrupt':
      await executor.interrupt(ask);
      return 'done';
    case 'stop':
      await executor.stop(ask);
      return 'done';
    case 'unarchive':
      await executor.unarchive(ask);
      return 'done';
    case 'answer':
      return answer(tick, run, ask);
    default:
      return assertNever(command.order);
  }
};

/** Nobody is there: said to the request that was asked, and to no other that may have come since. */
const answer = async (
  tick: Tick,
  run: StartedRun,
  ask: { commandId: string; threadId: string; at: number },
): Promise<Obeyed> => {
  const { executor } = tick.ports;
  const request = (await executor.detail(ask.threadId))?.request ?? null;
  if (request === null || request.requestId !== run.question?.requestId) return 'done';
  const brake = await brakeOn(tick, run.repo.name, false);
  if (brake !== null) return { braked: brake };
  await executor.answer({ ...ask, request, words: nobodyIsThere });
  return 'done';
};

const start = async (tick: Tick, run: StartedRun, turn: Turn, look: ExecutorLook): Promise<Obeyed> => {
  const settings = settingsFor(tick.settings, run.repo.name);
  const threadId = threadIdOf(run.id, turn.thread);
  const thread = look.threads.get(threadId);
  // An earlier try may have got through although its answer did not.
  if (isAccepted(thread, turn)) return 'done';
  const place = await thePlace(tick, run, turn, look, settings);
  if (place !== 'ready') return place;
  // What it takes to write the prompt is read first: the brake is the last thing asked before the act.
  const text = await promptOf(tick, run, turn);
  const brake = await brakeOn(tick, run.repo.name, turn.kind === 'opening');
  if (brake !== null) return { braked: brake };
  const sent = await twice(
    (attempt) =>
      tick.ports.executor.startTurn({
        commandId: commandIdOf(run.id, turn.n, 'turn', attempt),
        threadId,
        messageId: messageIdOf(run.id, turn.n),
        text,
        runtimeMode: settings.runtimeMode,
        at: tick.now(),
      }),
    async () => isAccepted((await tick.ports.executor.look()).threads.get(threadId), turn),
  );
  return sent ? 'done' : { refused: 'the executor refused the turn twice', isExecutorsFault: true };
};

/** The project and the thread a turn happens in, made where they are missing. */
const thePlace = async (
  tick: Tick,
  run: StartedRun,
  turn: Turn,
  look: ExecutorLook,
  settings: RepoSettings,
): Promise<'ready' | Obeyed> => {
  const threadId = threadIdOf(run.id, turn.thread);
  const thread = look.threads.get(threadId);
  if (thread !== undefined) {
    // A turn in a deleted project would run in the executor's own directory.
    return look.projects.some((project) => project.id === thread.projectId)
      ? 'ready'
      : { refused: 'the project was deleted on the executor', isExecutorsFault: true };
  }
  const project = await ensureProject(tick, { id: run.id, repo: run.repo.name }, look, settings);
  if (project === 'no checkout') return { refused: noCheckout(settings), isExecutorsFault: false };
  if (project === 'refused') return { refused: 'the executor refused the project twice', isExecutorsFault: true };
  const created = await twice(
    (attempt) =>
      tick.ports.executor.createThread({
        commandId: commandIdOf(run.id, turn.n, 'thread', attempt),
        threadId,
        projectId: project.id,
        title: `${run.repo.name}#${run.issue.number}: ${run.issue.title}`,
        model: { instanceId: settings.providerInstance, model: settings.model },
        runtimeMode: settings.runtimeMode,
        at: tick.now(),
      }),
    async () => (await tick.ports.executor.look()).threads.has(threadId),
  );
  return created ? 'ready' : { refused: 'the executor refused the thread twice', isExecutorsFault: true };
};

/** The project whose root is the repo's checkout, made where there is none; never a directory. */
export const ensureProject = async (
  tick: Tick,
  run: { id: string; repo: RepoName },
  look: ExecutorLook,
  settings: RepoSettings,
): Promise<{ id: string } | 'no checkout' | 'refused'> => {
  const at = (seen: ExecutorLook) => seen.projects.find((project) => project.workspaceRoot === settings.workspaceRoot);
  const known = at(look);
  if (known !== undefined) return known;
  for (const attempt of [0, 1]) {
    const projectId = projectIdOf(run.id, attempt);
    const answer = await tick.ports.executor.createProject({
      commandId: commandIdOf(run.id, 0, 'project', attempt),
      projectId,
      title: run.repo,
      workspaceRoot: settings.workspaceRoot,
      model: { instanceId: settings.providerInstance, model: settings.model },
      at: tick.now(),
    });
    if (answer === 'no checkout') return 'no checkout';
    // Somebody else may have made it in this very moment: then theirs is the one.
    const seen = at(await tick.ports.executor.look());
    if (seen !== undefined) return seen;
    // A project that was made and is not there was deleted since: its id would answer all the same.
  }
  return 'refused';
};

/** What an operator is to do where the executor has no checkout of a repo. */
export const noCheckout = (settings: RepoSettings): string =>
  `there is no checkout at ${settings.workspaceRoot} on the T3 host: clone the repo there`;

/** Read right before each irreversible act: the kill switch always, the allowlist before a dispatch only. Null: go on. */
export const brakeOn = async (tick: Tick, repo: RepoName, isDispatch: boolean): Promise<string | null> => {
  const control = await tick.gate.read();
  if (control.state === 'off') return control.reason;
  if (!isDispatch) return null;
  if (control.noDispatch !== null) return control.noDispatch;
  return control.allowlist.includes(repo.toLowerCase()) ? null : 'the repo was taken off the allowlist';
};

/** A refused id is burnt: look whether the thing exists all the same, else once more under the next id. */
const twice = async (act: (attempt: number) => Promise<Answer>, exists: () => Promise<boolean>): Promise<boolean> => {
  for (const attempt of [0, 1]) {
    if ((await act(attempt)) === 'accepted') return true;
    if (await exists()) return true;
  }
  return false;
};

/** The executor shows a later message than the one before this turn was asked for. */
export const isAccepted = (thread: Thread | undefined, turn: Turn): boolean =>
  thread !== undefined && thread.lastMessageAt !== null && thread.lastMessageAt !== turn.after;

const promptOf = async (tick: Tick, run: StartedRun, turn: Turn): Promise<string> => {
  const frozen = async () => {
    const text = await tick.ports.store.textOf(run.id);
    if (text === null) throw new Error(`the text of run ${run.id} is not in the store`);
    return { title: text.title, body: text.body };
  };
  switch (turn.kind) {
    case 'opening':
      return promptFor(run, { kind: 'opening', text: await frozen() });
    case 'restart':
      return promptFor(run, { kind: 'restart', text: await frozen() });
    case 'fix':
      if (run.pull?.mended != null)
        return promptFor(run, await pullToMend(tick, run, run.pull.number, run.pull.mended));
      return promptFor(run, {
        kind: 'fix',
        failing: run.phase === 'fixing' ? await failedChecks(tick, run, run.mends, run.failing) : [],
      });
    case 'nudge':
      return promptFor(run, { kind: 'nudge' });
    case 'resume':
      return promptFor(run, { kind: 'resume' });
    case 'answer':
      return promptFor(run, { kind: 'answer' });
    default:
      return assertNever(turn.kind);
  }
};

/** The checks a run has to mend, with what they said. Words that cannot be read are done without, and said so. */
const failedChecks = async (
  { ports, report }: Tick,
  run: StartedRun,
  sha: string,
  failing: readonly Failing[],
): Promise<readonly FailedCheck[]> => {
  const said = await ports.forge
    .said(run.repo, { sha, names: failing.map(({ name }) => name) })
    .catch((error: unknown) => {
      if (!(error instanceof PortError)) throw error;
      fail(report, `what CI said of ${run.repo.name}#${run.issue.number}`, error);
      return new Map<string, string>();
    });
  return failing.map((check) => ({ ...check, said: said.get(check.name) ?? null }));
};

/** What the checks of a pull request say is asked anew: its record holds only which head is to be mended. */
const pullToMend = async (
  tick: Tick,
  run: StartedRun,
  number: number,
  { head, why }: { head: string; why: 'red' | 'conflicting' },
): Promise<Ask> => {
  const ask = { kind: 'fix pull request' as const, pull: { number, head, why } };
  if (why === 'conflicting') return { ...ask, failing: [] };
  const { ci } = await tick.ports.forge.ci(run.repo, { sha: head, hasDescendant: false, environments: [] });
  const failing = keptFailing(failingOn(ci, settingsFor(tick.settings, run.repo.name)));
  return { ...ask, failing: await failedChecks(tick, run, head, failing) };
};
