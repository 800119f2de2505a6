import { type AgentName, agentNames } from '../../lib/sandbox/agents.ts';
import { judging } from './judging.ts';
import { scriptedEnds } from './scripted-ends.ts';
import { type Fate, runToRest, type Simulation, simulation, standing } from './simulation.ts';

const repo = 'acme/web';

/** The agents, in two halves that take about as long: each half is a file of tests, and files run side by side. */
export const halves: readonly [readonly AgentName[], readonly AgentName[]] = [
  agentNames.filter((_, index) => index % 2 === 0),
  agentNames.filter((_, index) => index % 2 === 1),
];

const scene = (agent: AgentName): Simulation =>
  simulation(
    [{ repo, agent }],
    agent.startsWith('opens a pull request') ? { repos: { [repo]: { landing: 'pull-request' } } } : {},
  );

/** People have eight hours for a pull request. */
const waitsForHours = (agent: AgentName): boolean => agent === 'opens a pull request that nobody merges';

/** For hours the schedules come late, though not so late that no clock runs. */
const toRest = (
  sim: Simulation,
  agent: AgentName,
  fate: Fate,
  wrongNow?: () => readonly string[],
): Promise<readonly string[]> =>
  runToRest(sim, {
    fate,
    maxMinutes: 900,
    ...(wrongNow && { wrongNow }),
    ...(waitsForHours(agent) && { everyMinutes: 3 }),
  });

/** Port calls that only look, and leave the world as it was: a death after one is the death before it. */
export const looks: ReadonlySet<string> = new Set([
  'gate.read',
  'store.readNow',
  'store.read',
  'store.textOf',
  'tracker.scan',
  'tracker.listReady',
  'tracker.listLabelled',
  'tracker.detail',
  'tracker.permission',
  'tracker.glance',
  'tracker.watch',
  'forge.ci',
  'forge.landing',
  'forge.pull',
  'forge.said',
  'forge.elsewhere',
  'executor.look',
  'executor.detail',
  'executor.health',
]);

/**
 * The moments of a scene at which to die is to leave another world behind than at any other: right before each port call
 * that changes something. Between two of those, and after the last one of an invocation, nothing is there to be lost.
 * Where it waits for hours, a tick that only noted when it looked is like the one before: of those, each tenth.
 */
export const momentsOf = async (agent: AgentName): Promise<{ calls: number; moments: readonly number[] }> => {
  const whole = scene(agent);
  const changes: { number: number; tick: number }[] = [];
  const wrong = await toRest(whole, agent, ({ number, port, method }) => {
    if (!looks.has(`${port}.${method}`)) changes.push({ number, tick: whole.invocations() });
    return 'live';
  });
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  const ticks = [...Map.groupBy(changes, ({ tick }) => tick).values()];
  const tried = ticks.filter((tick, index) => tick.length > 1 || !waitsForHours(agent) || index % 10 === 0);
  return { calls: whole.calls(), moments: tried.flat().map(({ number }) => number) };
};

/** The port calls of a scene that are not what `looks` says: those that changed something, and those that did not. */
export const misjudgedIn = async (agent: AgentName): Promise<readonly string[]> => {
  const sim = scene(agent);
  const wrong = new Set<string>();
  sim.intercept(async ({ port, method }, pass) => {
    const before = worldOf(sim);
    const answer = await pass();
    if ((worldOf(sim) === before) !== looks.has(`${port}.${method}`)) wrong.add(`${port}.${method}`);
    return answer;
  });
  await toRest(sim, agent, () => 'live');
  return [...wrong];
};

/** All that outlives a process, as text. */
const worldOf = ({ table, world, rung, now }: Simulation): string =>
  JSON.stringify(
    [table.rows, table.texts, table.history, world.github.state, world.t3.snapshot(now()), rung],
    (_, value) => (value instanceof Map || value instanceof Set ? [...value] : value),
  );

/** The process dies at that call of the scene, and another goes on: what is wrong at the end, in words. */
export const dyingAt = async (
  agent: AgentName,
  call: number,
  when: 'die before' | 'die after' = 'die before',
): Promise<readonly string[]> => {
  const sim = scene(agent);
  const judge = judging(sim);
  const dies: Fate = ({ number }) => (number === call ? when : 'live');
  const wrong = [...(await toRest(sim, agent, dies, judge.breaches)), ...judge.notAtRest()];
  const stands = standing(sim, repo, 1);
  if (stands !== scriptedEnds[agent]) wrong.push(`it is ${stands}, and ought to be ${scriptedEnds[agent]}`);
  return wrong.map((what) => `${when} call ${call}, an agent that ${agent}: ${what}`);
};

/** The process dies at each moment of the scene in turn: what is wrong after the first death that is not survived. */
export const dyingAtEachMoment = async (agent: AgentName): Promise<readonly string[]> => {
  const { moments } = await momentsOf(agent);
  for (const call of moments) {
    const wrong = await dyingAt(agent, call);
    if (wrong.length > 0) return wrong;
  }
  return [];
};
