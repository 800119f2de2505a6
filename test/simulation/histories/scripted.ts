import { assertNever } from '../../../lib/core/assert.ts';
import { type AgentName, agentNames } from '../../../lib/sandbox/agents.ts';
import { scriptedEnds } from '../scripted-ends.ts';
import { standingOf } from '../simulation.ts';
import type { Acting } from './acts.ts';
import type { Fault, History, HistoryIssue } from './history.ts';

/**
 * Issues of a history that do not stand as their agents' scripts have them end, in words: whatever goes wrong with our
 * own process, its schedules, its clock and its network, an issue is worked on once and ends as it would have ended.
 * Empty for a history in which a person, T3 or the settings give it another end.
 */
export const offScript = (
  history: History,
  people: Acting,
  rulings: ReadonlyMap<string, string>,
): readonly string[] => {
  if (!isUndisturbed(history)) return [];
  return history.issues.flatMap(({ agent, labelled }, index) => {
    if (labelled !== 'maintainer' || !isJudged(history, index) || !isScripted(agent)) return [];
    const issue = people.issueOf(index);
    const stands = standingOf(issue);
    if (stands === scriptedEnds[agent]) return [];
    // A cap of the day may keep it waiting.
    const isCapped = rulings.get(`${people.repoOf(index).name}#${issue.number}`) === 'over the cap';
    if (stands === 'open [ready-for-agent]' && isCapped) return [];
    return [`issue ${index}, of an agent that ${agent}: ${stands} in place of ${scriptedEnds[agent]}`];
  });
};

const isScripted = (agent: HistoryIssue['agent']): agent is AgentName => agentNames.some((name) => name === agent);

/** Another issue's push to the same branch may decide this one's end, and only where it may land as it does. */
const isJudged = ({ issues, repoSettings }: History, index: number): boolean => {
  const { repo, agent } = issues[index] ?? { repo: '', agent: '' };
  const isByPull = repoSettings['landing'] === 'pull-request';
  return issues.filter((issue) => issue.repo === repo).length === 1 && agent.startsWith('opens a pull') === isByPull;
};

const isUndisturbed = ({ faults, ci, redBase, deploys, repoSettings }: History): boolean =>
  ci === 'usual' &&
  !redBase &&
  (deploys || !('environments' in repoSettings)) &&
  Object.keys(repoSettings).every((key) => !decisive.has(key)) &&
  faults.every(isHarmless) &&
  !isLongOutOfSight(faults);

/** What cannot be found for ten minutes is gone; minutes in which calls are slow are longer. */
const isLongOutOfSight = (faults: readonly Fault[]): boolean => {
  const blind = faults.filter((fault) => fault.kind === 'blind');
  const isSlow = faults.some(({ kind }) => kind === 'slow calls' || kind === 'port hangs');
  return blind.reduce((sum, { minutes }) => sum + minutes, 0) * (isSlow ? 4 : 1) >= 8;
};

/** Settings by which a script ends otherwise. */
const decisive: ReadonlySet<string> = new Set([
  'fixForwardMaxAttempts',
  'fixForwardMaxSeconds',
  'nudgesMax',
  'restartsMax',
  'budgetUsd',
]);

/** What touches neither the issue nor its agent, and does not last for days. */
export const isHarmless = (fault: Fault): boolean => {
  switch (fault.kind) {
    case 'death':
    case 'overlap':
    case 'no tick':
    case 'tick twice':
    case 'tick missing':
    case 'watcher first':
    case 'clock jumps':
    case 'port down':
    case 'port hangs':
    case 'pager broken':
    case 'answers lost':
    case 'stale answers':
    case 'partial scan':
    case 'rate limit':
    case 'slow calls':
      return true;
    case 'blind':
      return fault.minutes < 8;
    case 'port down for days':
      return fault.port === 'doorbell';
    case 'calls refused':
    case 'ids burnt':
    case 'operator':
    case 'operator in mid-tick':
    case 'person':
    case 'once it ended':
    case 'in mid-tick':
    case 'T3':
    case 'T3 in mid-tick':
      return false;
    default:
      return assertNever(fault);
  }
};
