import { type AgentName, agentNames } from '../../../lib/sandbox/agents.ts';
import { type Dice, dice } from './dice.ts';
import { isHarmless } from './scripted.ts';

/**
 * A history as plain data: who is there, what goes wrong, and when. Everything follows from it, to the byte. Minutes
 * are counted from the beginning; what has no minute holds throughout.
 */
export type History = {
  seed: number;
  issues: readonly HistoryIssue[];
  settings: Readonly<Record<string, unknown>>;
  repoSettings: Readonly<Record<string, unknown>>;
  /** What CI does in each repo, and whether every green push is deployed. */
  ci: CiMood;
  deploys: boolean;
  /** The branch of the first repo is red before anything is begun. */
  redBase: boolean;
  /** Beside the one doorbell there is another, which faults may break alone. */
  pager?: boolean;
  /** So many minutes things may go wrong; after them everything works, and it has to come to rest. */
  minutes: number;
  faults: readonly Fault[];
};

/** `usual`: four minutes, and green or red as the agent's script foresees. */
export const ciMoods = [
  'usual',
  'falls silent',
  'never ends',
  'waits for a person',
  'is cancelled',
  'is cut short',
  'begins its last check late',
] as const;
export type CiMood = (typeof ciMoods)[number];

/** Agents that only histories have: see the cast. */
export const oddAgents = [
  'goes deaf',
  'never done',
  'slow and red',
  'is red and hangs',
  'is red and asks on and on',
  'is red and never done',
  'skips CI',
  'pushes to a branch',
  'is red and starts no more',
  'is red and spends too much',
  'is green and then red',
  'asks for an approval',
  'exits with zero',
  'reports an error',
  'works on unseen',
  'takes a message into its turn',
] as const;
/** Those that open a pull request of which something particular comes. */
export const proposers = [
  'proposes a draft',
  'proposes what conflicts',
  'is asked for changes',
  'leaves it to auto-merge',
  'is squashed in others’ words',
  'is merged and red',
  'proposes what stays red',
  'proposes slowly',
] as const;
export type OddAgent = (typeof oddAgents)[number] | (typeof proposers)[number];

export type HistoryIssue = { repo: string; agent: AgentName | OddAgent; labelled: 'maintainer' | 'form' | false };

type Tick = 'poll' | 'watch';
export type PortName = 'tracker' | 'forge' | 'executor' | 'store' | 'gate' | 'doorbell';

/** One thing that goes wrong, or that people do. `issue` is an index into the history's issues. */
export type Fault = { at: number } & (
  | { kind: 'death'; tick: Tick; call: number; when: 'die before' | 'die after' }
  | { kind: 'overlap'; ticks: readonly Tick[]; dies: number | null }
  | { kind: 'no tick'; minutes: number }
  | { kind: 'tick twice'; tick: Tick }
  | { kind: 'tick missing'; tick: Tick }
  | { kind: 'watcher first' }
  | { kind: 'clock jumps'; byMs: number }
  | { kind: 'port down'; port: PortName; minutes: number }
  | { kind: 'port down for days'; port: PortName; hours: number }
  | { kind: 'port hangs'; port: PortName; minutes: number }
  | { kind: 'pager broken'; minutes: number }
  | { kind: 'ids burnt'; minutes: number; share: number }
  | { kind: 'answers lost'; port: PortName; minutes: number; share: number }
  | { kind: 'calls refused'; port: 'tracker' | 'forge' | 'executor'; minutes: number; share: number }
  | { kind: 'stale answers'; minutes: number }
  | { kind: 'partial scan'; minutes: number }
  | { kind: 'blind'; minutes: number }
  | { kind: 'rate limit'; minutes: number }
  | { kind: 'slow calls'; minutes: number; seconds: number }
  | { kind: 'operator'; act: OperatorAct }
  | { kind: 'operator in mid-tick'; act: OperatorAct; tick: Tick; call: number }
  | { kind: 'person'; act: PersonAct; issue: number }
  | { kind: 'once it ended'; act: PersonAct; issue: number }
  | { kind: 'in mid-tick'; act: PersonAct; issue: number; tick: Tick; call: number }
  | { kind: 'T3'; act: T3Act; issue: number }
  | { kind: 'T3 in mid-tick'; act: T3Act; issue: number; tick: Tick; call: number }
);

export const operatorActs = [
  'kill switch on',
  'kill switch off',
  'repo off the allowlist',
  'repo on the allowlist',
  'allowlist malformed',
  'settings malformed',
  'kill switch misspelt',
  'values back',
  'paused',
] as const;
export type OperatorAct = (typeof operatorActs)[number];

export const personActs = [
  'ready off',
  'ready on',
  'ready off and on',
  'ready on by triage',
  'hold on',
  'hold on and off',
  'in-progress off',
  'in-progress on',
  'closes',
  'reopens',
  'edits the body',
  'edits the title',
  'writes more than is read',
  'a stranger edits the body',
  'deletes our comment',
  'pushes something else',
  'pushes something red',
  'rewrites the branch',
  'renames the repo',
  'locks',
  'unlocks',
  'archives',
  'unarchives',
  'opens a blocker',
  'closes the blocker',
  'deletes the issue',
  'reopens and labels again',
  'writes a blocker into the body',
  'moves the issue',
  'renames the branch',
  'switches issues off',
  'switches issues on',
  'takes our rights away',
  'gives us our rights back',
  'takes the labeller’s rights away',
  'merges the pull request',
  'closes the pull request',
  'reopens the pull request',
  'approves the pull request',
  'demands pull requests',
  'demands no pull requests',
  'adds a sub-issue',
  'labels the pull request',
] as const;
export type PersonAct = (typeof personActs)[number];

export const t3Acts = [
  'restarts',
  'restarts, orphans finish',
  'loses the queued turn',
  'loses each turn before it is taken up',
  'loses the next answer',
  'agent killed',
  'thread archived',
  'thread deleted',
  'person interrupts',
  'person stops',
  'person sends a turn',
  'project deleted',
] as const;
export type T3Act = (typeof t3Acts)[number];

/** The history of a seed. */
export const historyOf = (seed: number): History => {
  const throws = dice(seed);
  // In one of four nobody meddles, so that each issue has to end as its agent's script has it.
  const isUndisturbed = throws.chance(0.25);
  const isByPull = throws.chance(0.2);
  const issues = drawnIssues(throws, isByPull);
  const minutes = 25 + throws.int(35);
  const count = throws.pick([0, 1, 1, 2, 3, 4, 6, 9, 14]);
  const faults = Array.from({ length: count }, () => drawnFault(throws, minutes, issues.length))
    .filter((fault) => !isUndisturbed || isHarmless(fault))
    .sort((a, b) => a.at - b.at);
  const drawn = drawnSettings(throws, isByPull);
  return { seed, issues, ...(isUndisturbed ? withoutSay(drawn, isByPull) : drawn), minutes, faults };
};

/** Without what has a say in how an issue ends. */
const withoutSay = (drawn: ReturnType<typeof drawnSettings>, isByPull: boolean): ReturnType<typeof drawnSettings> => ({
  ...drawn,
  redBase: false,
  ci: 'usual',
  repoSettings: isByPull ? { landing: 'pull-request' } : {},
});

const drawnIssues = (throws: Dice, isByPull: boolean): readonly HistoryIssue[] => {
  const repos = throws.pick([['acme/a'], ['acme/a'], ['acme/a', 'acme/b'], ['acme/a', 'acme/b', 'acme/c']]);
  const proposing = [...agentNames.filter((name) => name.startsWith('opens a pull request')), ...proposers];
  const agents = [...agentNames, ...(throws.chance(0.2) ? oddAgents : [])];
  return Array.from({ length: Math.min(4, repos.length + throws.int(2)) }, (_, index) => ({
    repo: repos[index % repos.length] ?? 'acme/a',
    agent: throws.pick(isByPull && throws.chance(0.8) ? proposing : agents),
    labelled: throws.pick([
      'maintainer',
      'maintainer',
      'maintainer',
      'maintainer',
      'maintainer',
      'form',
      false,
    ] as const),
  })).sort((a, b) => (a.repo < b.repo ? -1 : a.repo > b.repo ? 1 : 0));
};

const drawnSettings = (
  throws: Dice,
  isByPull: boolean,
): Pick<History, 'settings' | 'repoSettings' | 'ci' | 'deploys' | 'redBase' | 'pager'> => ({
  pager: throws.chance(0.2),
  redBase: throws.chance(0.08),
  ci: throws.chance(0.1) ? throws.pick(ciMoods) : 'usual',
  deploys: throws.chance(0.5),
  settings: {
    ...(throws.chance(0.2) && { maxOpenRuns: 1 + throws.int(2) }),
    ...(throws.chance(0.15) && { maxRunsPerDay: 1 + throws.int(3) }),
    ...(throws.chance(0.1) && { budgetUsdPerDay: throws.pick([1, 5, 40]) }),
  },
  repoSettings: {
    ...(isByPull && { landing: 'pull-request' }),
    ...(throws.chance(0.2) && { fixForwardMaxAttempts: throws.int(3) }),
    ...(throws.chance(0.1) && { fixForwardMaxSeconds: throws.pick([600, 43_200]) }),
    ...(throws.chance(0.2) && { nudgesMax: throws.int(3) }),
    ...(throws.chance(0.2) && { restartsMax: throws.int(3) }),
    ...(throws.chance(0.2) && { environments: ['production'] }),
    ...(throws.chance(0.1) && { budgetUsd: 2 }),
    ...(throws.chance(0.15) && { noCi: 'accept' }),
    ...(throws.chance(0.3) && { baselineRed: 'accept' }),
  },
});

export const ports: readonly PortName[] = ['tracker', 'forge', 'executor', 'store', 'gate', 'doorbell'];
export const ticks = ['poll', 'watch'] as const;

const hourMs = 3_600_000;
/** By hours and minutes as a rule; by more than a day, or a year, now and then. */
const jumps: readonly number[] = [
  ...[-hourMs, -300_000, -61_000, 61_000, 300_000, 2 * hourMs],
  ...[-hourMs, -300_000, -61_000, 61_000, 300_000, 2 * hourMs],
  ...[-25 * hourMs, 25 * hourMs, -400 * 24 * hourMs, 400 * 24 * hourMs],
];

const drawnFault = (throws: Dice, span: number, issues: number): Fault => {
  const at = throws.int(span);
  const minutes = 1 + throws.int(throws.chance(0.2) ? 40 : 6);
  const share = throws.pick([0.05, 0.2, 0.5]);
  const seconds = throws.pick([1, 3, 9]);
  const call = throws.int(throws.chance(0.5) ? 8 : 45);
  const issue = throws.int(issues);
  // What is likelier than others stands here more than once.
  const kind = throws.pick([
    ...(['death', 'death', 'death', 'death', 'overlap', 'overlap', 'no tick', 'tick twice', 'tick missing'] as const),
    ...(['watcher first', 'clock jumps', 'port down', 'port down', 'answers lost', 'answers lost'] as const),
    ...(['calls refused', 'stale answers', 'partial scan', 'blind', 'rate limit', 'operator', 'operator'] as const),
    ...(['person', 'person', 'person', 'person', 'in mid-tick', 'in mid-tick', 'T3', 'T3', 'T3'] as const),
    ...(['slow calls', 'operator in mid-tick', 'once it ended', 'once it ended'] as const),
    ...(['port hangs', 'pager broken', 'ids burnt', 'T3 in mid-tick'] as const),
  ]);
  switch (kind) {
    case 'death':
      return { at, kind, tick: throws.pick(ticks), call, when: throws.pick(['die before', 'die after']) };
    case 'overlap':
      return {
        at,
        kind,
        ticks: throws.pick([
          ['poll', 'poll'],
          ['watch', 'watch'],
          ['poll', 'watch'],
          ['poll', 'watch', 'poll', 'watch'],
        ]),
        dies: throws.chance(0.3) ? call : null,
      };
    case 'no tick':
      return { at, kind, minutes };
    case 'tick twice':
    case 'tick missing':
      return { at, kind, tick: throws.pick(ticks) };
    case 'watcher first':
      return { at, kind };
    case 'clock jumps':
      return { at, kind, byMs: throws.pick(jumps) };
    case 'port down':
      if (throws.chance(0.04))
        return {
          at,
          kind: 'port down for days',
          port: throws.pick(ports),
          hours: 26,
        };
      return { at, kind, port: throws.pick(ports), minutes };
    case 'answers lost':
      return { at, kind, port: throws.pick(ports), minutes, share };
    case 'port hangs':
      return { at, kind, port: throws.pick(ports), minutes };
    case 'pager broken':
      return { at, kind, minutes };
    case 'ids burnt':
      return { at, kind, minutes, share };
    case 'calls refused':
      return { at, kind, port: throws.pick(['tracker', 'forge', 'executor']), minutes, share };
    case 'stale answers':
    case 'partial scan':
    case 'blind':
    case 'rate limit':
      return { at, kind, minutes };
    case 'slow calls':
      return { at, kind, minutes, seconds };
    case 'operator':
      return { at, kind, act: throws.pick(operatorActs) };
    case 'operator in mid-tick':
      return { at, kind, act: throws.pick(operatorActs), tick: throws.pick(ticks), call };
    case 'once it ended':
      return {
        at: 0,
        kind,
        act: throws.pick([
          'ready on',
          'ready on',
          'reopens and labels again',
          'reopens',
          'closes',
          'ready on by triage',
        ]),
        issue,
      };
    case 'person':
      return { at, kind, act: throws.pick(personActs), issue };
    case 'in mid-tick':
      return { at, kind, act: throws.pick(personActs), issue, tick: throws.pick(ticks), call };
    case 'T3 in mid-tick':
      return { at, kind, act: throws.pick(t3Acts), issue, tick: throws.pick(ticks), call };
    case 'T3': {
      const act = throws.pick(t3Acts);
      // Half of them from the beginning on: where several runs are lost at once it is T3's fault and not theirs.
      const isFirst = act === 'loses each turn before it is taken up' && throws.chance(0.5);
      return { at: isFirst ? 0 : at, kind, act, issue };
    }
  }
};
